"""`orchestrator upgrade`"""

import click

from orchestrator.cli.agreement import agreement, fix_option
from orchestrator.cli.command import answer, command, json_option, workspace
from orchestrator.cli.names import TAP
from orchestrator.cli.progress import tell_changes, working
from orchestrator.cli.terminal import say, say_next


@command("upgrade")
@click.argument("tap", type=TAP)
@fix_option
@json_option
def upgrade(tap: str, fix: bool | None) -> None:
    """Move a tap to newer versions.

    To the newest that its requirement in orchestrator.toml allows, built beside the one in use. Where it was asked
    before what it offers, both are asked again, and what changes is told. The environment before is kept for rollback.
    """
    opened = workspace()
    with working(f"Upgrading {tap}") as work:
        upgraded = opened.upgrade(tap, fix=agreement(fix, work), listen=work)
    tell_changes(upgraded.changes)
    for setting in upgraded.settings:
        say(f"  {setting}")
    for id, changes in upgraded.streams.items():
        for change in changes:
            say(f"  {id}: {change}")
    say(f"✓ {upgraded.package} {upgraded.version} on Python {upgraded.python}")
    if upgraded.pinned:
        say(f"note: orchestrator.toml holds {upgraded.package} itself to its version")
    if any(upgraded.streams.values()):
        say_next("discover", tap)
    else:
        say_next("rollback" if upgraded.changes and upgraded.before else "run", tap)
    answer(upgraded=upgraded)
