"""Whose turn it is: from what is known of a flow's runs, what it is to be started for, and when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.cadence.due import Due, due_now
from orchestrator.cadence.retry import pause
from orchestrator.cadence.times import chance
from orchestrator.config import Retries, Schedule
from orchestrator.errors import FINAL

TOO_MANY = 10
"""So many failures in a row pause a flow."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A run that ended. `due` is the time of the schedule that it was for, None for one that a person started;
    `exit_code` is 0 when it ended well, and None when nobody knows."""

    due: datetime | None
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
    """What became of a flow so far. `since` is the latest due time that was seen to, or when its schedule began;
    `failures` are those in a row for this time, `in_a_row` all of them; `last` is the newest attempt."""

    since: datetime
    failures: int = 0
    in_a_row: int = 0
    last: Attempt | None = None

    @classmethod
    def of(cls, began: datetime, attempts: Sequence[Attempt]) -> "Past":
        """From its attempts, oldest first."""
        seen = max([began, *(each.due for each in attempts if each.due is not None)])
        newest = list(reversed(attempts))
        in_a_row = next((place for place, each in enumerate(newest) if not each.failed), len(newest))
        failures = sum(each.due == seen for each in newest[:in_a_row])
        return cls(seen, failures, in_a_row, newest[0] if newest else None)


def turn(schedule: Schedule, retries: Retries, flow: str, past: Past, now: datetime) -> Due:
    """What a flow that does not run is to be started for. While a time is tried again, later ones wait."""
    last = past.last
    if past.failures and last is not None and not last.is_final:
        lot = chance(f"{flow} {past.since.isoformat()} {past.failures}")
        wait = pause(retries, past.failures, lot)
        if wait is not None:
            again = last.ended + timedelta(seconds=wait)
            return Due(past.since, now) if again <= now else Due(None, again)
    return due_now(schedule, flow, past.since, now)
