"""The times at which a schedule is due, one after the other.

An interval counts from midnight of 1 January 1970, UTC, so that its times do not depend on when anything was started.
A cron expression is read as Debian's cron reads it: what stands at an hour that a change of the clocks leaves out
is due right after it, and what stands in an hour that comes twice is due once.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from cronsim import CronSim

from orchestrator.config import Schedule
from orchestrator.config.measures import duration

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


def next_after(schedule: Schedule, moment: datetime) -> datetime:
    """The first time at which it is due after a moment, in UTC."""
    if schedule.every is not None:
        return _times_of_interval(schedule.every, moment) + timedelta(seconds=schedule.every)
    return next(_times_of_cron(schedule, moment))


def latest_until(schedule: Schedule, moment: datetime) -> datetime:
    """The last time at which it was due at a moment or before it, in UTC."""
    if schedule.every is not None:
        return _times_of_interval(schedule.every, moment)
    return next(_times_of_cron(schedule, (moment + _SECOND).replace(microsecond=0), reverse=True))


def coming(schedule: Schedule, moment: datetime, count: int) -> list[datetime]:
    """So many of the times after a moment."""

    def times() -> Iterator[datetime]:
        at = moment
        while True:
            at = next_after(schedule, at)
            yield at

    return list(islice(times(), count))


def explained(schedule: Schedule) -> str:
    """A schedule in words: `every 15 min`, `at 06:00 on Monday through Friday (Europe/Paris)`."""
    if schedule.every is not None:
        words = f"every {duration(schedule.every)}"
    else:
        said = CronSim(schedule.cron, _EPOCH).explain()
        words = f"{said[:1].lower()}{said[1:]} ({schedule.tz})"
    return words + (f", up to {duration(schedule.jitter)} later" if schedule.jitter else "")


def delay(schedule: Schedule, flow: str, due: datetime) -> timedelta:
    """How long after a due time the flow starts: up to its jitter, but before it is due again, and always the same for
    the same time, so that nothing has to be remembered."""
    if not schedule.jitter:
        return timedelta(0)
    longest = min(timedelta(seconds=schedule.jitter), next_after(schedule, due) - due)
    return longest * chance(f"{flow} {due.isoformat()}")


def chance(said: str) -> float:
    """A number from 0 to 1 that is as good as drawn by lot, and always the same for the same words."""
    return int.from_bytes(hashlib.blake2b(said.encode(), digest_size=4).digest()) / 2**32


def _times_of_interval(seconds: float, moment: datetime) -> datetime:
    step = timedelta(seconds=seconds)
    return _EPOCH + (moment - _EPOCH) // step * step


def _times_of_cron(schedule: Schedule, moment: datetime, *, reverse: bool = False) -> Iterator[datetime]:
    local = moment.astimezone(ZoneInfo(schedule.tz))
    return (time.astimezone(UTC) for time in CronSim(schedule.cron, local, reverse=reverse))
