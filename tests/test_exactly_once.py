"""`kill -9` of a run, of its tap, of both, and then another run: every row is there, and exactly once."""

import random

import pytest

from orchestrator.failpoints import Step
from tests.faults.kills import DESTINATIONS, at_a_stop, at_edges, at_moments, course_of, edges_once, moments

MOMENTS = 50
STOPS = 5
PARTS = 3


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("destination", DESTINATIONS)
def test_every_row_is_there_exactly_once_after_kill_9_at_any_step(tmp_path, destination, part):
    """Before and after each step, of each kind of file."""
    blows = edges_once(destination, random.Random(destination))

    ordeal = at_edges(tmp_path, destination, blows[part::PARTS], random.Random(part))

    assert ordeal.found == []


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("destination", DESTINATIONS)
def test_every_row_is_there_exactly_once_after_kill_9_at_any_moment(tmp_path, destination, part):
    """The moments of all tests together are spread over the whole run, one in each fiftieth of it."""
    blows = moments(MOMENTS, random.Random(destination))

    ordeal = at_moments(tmp_path, destination, blows[part::PARTS], random.Random(part))

    assert ordeal.found == []


@pytest.mark.parametrize("destination", DESTINATIONS)
def test_every_row_is_there_exactly_once_after_a_run_was_stopped_at_any_moment(tmp_path, destination):
    ordeal = at_a_stop(tmp_path, destination, moments(STOPS, random.Random(destination)), random.Random(0))

    assert ordeal.found == []


def test_no_step_is_left_out():
    reached = {edge for destination in DESTINATIONS for edge in course_of(destination).edges}

    of_steps = {" ".join(edge.split(" ")[:2]) for edge in reached}
    assert of_steps == {f"{moment} {step}" for moment in ("before", "after") for step in Step}
