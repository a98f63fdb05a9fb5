"""Which streams gather their rows unseen, from one run to the next."""

import pytest

from orchestrator.load.generations import Generations


def generations(run=5, gathering=None, afresh=frozenset(), ids=None):
    return Generations(run, gathering or {}, afresh, ids or {})


@pytest.mark.parametrize(("replaces", "expected"), [(False, None), (True, 5)])
def test_a_stream_gathers_anew_when_each_run_replaces_its_rows(replaces, expected):
    assert generations().announce("orders", replaces=replaces) == expected


def test_a_stream_goes_on_with_what_was_gathered_before_a_run_broke_off():
    assert generations(gathering={"orders": 3}).announce("orders", replaces=True) == 3
    assert generations(gathering={"orders": 3}).announce("users", replaces=True) == 5


def test_a_stream_that_is_asked_for_afresh_begins_anew_even_then():
    asked = generations(gathering={"orders": 3, "users": 3}, afresh=frozenset({"orders"}))

    assert (asked.announce("orders", replaces=False), asked.announce("users", replaces=False)) == (5, 3)


def test_everything_afresh_means_every_stream_that_is_announced():
    asked = generations(gathering={"orders": 3}, afresh=None)

    assert asked.announce("orders", replaces=False) == asked.announce("users", replaces=False) == 5


def test_a_stream_that_is_announced_again_stays_where_it_is():
    asked = generations()

    assert asked.announce("orders", replaces=True) == asked.announce("orders", replaces=False) == 5


def test_a_clean_end_shows_what_was_announced_and_keeps_the_rest_waiting():
    asked = generations(gathering={"users": 3}, afresh=frozenset({"orders"}))
    asked.announce("orders", replaces=False)

    assert asked.announced() == {"orders": 5}
    assert asked.awaited(ended=True) == {"users": 3}


def test_a_stream_that_a_refresh_of_everything_did_not_come_to_is_awaited_by_name_after_the_end():
    asked = generations(afresh=None, ids={"orders": "shop-orders", "users": "shop-users"})
    asked.announce("orders", replaces=False)

    assert asked.announced() == {"orders": 5}
    assert asked.awaited(ended=True) == {"shop-users": 5}
    assert set(asked.awaited(ended=False).values()) == {5}


def test_a_stream_that_is_called_like_a_pattern_is_one_stream():
    asked = generations(gathering={"*": 3})

    assert asked.announce("orders", replaces=False) is None
    assert asked.awaited(ended=True) == {"*": 3}
    assert asked.announce("*", replaces=False) == 3
