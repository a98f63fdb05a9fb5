"""How a flow stands with its schedule, in a word."""

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.cadence.standing import Standing, standing
from orchestrator.cadence.turn import Attempt, Past
from orchestrator.config import Schedule

NOON, HOUR, MINUTE = datetime(2026, 6, 1, 12, tzinfo=UTC), timedelta(hours=1), timedelta(minutes=1)
HOURLY = Schedule(every=3600.0)


def past(exit_code: int | None, *, stopped: bool = False) -> Past:
    return Past.of(NOON - 9 * HOUR, [Attempt(NOON, NOON, NOON + MINUTE, exit_code, stopped=stopped)])


def said(past: Past, now: datetime, committed: datetime | None = None, **more: bool) -> Standing:
    return standing(HOURLY, None, past, committed, now, **more)


def test_who_runs_or_rests_says_so_before_all_else():
    assert said(past(4), NOON, running=True, paused=True) is Standing.RUNNING
    assert said(past(4), NOON, paused=True) is Standing.PAUSED


@pytest.mark.parametrize(
    ("exit_code", "word"),
    [(1, Standing.FAILING), (None, Standing.FAILING), (-9, Standing.FAILING), (4, Standing.NEEDS_YOU)],
)
def test_a_failure_passes_by_itself_or_needs_you(exit_code, word):
    assert said(past(exit_code), NOON + 2 * MINUTE, NOON) is word


def test_late_is_counted_from_the_last_commit_and_not_from_the_last_run_that_ended_well():
    assert said(past(0), NOON + 2 * MINUTE, NOON + MINUTE) is Standing.ON_TIME
    assert said(past(0), NOON + 2 * MINUTE, NOON - HOUR) is Standing.LATE
    assert said(past(143, stopped=True), NOON + 2 * MINUTE, NOON - HOUR) is Standing.LATE


def test_a_flow_has_a_minute_and_its_jitter_to_begin():
    assert said(past(0), NOON + HOUR + MINUTE - timedelta(seconds=1), NOON + MINUTE) is Standing.ON_TIME
    assert said(past(0), NOON + HOUR + MINUTE, NOON + MINUTE) is Standing.LATE
    with_jitter = Schedule(every=3600.0, jitter=600.0)
    assert standing(with_jitter, None, past(0), NOON + MINUTE, NOON + HOUR + 10 * MINUTE) is Standing.ON_TIME


def test_freshness_takes_the_place_of_the_schedule():
    assert standing(HOURLY, 7200.0, past(0), NOON, NOON + 2 * HOUR) is Standing.ON_TIME
    assert standing(HOURLY, 600.0, past(0), NOON, NOON + 11 * MINUTE) is Standing.LATE


def test_before_its_first_time_a_flow_never_ran_and_after_it_is_late():
    new = Past.of(NOON, [])

    assert said(new, NOON + MINUTE) is Standing.NEVER_RAN
    assert said(new, NOON + HOUR + 2 * MINUTE) is Standing.LATE
