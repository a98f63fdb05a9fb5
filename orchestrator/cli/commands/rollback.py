"""`orchestrator rollback`"""

import click

from orchestrator.cli.command import answer, command, json_option, workspace
from orchestrator.cli.names import TAP
from orchestrator.cli.progress import tell, tell_changes
from orchestrator.cli.terminal import say, say_next


@command("rollback")
@click.argument("tap", type=TAP)
@json_option
def rollback(tap: str) -> None:
    """Go back to the environment before.

    A second time goes forward again.
    """
    back = workspace().rollback(tap, listen=tell)
    tell_changes(back.changes)
    say(f"✓ {back.package} {back.version} is in use again")
    if back.departures:
        say(f"note: orchestrator.toml says otherwise about {', '.join(back.departures)}; an install would follow it")
    say_next("taps")
    answer(rolled_back=back)
