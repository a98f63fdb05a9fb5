"""What is said at the end of a run, and how to look at what it brought."""

from typing import TYPE_CHECKING, Any

from orchestrator.cli.terminal import say, say_next
from orchestrator.cli.words import counted, duration, seconds_between
from orchestrator.errors import OrchestratorError

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
    ended: dict[str, Any] = {
        "status": run.status,
        "read": run.read,
        "committed": run.committed,
        "commits": report.commits,
    }
    say(f"✓ {brought}{took}{bookmark}", event="run_ended", **ended)
    if refused:
        say(f"  {counted(refused, 'line')} could not land and went to quarantine")
    try:
        say_next(*_next(workspace, report))
    except OrchestratorError:
        # What orchestrator.toml says by now may be broken, or know nothing of the flow: the run was a good one.
        say_next("status")


def _next(workspace: "Workspace", report: "RunReport") -> tuple[str, ...]:
    """The command that shows what a run brought."""
    run = report.run
    if any(run.quarantined.values()):
        question = f"from _orchestrator.quarantine where flow = '{run.flow}' and run = {run.number}"
    elif any(run.committed.values()):
        stream = max(run.committed, key=lambda each: run.committed[each])
        question = f"from {_table(workspace, report, stream)}"
    else:
        return ("status",)
    return ("query", *_choice(workspace, run.destination), question)


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
