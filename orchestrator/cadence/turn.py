"""Whose turn it is: from what is known of a flow's runs, what it is to be started for, when, and after whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.cadence.due import Due, due_now
from orchestrator.cadence.retry import pause
from orchestrator.cadence.times import chance, latest_until, next_after
from orchestrator.config import Retries, Schedule
from orchestrator.errors import FINAL

TOO_MANY = 10
"""So many failures in a row pause a flow."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A run that ended. `due` is the time of the schedule that it was for, None for one that a person started;
    `exit_code` is 0 when it ended well, and None when nobody knows."""

    due: datetime | None
    started: datetime
    ended: datetime
    exit_code: int | None
    stopped: bool = False

    @property
    def failed(self) -> bool:
        return self.exit_code != 0 and not self.stopped

    @property
    def is_final(self) -> bool:
        """Whether it failed in a way that trying again does not mend."""
        return self.failed and self.exit_code in FINAL


@dataclass(frozen=True, slots=True)
class Past:
    """What became of a flow so far, since its schedule `began`. `since` is the latest due time that was seen to, or
    when it began; `failures` are those in a row for this time, `in_a_row` all of them; `last` is the newest attempt,
    `tried` the newest for this time. `well` is the time that its newest run that ended well was for, or the moment at
    which it started, whichever is later."""

    began: datetime
    since: datetime
    failures: int = 0
    in_a_row: int = 0
    last: Attempt | None = None
    tried: Attempt | None = None
    well: datetime | None = None

    @classmethod
    def of(cls, began: datetime, attempts: Sequence[Attempt]) -> "Past":
        """From its attempts, oldest first."""
        seen = max([began, *(each.due for each in attempts if each.due is not None)])
        newest = list(reversed(attempts))
        in_a_row = next((place for place, each in enumerate(newest) if not each.failed), len(newest))
        failures = sum(each.due == seen for each in newest[:in_a_row])
        well = next((each for each in newest if each.exit_code == 0), None)
        return cls(
            began,
            seen,
            failures,
            in_a_row,
            newest[0] if newest else None,
            next((each for each in newest if each.due == seen), None),
            None if well is None else max(well.due or well.started, well.started),
        )


def turn(schedule: Schedule, retries: Retries, flow: str, past: Past, now: datetime) -> Due:
    """What a flow that does not run is to be started for. While a time is tried again, later ones wait."""
    tried = past.tried
    if past.failures and tried is not None and not tried.is_final:
        lot = chance(f"{flow} {past.since.isoformat()} {past.failures}")
        wait = pause(retries, past.failures, lot)
        if wait is not None:
            again = tried.ended + timedelta(seconds=wait)
            return Due(past.since, now) if again <= now else Due(None, again)
    return due_now(schedule, flow, past.since, now)


def due_since(schedule: Schedule, past: Past, time: datetime) -> datetime:
    """Since when a flow waits that is to be started for a time: of those that were missed, the first."""
    return min(time, next_after(schedule, past.since))


def has_had_its_run(schedule: Schedule | None, past: Past, time: datetime, since: datetime | None) -> bool:
    """Whether those may start for their due `time` that come after a flow with this schedule and this past.

    It was due last at this time or before it, and since then a run of it began, or was for that time, and ended well.
    One that has no schedule had such a run `since` they had theirs; None: at any time.
    """
    if schedule is not None:
        since = latest_until(schedule, time)
        if since <= past.began:
            return True
    return past.well is not None and (since is None or past.well >= since)
