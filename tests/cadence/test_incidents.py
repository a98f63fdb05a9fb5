"""What there is to tell of a flow: each trouble once, and once that it is over."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.cadence.incidents import Incident, Known, Sight, incidents
from orchestrator.cadence.turn import Attempt, Past
from orchestrator.config import Flow, Occasion, Retries, Schedule

HOURLY = Flow("shop", "tap", "warehouse", schedule=Schedule(every=3600), retries=Retries(attempts=3))
BY_HAND = replace(HOURLY, schedule=None)
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
NOBODY = Known()


def ended(code, minutes=0, *, due=NOON, stopped=False):
    at = NOON + timedelta(minutes=minutes)
    return Attempt(due, at, at, code, stopped)


def seen(flow, known, *attempts, minutes=1.0, committed=NOON, **more):
    """What is told so many minutes after noon, and what is known then."""
    past = Past.of(NOON - timedelta(hours=1), attempts)
    told, after = incidents(flow, known, Sight(NOON + timedelta(minutes=minutes), past, committed, **more))
    return [incident.occasion.value for incident in told], after


def test_a_run_that_a_person_started_fails_at_once():
    told, known = seen(BY_HAND, NOBODY, ended(1, due=None))

    assert told == ["failed"]
    assert seen(BY_HAND, known, ended(1, due=None)) == ([], known)


@pytest.mark.parametrize(("failures", "told"), [(1, []), (2, []), (3, ["failed"])])
def test_a_scheduled_run_has_failed_when_it_is_not_tried_again(failures, told):
    assert seen(HOURLY, NOBODY, *(ended(1, n) for n in range(failures)))[0] == told


@pytest.mark.parametrize("code", [2, 4, 8])
def test_what_trying_again_does_not_mend_is_told_at_once(code):
    assert seen(HOURLY, NOBODY, ended(code))[0] == ["failed"]


def test_a_run_that_was_killed_is_tried_again_and_then_told():
    assert seen(HOURLY, NOBODY, ended(None), ended(None, 1))[0] == []
    assert seen(HOURLY, NOBODY, ended(None), ended(None, 1), ended(None, 2))[0] == ["failed"]


def test_it_is_late_a_minute_after_it_should_have_begun_and_told_once():
    last = ended(0, -60, due=NOON - timedelta(hours=1))
    assert seen(HOURLY, NOBODY, last, minutes=0.9, committed=last.ended)[0] == []

    told, known = seen(HOURLY, NOBODY, last, minutes=2, committed=last.ended)

    assert told == ["late"]
    assert seen(HOURLY, known, last, minutes=70, committed=last.ended)[0] == []


def test_a_run_at_work_is_not_late_before_the_flow_is_due_again_unless_its_freshness_says_so():
    before, begun = NOON - timedelta(hours=2), NOON + timedelta(seconds=5)
    fresh = replace(HOURLY, freshness=3600.0)

    assert seen(HOURLY, NOBODY, minutes=59, committed=before, at_work=begun)[0] == []
    assert seen(HOURLY, NOBODY, minutes=62, committed=before, at_work=begun)[0] == ["late"]
    assert seen(fresh, NOBODY, minutes=1, committed=before, at_work=begun)[0] == ["late"]


def test_one_that_is_failing_is_not_late_as_well():
    assert seen(HOURLY, NOBODY, ended(1), minutes=30, committed=NOON - timedelta(hours=5))[0] == []


def test_its_end_is_told_once_with_all_that_is_over():
    _, known = seen(HOURLY, NOBODY, ended(4), committed=NOON - timedelta(hours=3))
    told, known = seen(HOURLY, known, ended(4), committed=NOON - timedelta(hours=3), paused=True)
    assert told == ["paused"]
    assert seen(HOURLY, known, ended(4), minutes=9)[0] == []

    past = Past.of(NOON, [ended(4), ended(0, 10)])
    (over,), after = incidents(HOURLY, known, Sight(NOON + timedelta(minutes=11), past, NOON))

    assert over == Incident("shop", Occasion.RECOVERED, NOON, frozenset({Occasion.FAILED, Occasion.PAUSED}))
    assert seen(HOURLY, after, ended(4), ended(0, 10), minutes=12)[0] == []


def test_to_be_stopped_is_neither_a_trouble_nor_the_end_of_one():
    stopped = ended(143, 5, stopped=True)
    assert seen(HOURLY, NOBODY, stopped)[0] == []

    _, known = seen(HOURLY, NOBODY, ended(4))

    assert seen(HOURLY, known, ended(4), stopped)[0] == []


def test_a_new_trouble_after_a_recovery_is_told_again():
    _, known = seen(BY_HAND, NOBODY, ended(1))
    told, known = seen(BY_HAND, known, ended(1), ended(0, 1))
    assert told == ["recovered"]

    assert seen(BY_HAND, known, ended(1), ended(0, 1), ended(1, 2))[0] == ["failed"]


@given(st.lists(st.tuples(st.sampled_from([0, 1, 4, 143]), st.booleans()), min_size=1, max_size=40))
def test_troubles_and_recoveries_take_turns_whatever_happens(history):
    known, attempts = NOBODY, []
    lasting: set[str] = set()
    for step, (code, paused) in enumerate(history):
        attempts.append(ended(code, step, stopped=code == 143))
        told, known = seen(HOURLY, known, *attempts, minutes=step, paused=paused)
        for occasion in told:
            if occasion == "recovered":
                assert lasting
                lasting.clear()
            else:
                assert occasion not in lasting
                lasting.add(occasion)
        assert lasting == {occasion.value for occasion in known.troubles}
