"""Which due times count, also when nobody was there for hours and the clock was wrong: for a year, time by time,
against a list of them all."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.cadence.due import GRACE, due_now
from orchestrator.cadence.times import delay, next_after
from orchestrator.config import CatchUp, Schedule

START = datetime(2026, 1, 1, 12, 0, 30, tzinfo=UTC)
NOON, SECOND = datetime(2026, 6, 1, 12, tzinfo=UTC), timedelta(seconds=1)


def hourly(catch_up: CatchUp, jitter: float = 0.0) -> Schedule:
    return Schedule(every=3600.0, catch_up=catch_up, jitter=jitter)


@pytest.mark.parametrize(
    ("catch_up", "counts"), [(CatchUp.NONE, None), (CatchUp.ONE, NOON), (CatchUp.ALL, NOON - timedelta(hours=2))]
)
def test_of_times_that_were_missed_those_count_that_the_rule_says(catch_up, counts):
    due = due_now(hourly(catch_up), "shop", NOON - timedelta(hours=3), NOON + timedelta(minutes=10))

    assert due.time == counts


@pytest.mark.parametrize("catch_up", CatchUp)
def test_a_flow_is_due_on_time_and_once(catch_up):
    assert due_now(hourly(catch_up), "shop", NOON - timedelta(hours=1), NOON - SECOND).wait == NOON
    assert due_now(hourly(catch_up), "shop", NOON - timedelta(hours=1), NOON).time == NOON
    assert due_now(hourly(catch_up), "shop", NOON, NOON).time is None
    assert due_now(hourly(catch_up), "shop", NOON, NOON).wait == NOON + timedelta(hours=1)


@pytest.mark.parametrize("catch_up", CatchUp)
def test_with_a_clock_that_was_set_back_nothing_is_due_twice(catch_up):
    due = due_now(hourly(catch_up), "shop", NOON, NOON - timedelta(minutes=59))

    assert due.time is None
    assert due.wait == NOON + timedelta(hours=1)


@pytest.mark.parametrize("catch_up", CatchUp)
def test_jitter_delays_a_time_and_does_not_lose_it(catch_up):
    schedule = hourly(catch_up, jitter=1800.0)
    late = delay(schedule, "shop", NOON)

    assert due_now(schedule, "shop", NOON - timedelta(hours=1), NOON).wait == NOON + late
    assert due_now(schedule, "shop", NOON - timedelta(hours=1), NOON + late).time == NOON


@pytest.mark.parametrize("catch_up", CatchUp)
@pytest.mark.parametrize(
    "schedule",
    [
        Schedule(every=7200.0, jitter=9000.0),
        Schedule(cron="30 2 * * *", tz="Europe/Paris"),
        Schedule(cron="*/20 1-4 * * *", tz="America/New_York", jitter=60.0),
    ],
    ids=["every", "daily", "cron"],
)
def test_in_a_year_of_suspends_and_wrong_clocks_no_time_is_lost_and_none_counts_twice(schedule, catch_up):
    schedule = replace(schedule, catch_up=catch_up)
    chance = random.Random(f"{schedule}")
    looks, started = [], []
    now, since = START, START
    while now < START + timedelta(days=365):
        due = due_now(schedule, "shop", since, now)
        looks.append(now)
        if due.time is not None:
            started.append(due.time)
            since = due.time
        else:
            sooner = now + (due.wait - now) * chance.random()
            assert due_now(schedule, "shop", since, sooner).time is None, "it slept too long"
        # Asleep until something changes or a run ends; now and then suspended, or the clock is set.
        now = max(now + SECOND, due.wait) if due.time is None else now + timedelta(seconds=chance.randrange(1, 900))
        now += timedelta(hours=chance.choices((0, chance.randrange(1, 30), 1, -1), (97, 1, 1, 1))[0])

    assert started == plainly(schedule, looks)
    assert len(started) > 300


def plainly(schedule: Schedule, looks: list[datetime]) -> list[datetime]:
    """The same from a list of all times and the words of the rule."""
    ahead, time = [], START
    while time < max(looks):
        time = next_after(schedule, time)
        ahead.append((time, time + delay(schedule, "shop", time)))
    ahead.reverse()
    waiting: list[tuple[datetime, datetime]] = []
    since, started = START, []
    for now in looks:
        while ahead and ahead[-1][0] <= now:
            waiting.append(ahead.pop())
        waiting = [each for each in waiting if each[0] > since]
        if schedule.catch_up is CatchUp.ALL:
            counting = waiting[:1] if waiting and waiting[0][1] <= now else []
        else:
            counting = [each for each in waiting if each[1] <= now][-1:]
        if schedule.catch_up is CatchUp.NONE:
            counting = [each for each in counting if now - each[1] <= GRACE]
        for time, _ in counting:
            started.append(time)
            since = time
    return started
