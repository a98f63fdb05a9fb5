"""`orchestrator runs`"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.command import Listing, answer, asked, format_option, json_option, show, workspace
from orchestrator.cli.names import FLOW
from orchestrator.cli.tables import Column, facts, grid, table, with_dim_head
from orchestrator.cli.terminal import put, say, say_next
from orchestrator.cli.words import Moment, Size, counted, seconds_between
from orchestrator.config.measures import seconds_of
from orchestrator.errors import UsageError
from orchestrator.state import Run, Status

if TYPE_CHECKING:
    from orchestrator.actions.compare_runs import RunsCompared

_WIDEST = 60


class Since(click.ParamType[datetime]):
    """A time, or how long ago one was."""

    name = "since"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> datetime:
        if seconds := seconds_of(value):
            return datetime.now(UTC) - timedelta(seconds=seconds)
        try:
            return datetime.fromisoformat(value).astimezone(UTC)
        except ValueError:
            self.fail(f'{value} is no time, such as 2026-11-21 or "2026-11-21 06:00", nor how long ago: 2h, "3 days"')


@click.group("runs", cls=Listing)
def runs() -> None:
    """List the runs of flows.

    `orchestrator runs gitlab` is `orchestrator runs list gitlab`.
    """


@runs.command("list")
@click.argument("flow", required=False, type=FLOW)
@click.option("--since", type=Since(), metavar="TIME", help='Only those that began since: a time, or 2h, "3 days".')
@click.option("--failed", is_flag=True, help="Only those that did not end well.")
@format_option()
def list_runs(flow: str | None, since: datetime | None, failed: bool, format: str) -> None:
    """List them, the newest first; of one flow, or of all."""
    opened = workspace()
    every = opened.runs(flow)
    known = [run for run in every if _is_since(run, since) and not (failed and run.status in _WELL)]
    # A table for people stays without what is seldom.
    seldom = format == "table" and not any(run.quarantined for run in known)
    show(format, "runs", known, [column for column in COLUMNS if not (seldom and column is QUARANTINED)])
    if known:
        return
    if every:
        say(f"None of {counted(len(every), 'run')} is one of those.")
        return
    say("Nothing ran yet.")
    flows = [flow] if flow else [*opened.config.flows]
    say_next(*(("run", flows[0]) if flows else ("add-tap", "NAME")))


@runs.command("show")
@click.argument("words", nargs=-1, required=True, metavar="[FLOW] NUMBER")
@json_option
def show_run(words: tuple[str, ...]) -> None:
    """Tell all that is known of a run.

    FLOW may be left out where there is only one.
    """
    opened = workspace()
    flow, number = _named("show", words, [*opened.config.flows])
    run = opened.find_run(flow, number)
    if asked().json:
        answer(run=run)
        return
    put(facts(_facts(run)))
    streams = [(stream, run) for stream in sorted({*run.read, *run.committed, *run.quarantined})]
    if streams:
        put(f"\n{with_dim_head(table(STREAMS, streams))}")
    if run.error:
        say(run.error.message)
        for label, text in (("cause", run.error.cause), ("data", run.error.data), ("hint", run.error.hint)):
            if text:
                say(f"  {label}: {text}")
    say_next("logs", flow, "--run", str(number))


@runs.command("diff")
@click.argument("words", nargs=-1, required=True, metavar="[FLOW] NUMBER NUMBER")
@json_option
def compare(words: tuple[str, ...]) -> None:
    """Compare two runs of a flow.

    What they brought and how long they took; and what was different about the packages of the tap, its settings, those
    of the flow, and the columns of streams. FLOW may be left out where there is only one.
    """
    opened = workspace()
    flow, before, after = _named("diff", words, [*opened.config.flows], count=2)
    compared = opened.compare_runs(flow, before, after)
    if asked().json:
        answer(compared=compared)
        return
    heads = ("", f"run {before}", f"run {after}")
    put(with_dim_head(grid(heads, [*_side_by_side(compared)])))
    differences = [*_differences(compared)]
    if differences:
        put(f"\n{with_dim_head(grid(('changed', heads[1], heads[2]), differences, widest=_WIDEST))}")
    elif not compared.unknown:
        say("They ran with the same packages, settings and columns.")
    if compared.unknown:
        say(f"One of them did not write down its {' and '.join(compared.unknown)}.")


def _named(command: str, words: Sequence[str], flows: Sequence[str], *, count: int = 1) -> tuple[Any, ...]:
    """The flow and the `count` numbers of runs that were meant. Raises UsageError."""
    named, numbers = words[:-count], words[-count:]
    usual = " ".join(["NUMBER"] * count)
    if len(named) > 1 or len(numbers) < count or not all(number.isdecimal() for number in numbers):
        noun = "run" if count == 1 else "runs"
        raise UsageError(f'"{" ".join(words)}" names no {noun}', hint=f"orchestrator runs {command} FLOW {usual}")
    if not named and len(flows) != 1:
        said = " ".join(numbers)
        raise UsageError(
            f"of which flow is it run {' and '.join(numbers)}?",
            cause=f"there are {', '.join(flows)}" if flows else "there is no flow yet",
            hint=f"orchestrator runs {command} {flows[0] if flows else 'FLOW'} {said}",
        )
    return (named[0] if named else flows[0], *map(int, numbers))


def _side_by_side(compared: "RunsCompared") -> Iterator[tuple[Any, ...]]:
    """What there is to say of both, and the rows of each stream."""
    both = (compared.before, compared.after)
    yield "status", *(run.status.value for run in both)
    yield "started", *(Moment(run.started) for run in both)
    yield "took", *(seconds_between(run.started, run.ended) if run.ended else None for run in both)
    yield "messages", *(Size(run.bytes) for run in both)
    for stream in sorted({*both[0].committed, *both[1].committed}):
        yield f"rows of {stream}", *(run.committed.get(stream, 0) for run in both)


def _differences(compared: "RunsCompared") -> Iterator[tuple[Any, ...]]:
    for package in compared.packages:
        yield package.package, package.before, package.after
    for setting in compared.settings:
        yield setting.setting, _said(setting.before), _said(setting.after)
    for change in compared.columns:
        what = f"{change.stream}.{change.column}" if change.column else f"key of {change.stream}"
        yield what, change.before, change.after


def _said(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    import json

    return json.dumps(value, ensure_ascii=False)


def _is_since(run: Run, since: datetime | None) -> bool:
    return since is None or (bool(run.started) and datetime.fromisoformat(run.started) >= since)


def _facts(run: Run) -> list[tuple[str, Any]]:
    """What there is to say of a run."""
    known = {
        "run": f"{run.number} of {run.flow}",
        "kind": run.kind.value if run.replay_of is None else f"replay of run {run.replay_of}",
        "status": run.status.value,
        "exit code": run.exit_code,
        "tap": run.package or run.tap,
        "to": run.destination,
        "due": Moment(run.due) if run.due else None,
        "started": Moment(run.started) if run.started else None,
        "ended": Moment(run.ended) if run.ended else None,
        "took": seconds_between(run.started, run.ended) if run.ended else None,
        "commits": _commits(run),
        "from commit": run.from_commit,
        "read anew": ", ".join(stream or "everything" for stream in run.afresh),
        "messages": Size(run.bytes) if run.bytes else None,
    }
    return [(fact, value) for fact, value in known.items() if value not in (None, "")]


def _commits(run: Run) -> str | None:
    """`37` or `37-41`: those that it wrote."""
    if run.first_commit is None:
        return None
    return str(run.first_commit) if run.first_commit == run.last_commit else f"{run.first_commit}-{run.last_commit}"


_WELL = (Status.SUCCEEDED, Status.RUNNING, Status.STOPPED)
STREAMS: list[Column[tuple[str, Run]]] = [
    Column("stream", lambda each: each[0] or "(none)"),
    Column("read", lambda each: each[1].read.get(each[0], 0)),
    Column("committed", lambda each: each[1].committed.get(each[0], 0)),
    Column("quarantined", lambda each: each[1].quarantined.get(each[0], 0)),
]
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
