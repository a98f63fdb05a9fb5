"""How a flow stands with its schedule, in a word."""

from datetime import datetime, timedelta
from enum import StrEnum

from orchestrator.cadence.due import GRACE
from orchestrator.cadence.times import latest_until, next_after
from orchestrator.cadence.turn import Past
from orchestrator.config import Schedule


class Standing(StrEnum):
    """The first that holds."""

    RUNNING = "running"
    PAUSED = "paused"
    NEEDS_YOU = "needs you"
    """Its last run failed in a way that trying again does not mend."""
    FAILING = "failing"
    """Its last run failed, and it is tried again."""
    NEVER_RAN = "never ran"
    LATE = "late"
    """Its last commit is older than its schedule, or its `freshness`, wants it."""
    ON_TIME = "on time"


def standing(
    schedule: Schedule,
    freshness: float | None,
    past: Past,
    committed: datetime | None,
    now: datetime,
    *,
    running: bool = False,
    paused: bool = False,
) -> Standing:
    """How a flow stands that was `committed` last at that time."""
    last = past.last
    if running:
        return Standing.RUNNING
    if paused:
        return Standing.PAUSED
    if last is not None and last.failed:
        return Standing.NEEDS_YOU if last.is_final else Standing.FAILING
    if last is None and committed is None and not is_late(schedule, freshness, past.since, now):
        return Standing.NEVER_RAN
    late = is_late(schedule, freshness, committed or past.since, now)
    return Standing.LATE if late else Standing.ON_TIME


def late_by(schedule: Schedule, freshness: float | None, committed: datetime, now: datetime) -> timedelta:
    """For how long a flow has been late; nothing for one that is on time."""
    if freshness is not None:
        wanted = committed + timedelta(seconds=freshness)
    else:
        wanted = next_after(schedule, committed) + GRACE + timedelta(seconds=schedule.jitter)
    return max(now - wanted, timedelta(0))


def is_late(schedule: Schedule, freshness: float | None, committed: datetime, now: datetime) -> bool:
    """Whether a flow should have committed again by now: since its last due time, or within its freshness. It has a
    minute to begin."""
    if freshness is not None:
        return now - committed > timedelta(seconds=freshness)
    wanted = latest_until(schedule, now - GRACE - timedelta(seconds=schedule.jitter))
    return committed < wanted
