"""Whether a flow is due now, and what becomes of times that were missed."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.cadence.times import delay, latest_until, next_after
from orchestrator.config import CatchUp, Schedule

GRACE = timedelta(minutes=1)
"""How late a flow that catches nothing up still starts."""
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be done for a flow. `time` is the due time that a run starts for now, None when none does; until
    `wait` nothing changes by itself."""

    time: datetime | None
    wait: datetime


def due_now(schedule: Schedule, flow: str, since: datetime, now: datetime) -> Due:
    """What a flow is due for. `since` is the latest due time that was seen to, or when its schedule began.

    Of the times between, `catch_up` tells which still count: the earliest of all (`all`), the latest for all of them
    (`one`), or only one that is hardly past (`none`).
    """
    if schedule.catch_up is CatchUp.ALL:
        time = next_after(schedule, since)
        start = time + delay(schedule, flow, time)
        return Due(time, now) if start <= now else Due(None, start)
    time = latest_until(schedule, now)
    start = time + delay(schedule, flow, time)
    if time <= since or start <= now:
        coming = next_after(schedule, max(now, since))
        wait = coming + delay(schedule, flow, coming)
    else:
        # Its moment comes; the one before it may have been missed.
        wait = start
        time = latest_until(schedule, time - _INSTANT)
        start = time + delay(schedule, flow, time)
    counts = time > since and (schedule.catch_up is CatchUp.ONE or now - start <= GRACE)
    return Due(time, now) if counts else Due(None, wait)
