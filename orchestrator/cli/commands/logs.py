"""`orchestrator logs`"""

import click

from orchestrator.cli.command import command, workspace
from orchestrator.cli.names import FLOW
from orchestrator.cli.terminal import put, say


@command("logs")
@click.argument("flow", type=FLOW)
@click.option("--run", "number", type=click.IntRange(min=1), metavar="N", help="Which run (default: the newest).")
@click.option("-f", "--follow", is_flag=True, help="Go on while the run lasts.")
def logs(flow: str, number: int | None, follow: bool) -> None:
    """Show what the tap said in a run."""
    silent = True
    for line in workspace().log(flow, run=number, follow=follow):
        put(line)
        silent = False
    if silent:
        say("The tap said nothing.")
