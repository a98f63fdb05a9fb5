"""What starts next of the flows that are due, and why the others wait."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.cadence.queue import DueFlow, choose

NOON, MINUTE = datetime(2026, 6, 1, 12, tzinfo=UTC), timedelta(minutes=1)
WORKER, GITLAB, LAKE = "a worker", "tap gitlab", "destination lake"


def due(flow: str, *takes: str, minutes: int = 0, priority: int = 0, awaits: str | None = None) -> DueFlow:
    return DueFlow(flow, NOON, NOON - minutes * MINUTE, priority, (*takes, WORKER), awaits)


def chosen(flows: list[DueFlow], *at_work: tuple[str, ...], **most: int) -> tuple[list[str], dict[str, str]]:
    limits = {{"workers": WORKER, "gitlab": GITLAB, "lake": LAKE}[name]: count for name, count in most.items()}
    choice = choose(flows, at_work, limits)
    return [each.flow for each in choice.starts], {each.due.flow: each.waits_for for each in choice.waits}


def test_who_has_been_due_for_longest_goes_first_and_the_others_wait_for_a_worker():
    flows = [due("new"), due("old", minutes=9), due("older", minutes=10)]

    assert chosen(flows, (WORKER,), workers=3) == (["older", "old"], {"new": "a worker (3 at work)"})


def test_priority_goes_before_waiting():
    flows = [due("old", minutes=600), due("vital", priority=1), due("never mind", minutes=900, priority=-1)]

    assert chosen(flows, workers=2)[0] == ["vital", "old"]


def test_so_many_runs_of_a_tap_are_at_work_as_it_allows_and_keep_nobody_else_waiting():
    flows = [due("a", GITLAB, minutes=3), due("b", GITLAB, minutes=2), due("c", "tap pg", minutes=1)]

    assert chosen(flows, workers=9, gitlab=1) == (["a", "c"], {"b": "tap gitlab (1 at work)"})
    assert chosen(flows, (GITLAB, WORKER), workers=9, gitlab=1)[0] == ["c"]


def test_a_run_that_somebody_started_by_hand_counts_for_its_tap_and_takes_no_worker():
    assert chosen([due("a", GITLAB), due("b")], (GITLAB,), workers=1, gitlab=1)[0] == ["b"]


def test_who_comes_after_somebody_takes_nothing_while_it_waits():
    flows = [due("later", minutes=9, awaits="orders"), due("other")]

    assert chosen(flows, workers=1) == (["other"], {"later": "orders"})


def test_more_at_work_than_there_may_be_start_nothing():
    assert chosen([due("a")], (WORKER,), (WORKER,), workers=1)[0] == []


@pytest.mark.parametrize("seed", range(200))
def test_nothing_is_taken_twice_and_nobody_waits_for_what_is_free(seed):
    lots = random.Random(seed)
    things = [WORKER, GITLAB, LAKE, "tap pg"]
    most = {thing: lots.randrange(1, 5) for thing in things if lots.random() < 0.7}
    at_work = [lots.sample(things, lots.randrange(4)) for _ in range(lots.randrange(4))]
    flows = [
        DueFlow(
            f"{number}",
            NOON,
            NOON - lots.randrange(9) * MINUTE,
            lots.randrange(3),
            lots.sample(things, lots.randrange(4)),
            lots.choice([None, None, "somebody"]),
        )
        for number in range(lots.randrange(12))
    ]

    choice = choose(flows, at_work, most)

    # One after the other, by the rule: whoever finds all that it takes, takes it.
    taken = Counter(thing for takes in at_work for thing in takes)
    started = []
    for flow in sorted(flows, key=lambda flow: (-flow.priority, flow.since, flow.flow)):
        if flow.awaits is None and all(taken[thing] < most.get(thing, 99) for thing in flow.takes):
            started.append(flow)
            taken.update(flow.takes)
    assert list(choice.starts) == started
    assert {each.due.flow for each in choice.waits} == {flow.flow for flow in flows} - {flow.flow for flow in started}
