"""`orchestrator replay`"""

import click

from orchestrator.cli.command import answer, asked, command, json_option, workspace
from orchestrator.cli.names import DESTINATION, FLOW
from orchestrator.cli.summary import summarize
from orchestrator.cli.tables import grid, with_dim_head
from orchestrator.cli.terminal import put, say, say_next
from orchestrator.cli.watching import watched
from orchestrator.cli.words import counted
from orchestrator.supervisor.stopping import Stop


@command("replay")
@click.argument("flow", type=FLOW)
@click.option("--run", "number", required=True, type=click.IntRange(min=1), metavar="N", help="The run to load again.")
@click.option("--to", "destination", type=DESTINATION, help="Where to (default: the destination of the flow).")
@click.option("--dry-run", is_flag=True, help="Tell what would be loaded, and load nothing.")
@json_option
def replay(flow: str, number: int, destination: str | None, dry_run: bool) -> None:
    """Load the messages of an earlier run again, without the source.

    Bookmarks stay as they are. `orchestrator runs FLOW` lists the runs.
    """
    opened = workspace()
    if not dry_run:
        with watched() as listen:
            report = opened.replay(flow, run=number, to=destination, stop=Stop(), listen=listen)
        summarize(opened, report)
        answer(run=report.run, bookmarks=report.bookmarks)
        return
    rehearsal = opened.rehearse(flow, run=number, to=destination)
    answer(rehearsal=rehearsal)
    if not asked().json:
        put(with_dim_head(grid(["stream", "rows"], [*rehearsal.rows.items()])))
    rows = counted(sum(rehearsal.rows.values()), "row")
    say(f"Run {number} would bring {rows} to {rehearsal.destination}. Nothing was loaded")
    say_next("replay", flow, "--run", str(number), *(("--to", destination) if destination else ()))
