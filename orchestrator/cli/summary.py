"""What is said at the end of a run, and how to look at what it brought."""

from typing import TYPE_CHECKING

from orchestrator.cli.terminal import say, say_next
from orchestrator.cli.words import counted, duration, seconds_between

if TYPE_CHECKING:
    from orchestrator import Workspace
    from orchestrator.actions.recording import RunReport


def summarize(workspace: "Workspace", report: "RunReport") -> None:
    """Says what a run came to, and the command that shows its rows."""
    run = report.run
    rows, refused = sum(run.committed.values()), sum(run.quarantined.values())
    came = rows or refused
    brought = f"{counted(rows, 'row')} in {counted(report.commits, 'commit')}" if came else "Nothing new at the source"
    took = f", {duration(seconds_between(run.started, run.ended))}" if run.ended else ""
    bookmark = f"; bookmark saved{' with them' if rows else ''}" if report.bookmarks else ""
    say(f"✓ {brought}{took}{bookmark}")
    stream = max(run.committed, key=lambda each: run.committed[each], default=None)
    if refused:
        say(f"  {counted(refused, 'line')} could not land and went to quarantine")
        question = f"from _orchestrator.quarantine where flow = '{run.flow}' and run = {run.number}"
        say_next("query", *_choice(workspace, run.destination), question)
    elif not rows or stream is None:
        say_next("status")
    else:
        say_next("query", *_choice(workspace, report.run.destination), f"from {_table(workspace, report, stream)}")


def _choice(workspace: "Workspace", destination: str) -> tuple[str, ...]:
    used = {flow.destination for flow in workspace.config.flows.values()}
    return () if used == {destination} else ("--to", destination)


def _table(workspace: "Workspace", report: "RunReport", stream: str) -> str:
    """The table of a stream as SQL names it."""
    from orchestrator.actions.query import table_in_sql
    from orchestrator.load.naming import name_for

    config = workspace.config
    flow = config.flow(report.run.flow)
    schema = config.destination(report.run.destination).schema.format(flow=flow.name, tap=flow.tap) or "main"
    return table_in_sql(schema, name_for(stream, ()))
