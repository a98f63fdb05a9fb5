"""`orchestrator runs`"""

import click

from orchestrator.cli.command import command, format_option, show, workspace
from orchestrator.cli.names import FLOW
from orchestrator.cli.tables import Column
from orchestrator.cli.terminal import say, say_next
from orchestrator.cli.words import Moment, seconds_between
from orchestrator.state import Run


@command("runs")
@click.argument("flow", required=False, type=FLOW)
@format_option()
def runs(flow: str | None, format: str) -> None:
    """List the runs of flows.

    The newest first; of one flow, or of all.
    """
    opened = workspace()
    known = opened.runs(flow)
    # A table for people stays without what is seldom.
    seldom = format == "table" and not any(run.quarantined for run in known)
    show(format, "runs", known, [column for column in COLUMNS if not (seldom and column is QUARANTINED)])
    if not known:
        say("Nothing ran yet.")
        flows = [flow] if flow else [*opened.config.flows]
        say_next(*(("run", flows[0]) if flows else ("add-tap", "NAME")))


def _commits(run: Run) -> str | None:
    """`37` or `37-41`: those that it wrote."""
    if run.first_commit is None:
        return None
    return str(run.first_commit) if run.first_commit == run.last_commit else f"{run.first_commit}-{run.last_commit}"


QUARANTINED: Column[Run] = Column("quarantined", lambda run: sum(run.quarantined.values()))
COLUMNS: list[Column[Run]] = [
    Column("flow", lambda run: run.flow),
    Column("run", lambda run: run.number),
    Column("kind", lambda run: run.kind.value),
    Column("status", lambda run: run.status.value),
    Column("started", lambda run: Moment(run.started)),
    Column("took", lambda run: seconds_between(run.started, run.ended) if run.ended else None),
    Column("read", lambda run: sum(run.read.values())),
    Column("committed", lambda run: sum(run.committed.values())),
    QUARANTINED,
    Column("commits", _commits),
    Column("to", lambda run: run.destination),
]
