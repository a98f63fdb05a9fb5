"""What a flow is to be started for, from what became of its runs."""

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.cadence.turn import Attempt, Past, due_since, has_had_its_run, turn
from orchestrator.config import Retries, Schedule

NOON, HOUR, SECOND = datetime(2026, 6, 1, 12, tzinfo=UTC), timedelta(hours=1), timedelta(seconds=1)
HOURLY = Schedule(every=3600.0)
RETRIES = Retries(attempts=3, backoff=60.0, max=600.0)


def past(*attempts: tuple[datetime | None, int | None], stopped: bool = False) -> Past:
    """Runs with their due times and exit codes; each ended ten seconds after the hour it was for."""
    runs = [Attempt(due, due or NOON, (due or NOON) + 10 * SECOND, code, stopped=stopped) for due, code in attempts]
    return Past.of(NOON - 5 * HOUR, runs)


def test_what_was_seen_to_is_the_latest_due_time_of_any_run_or_when_the_schedule_began():
    assert past().since == NOON - 5 * HOUR
    assert past((NOON, 0), (NOON - HOUR, 0), (None, 0)).since == NOON
    assert past((NOON - 6 * HOUR, 0)).since == NOON - 5 * HOUR


def test_failures_are_counted_in_a_row_and_for_the_latest_time():
    failing = past((NOON - 2 * HOUR, 0), (NOON - HOUR, 1), (NOON, 1), (NOON, None))

    assert (failing.failures, failing.in_a_row) == (2, 3)
    assert (past((NOON, 1), (NOON, 0)).in_a_row, past((NOON, 143), stopped=True).in_a_row) == (0, 0)


def test_a_time_that_failed_is_tried_again_after_a_pause_and_later_times_wait_for_it():
    failed = past((NOON, 1))
    pause = turn(HOURLY, RETRIES, "shop", failed, NOON + 11 * SECOND).wait

    assert NOON + 40 * SECOND <= pause <= NOON + 70 * SECOND
    assert turn(HOURLY, RETRIES, "shop", failed, pause - SECOND).time is None
    assert turn(HOURLY, RETRIES, "shop", failed, pause).time == NOON
    assert turn(HOURLY, RETRIES, "shop", failed, NOON + 2 * HOUR).time == NOON


def test_after_enough_attempts_the_next_time_comes():
    failed = past(*[(NOON, 1)] * RETRIES.attempts)

    assert turn(HOURLY, RETRIES, "shop", failed, NOON + HOUR - SECOND).time is None
    assert turn(HOURLY, RETRIES, "shop", failed, NOON + HOUR).time == NOON + HOUR


@pytest.mark.parametrize("exit_code", [2, 4, 8])
def test_what_needs_a_person_waits_for_the_next_time(exit_code):
    assert turn(HOURLY, RETRIES, "shop", past((NOON, exit_code)), NOON + HOUR - SECOND).time is None


def test_a_run_by_hand_that_fails_neither_brings_a_time_back_nor_puts_off_its_next_attempt():
    needs_you, passes = past((NOON, 4), (None, 1)), past((NOON, 1), (None, 1))

    assert turn(HOURLY, RETRIES, "shop", needs_you, NOON + HOUR - SECOND).time is None
    assert turn(HOURLY, RETRIES, "shop", passes, NOON + 2 * RETRIES.backoff * SECOND).time == NOON


def test_a_run_that_was_stopped_is_not_tried_again():
    stopped = past((NOON, 143), stopped=True)

    assert turn(HOURLY, RETRIES, "shop", stopped, NOON + HOUR - SECOND).time is None


def test_a_flow_waits_since_the_first_of_the_times_that_it_missed():
    missed = past((NOON - 3 * HOUR, 0))

    assert due_since(HOURLY, missed, NOON) == NOON - 2 * HOUR
    assert due_since(HOURLY, past((NOON, 1)), NOON) == NOON, "tried again"


def test_who_comes_after_a_flow_waits_for_its_run_of_the_same_time_or_of_the_last_before():
    done = past((NOON - HOUR, 0))

    assert not has_had_its_run(HOURLY, done, NOON, None)
    assert has_had_its_run(HOURLY, done, NOON - HOUR / 4, None)
    assert has_had_its_run(HOURLY, past((NOON - HOUR, 0), (NOON, 0)), NOON, None)


@pytest.mark.parametrize(("exit_code", "stopped"), [(1, False), (4, False), (None, False), (143, True)])
def test_a_run_that_did_not_end_well_is_none_for_those_that_come_after(exit_code, stopped):
    assert not has_had_its_run(HOURLY, past((NOON, exit_code), stopped=stopped), NOON, None)


def test_a_run_by_hand_counts_for_those_that_come_after_if_it_started_since_the_time():
    by_hand = past((NOON - HOUR, 0), (None, 0))

    assert has_had_its_run(HOURLY, by_hand, NOON, None)
    assert not has_had_its_run(HOURLY, by_hand, NOON + HOUR, None)


def test_a_flow_that_was_not_due_since_its_schedule_began_is_not_waited_for():
    assert has_had_its_run(HOURLY, Past.of(NOON, []), NOON + HOUR / 2, None)
    assert not has_had_its_run(HOURLY, Past.of(NOON, []), NOON + HOUR, None)


def test_a_flow_without_a_schedule_has_had_its_run_when_it_ran_well_since_those_after_it_did():
    by_hand = past((None, 0))

    assert has_had_its_run(None, by_hand, NOON + HOUR, None)
    assert has_had_its_run(None, by_hand, NOON + HOUR, NOON)
    assert not has_had_its_run(None, by_hand, NOON + HOUR, NOON + SECOND)
