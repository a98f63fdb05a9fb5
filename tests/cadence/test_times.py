"""The times at which a schedule is due, in every zone and on nights when the clocks change."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.cadence.times import coming, delay, latest_until, next_after
from orchestrator.config import Schedule

MOMENTS = st.integers(0, 2**31).map(lambda seconds: datetime.fromtimestamp(seconds + 0.25, UTC))
SCHEDULES = st.one_of(
    st.integers(1, 10**7).map(lambda seconds: Schedule(every=float(seconds))),
    st.builds(
        lambda cron, tz: Schedule(cron=cron, tz=tz),
        st.sampled_from(["* * * * *", "30 2 * * *", "*/7 1-4 * * 0", "0 0 29 2 *", "15 3 1 * 5", "59 23 31 12 *"]),
        st.sampled_from(["UTC", "Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    ),
)


def times(schedule: Schedule, start: datetime, count: int) -> list[str]:
    return [time.isoformat() for time in coming(schedule, start, count)]


@given(SCHEDULES, MOMENTS)
def test_between_the_last_due_time_and_the_next_there_is_none(schedule, moment):
    last, coming = latest_until(schedule, moment), next_after(schedule, moment)

    assert last <= moment < coming
    assert next_after(schedule, last) == coming
    assert latest_until(schedule, coming) == coming


def test_an_interval_does_not_depend_on_when_it_was_started():
    quarter = Schedule(every=900.0)

    assert times(quarter, datetime(2026, 1, 1, 9, 7, 13, tzinfo=UTC), 2) == [
        "2026-01-01T09:15:00+00:00",
        "2026-01-01T09:30:00+00:00",
    ]


@pytest.mark.parametrize(
    ("night", "due"),
    [
        (datetime(2026, 3, 28, 12, tzinfo=UTC), ["2026-03-29T01:00:00+00:00", "2026-03-30T00:30:00+00:00"]),
        (datetime(2026, 10, 24, 12, tzinfo=UTC), ["2026-10-25T00:30:00+00:00", "2026-10-26T01:30:00+00:00"]),
    ],
    ids=["the hour is left out", "the hour comes twice"],
)
def test_a_daily_time_comes_once_in_a_night_when_the_clocks_change(night, due):
    assert times(Schedule(cron="30 2 * * *", tz="Europe/Paris"), night, 2) == due


@given(st.integers(1, 3600), st.text(max_size=8), MOMENTS)
def test_a_flow_starts_within_its_jitter_and_always_at_the_same_moment(jitter, flow, due):
    late = delay(Schedule(every=3600.0, jitter=float(jitter)), flow, due)

    assert timedelta(0) <= late < timedelta(seconds=jitter)
    assert late == delay(Schedule(every=3600.0, jitter=float(jitter)), flow, due)


def test_flows_that_are_due_together_start_apart():
    schedule, due = Schedule(every=3600.0, jitter=600.0), datetime(2026, 1, 1, tzinfo=UTC)

    starts = sorted(delay(schedule, f"flow-{number}", due) for number in range(100))

    assert len(set(starts)) == 100
    assert starts[9] < timedelta(minutes=2) < timedelta(minutes=8) < starts[90]
