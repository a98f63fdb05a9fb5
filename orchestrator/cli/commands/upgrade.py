"""`orchestrator upgrade`"""

import click

from orchestrator.cli.command import answer, command, json_option, workspace
from orchestrator.cli.names import TAP
from orchestrator.cli.progress import tell_changes, working
from orchestrator.cli.terminal import say, say_next


@command("upgrade")
@click.argument("tap", type=TAP)
@json_option
def upgrade(tap: str) -> None:
    """Move a tap to newer versions.

    To the newest that its requirement in orchestrator.toml allows. The environment before is kept for rollback.
    """
    opened = workspace()
    with working(f"Upgrading {tap}") as listen:
        upgraded = opened.upgrade(tap, listen=listen)
    tell_changes(upgraded.changes)
    say(f"✓ {upgraded.package} {upgraded.version} on Python {upgraded.python}")
    if upgraded.pinned:
        say(f"note: orchestrator.toml holds {upgraded.package} itself to its version")
    say_next("rollback" if upgraded.changes and upgraded.before else "run", tap)
    answer(upgraded=upgraded)
