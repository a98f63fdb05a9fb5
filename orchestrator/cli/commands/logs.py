"""`orchestrator logs`"""

import click

from orchestrator.cli.command import asked, command, json_option, workspace
from orchestrator.cli.names import FLOW
from orchestrator.cli.terminal import put, say
from orchestrator.cli.words import line


@command("logs")
@click.argument("flow", type=FLOW)
@click.option("--run", "number", type=click.IntRange(min=1), metavar="N", help="Which run (default: the newest).")
@json_option
@click.option("-f", "--follow", is_flag=True, help="Go on while the run lasts.")
def logs(flow: str, number: int | None, follow: bool) -> None:
    """Show what the tap said in a run.

    With --json each line is a JSON object of its own, with `flow`, `run`, `level`, `stream` and `message`; level and
    stream are null where the line does not tell.
    """
    opened = workspace()
    silent = True
    for told in opened.log_lines(flow, run=number, follow=follow):
        put(line(**told) if asked().json else told["message"])
        silent = False
    if silent:
        say("The tap said nothing.")
