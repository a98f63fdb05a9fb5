"""How a flow stands with its schedule, from what its runs left behind."""

from dataclasses import dataclass
from datetime import datetime

from orchestrator.cadence.standing import Standing, late_by, standing
from orchestrator.cadence.turn import Attempt, Past, turn
from orchestrator.clock import rfc3339
from orchestrator.config import Flow, Schedule
from orchestrator.errors import UsageError
from orchestrator.load.commit import Commit
from orchestrator.paths import Paths
from orchestrator.state import Kind, Plans, Run, Runs, Status

_ENOUGH = 100
"""One that ended well is looked for among so many."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """How a flow that has a schedule stands with it. `next` is when it starts next, in RFC 3339; None while it is
    paused or runs. `why` says why it is paused."""

    standing: Standing
    next: str | None
    why: str | None = None


def schedule_of(flow: Flow) -> Schedule:
    """Raises UsageError for a flow that has none."""
    if flow.schedule is None:
        raise UsageError(
            f'flow "{flow.name}" has no schedule', hint=f'orchestrator schedule {flow.name} --every "15 min"'
        )
    return flow.schedule


def begin_schedule(paths: Paths, flow: Flow, now: datetime) -> None:
    """Lets a schedule begin now that nobody saw before, or that was changed."""
    said = _times(schedule_of(flow))
    if Plans(paths).began(flow.name, said) is None:
        Plans(paths).begin(flow.name, said, now)


def past_of(paths: Paths, flow: Flow, now: datetime) -> Past:
    """What became of a flow so far; of one without a schedule, as if one began now."""
    began = (Plans(paths).began(flow.name, _times(flow.schedule)) if flow.schedule else None) or now
    return Past.of(began, _attempts(Runs(paths, flow.name)))


def _attempts(runs: Runs) -> list[Attempt]:
    """The newest, oldest first, as far back as a schedule has to know: to one that had a due time, for these rise from
    run to run, and to one that ended well."""
    newest_first: list[Attempt] = []
    was_due = ended_well = False
    for run in runs.newest_first():
        if run.status in (Status.RUNNING, Status.DAMAGED) or run.kind is Kind.REPLAY:
            continue
        newest_first.append(_attempt(run))
        was_due, ended_well = was_due or run.due is not None, ended_well or run.exit_code == 0
        if was_due and (ended_well or len(newest_first) >= _ENOUGH):
            break
    return newest_first[::-1]


def _times(schedule: Schedule) -> str:
    """What of a schedule says its times."""
    return f"{schedule.cron} {schedule.tz}" if schedule.every is None else f"every {schedule.every} s"


def outlook(paths: Paths, flow: Flow, newest: Run | None, commit: Commit | None, now: datetime) -> Outlook:
    """How a flow stands with its schedule after its newest run and its last commit. Raises UsageError for one that has
    none."""
    schedule, past = schedule_of(flow), past_of(paths, flow, now)
    running = newest is not None and newest.status is Status.RUNNING
    rest = Plans(paths).paused(flow.name)
    word = standing(
        schedule,
        flow.freshness,
        past,
        datetime.fromisoformat(commit.at) if commit else None,
        now,
        running=running,
        paused=rest is not None,
    )
    due = None if running or rest else turn(schedule, flow.retries, flow.name, past, now)
    starts = None if due is None else rfc3339(due.time or due.wait)
    return Outlook(word, starts, rest.why if rest else None)


def lateness(paths: Paths, flow: Flow, committed: datetime | None, now: datetime) -> float:
    """For how many seconds a flow has been late that was `committed` last at that time; 0 without a schedule."""
    if flow.schedule is None:
        return 0.0
    return late_by(flow.schedule, flow.freshness, committed or past_of(paths, flow, now).since, now).total_seconds()


def _attempt(run: Run) -> Attempt:
    return Attempt(
        None if run.due is None else datetime.fromisoformat(run.due),
        datetime.fromisoformat(run.started),
        datetime.fromisoformat(run.ended or run.started),
        run.exit_code,
        stopped=run.status is Status.STOPPED,
    )
