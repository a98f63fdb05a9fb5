"""A commit closes at a STATE, or at a clean end of the tap, and never elsewhere."""

import sys

import pytest

from orchestrator.load import commit as commits
from orchestrator.load.batch import Batch
from orchestrator.load.commit import Activation, Checkpoint, Commit, Counted, commit_after, is_empty
from orchestrator.protocol.messages import Schema, Silence, Unknown
from tests.load.settling import batches, rows, settled, steps
from tests.protocol.saying import activate, record, schema, state

ORDERS = schema("orders", ("id",), id="integer")
USERS = schema("users", ("id",), id="integer")


def order(id, **more):
    return record("orders", id=id, **more)


def user(id):
    return record("users", id=id)


def checkpoints(steps):
    return [step for step in steps if isinstance(step, Checkpoint)]


# ── when ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_commit_closes_at_the_first_state_after_enough_rows():
    said = [order(1), state(1), order(2), order(3), state(3), order(4), state(4)]

    assert settled(steps(ORDERS, *said, rows=2)) == [
        ("orders", [1, 2, 3]),
        (b"3", {"orders": 3}),
        ("orders", [4]),
        (b"4", {"orders": 1}),
    ]


def test_a_commit_closes_at_the_first_state_after_enough_seconds():
    said = [order(1), state(1), 9, order(2), state(2), 1, order(3), state(3), 9, order(4), state(4)]

    assert [(step.state, step.rows) for step in checkpoints(steps(ORDERS, *said, seconds=10))] == [
        (b"3", {"orders": 3}),
        (b"4", {"orders": 1}),
    ]


def test_a_tap_that_falls_silent_after_a_state_has_it_committed_when_its_time_has_come():
    said = [order(1), state(1), None, 10, None, 10, None]

    found = checkpoints(steps(ORDERS, *said, seconds=10))

    assert [(step.state, step.rows, step.ended) for step in found] == [(b"1", {"orders": 1}, False), (b"1", {}, True)]


def test_rows_after_the_last_state_wait_for_the_next_one_however_long_the_tap_is_silent():
    said = [state(1), order(1), 1000, None, None, order(2), state(2)]

    assert [step.state for step in checkpoints(steps(ORDERS, *said, rows=1, seconds=1))] == [b"2", b"2"]


def test_nothing_is_committed_without_a_state_before_the_end():
    said = [order(id) for id in range(10)]

    assert settled(steps(ORDERS, *said, rows=1, seconds=0)) == [
        ("orders", list(range(10))),
        (None, {"orders": 10}),
    ]


def test_a_clean_end_commits_what_came_after_the_last_state():
    (found,) = checkpoints(steps(ORDERS, order(1), state(1), order(2)))

    assert (found.state, found.rows, found.ended) == (b"1", {"orders": 2}, True)


def test_a_state_without_rows_is_committed_too():
    assert [step.state for step in checkpoints(steps(state(1), 10, state(2), state(3), seconds=10))] == [b"2", b"3"]


def test_the_latest_state_replaces_those_before_it():
    assert settled(steps(state({"a": 1}), state({"b": 2}))) == [(b'{"b": 2}', {})]


def test_who_is_in_a_hurry_commits_at_the_next_state():
    hurried = iter([False, True, False])

    found = checkpoints(steps(ORDERS, *map(state, range(3)), hurry=lambda: next(hurried)))

    assert [step.state for step in found] == [b"1", b"2"]


def test_what_breaks_off_is_not_committed():
    with pytest.raises(ValueError, match="broke off"):
        list(commits.checkpoints(breaking_off(), commits.CommitPolicy(1, 1), table_of=never, clock=float, now=int))


def breaking_off():
    yield Silence()
    raise ValueError("broke off")


def never(schema):
    raise AssertionError


# ── which rows ───────────────────────────────────────────────────────────────────────────────────


def test_a_stream_with_a_schema_and_no_rows_gives_an_empty_batch_once():
    found = settled(steps(ORDERS, state(1), ORDERS, state(2), rows=0))

    assert found == [("orders", []), (b"1", {}), (b"2", {}), (b"2", {})]


def test_a_state_after_every_record_does_not_make_a_batch_of_every_record():
    said = [said for id in range(50) for said in (order(id), state(id))]

    assert settled(steps(ORDERS, *said)) == [("orders", list(range(50))), (b"49", {"orders": 50})]


def test_interleaved_streams_become_one_batch_each():
    said = [said for id in range(50) for said in (order(id), user(-id), state(id))]

    (orders, users), (found,) = batches(steps(ORDERS, USERS, *said)), checkpoints(steps(ORDERS, USERS, *said))

    assert (rows(orders, "id"), rows(users, "id")) == (list(range(50)), [-id for id in range(50)])
    assert found.rows == {"orders": 50, "users": 50}
    # Rows that were put together keep the place in which each of them came.
    assert rows(orders, "_sdc_sequence") == list(range(1, 101, 2))
    assert rows(users, "_sdc_sequence") == list(range(2, 101, 2))


def test_a_schema_that_changes_leaves_the_records_before_it_as_they_were():
    said = [order(1), schema("orders", ("id",), id="string"), order("b"), state(1)]

    first, second = batches(steps(ORDERS, *said))

    assert (str(first.table.columns[0].type), rows(first, "id")) == ("integer", [1])
    assert (str(second.table.columns[0].type), rows(second, "id")) == ("text", ["b"])


def test_a_key_that_changes_goes_with_the_records_after_it():
    said = [order(1), schema("orders", (), id="integer"), order(None), state(1)]

    assert [batch.table.key for batch in batches(steps(ORDERS, *said))] == [("id",), ()]


def test_many_rows_are_staged_before_their_commit(monkeypatch):
    monkeypatch.setattr(commits, "ROWS_A_BATCH", 10)
    monkeypatch.setattr(commits, "_ROWS_A_CHUNK", 4)
    said = [said for id in range(25) for said in (order(id), user(id))]

    found = settled(steps(ORDERS, USERS, *said))

    assert [(stream, len(ids)) for stream, ids in found[:-1]] == [
        ("orders", 12),
        ("users", 12),
        ("orders", 12),
        ("users", 12),
        ("orders", 1),
        ("users", 1),
    ]
    assert found[-1] == (None, {"orders": 25, "users": 25})


def test_large_rows_are_staged_before_they_are_many_and_those_of_other_streams_with_them(monkeypatch):
    monkeypatch.setattr(commits, "BYTES_GATHERED", 10_000)
    monkeypatch.setattr(commits, "_BYTES_WAITING", 5_000)
    long = [order(id, name="x" * 1000) for id in range(30)]

    found = batches(steps(ORDERS, USERS, user(1), *long))

    assert [batch.table.stream for batch in found][:2] == ["orders", "users"]
    assert all(batch.rows.num_rows < 12 for batch in found)
    assert len(found) < 6


def test_what_waits_costs_no_more_when_more_of_it_waits():
    few, many = (
        calls(
            lambda number=number: list(
                steps(ORDERS, *(said for id in range(number) for said in (order(id), state(id))))
            )
        )
        for number in (500, 2000)
    )

    assert many < 5 * few


def calls(work):
    """How many functions are called while `work` is done."""
    counted = 0

    def count(frame, event, argument):
        nonlocal counted
        counted += 1

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return counted


# ── sequence, versions and what passes through ───────────────────────────────────────────────────


def test_the_sequence_goes_on_from_the_last_row_that_settled():
    said = [order(1), state(1), order(2), state(2)]

    assert [rows(batch, "_sdc_sequence") for batch in batches(steps(ORDERS, *said, rows=1, sequence=41))] == [
        [42],
        [43],
    ]
    assert [step.sequence for step in checkpoints(steps(ORDERS, *said, rows=1, sequence=41))] == [42, 43, 43]


def test_an_activation_counts_for_the_rows_before_it():
    said = [activate("orders", 7), order(1), user(1), activate("orders", 8), order(2), state(2), activate("users", 9)]

    first, last = checkpoints(steps(ORDERS, USERS, *said, rows=1))

    assert first.activations == (Activation("orders", 7, 0), Activation("orders", 8, 2))
    assert last.activations == (Activation("users", 9, 3),)


def test_an_activation_waits_for_a_state_as_rows_do():
    said = [order(1), state(1), activate("orders", 7), None, state(2)]

    found = checkpoints(steps(ORDERS, *said, rows=1, seconds=0))

    assert [(step.state, len(step.activations)) for step in found] == [(b"1", 0), (b"2", 1), (b"2", 0)]


def test_what_others_want_to_know_passes_through_in_order():
    said = [ORDERS, order(1), {"type": "LOG"}, None]

    found = [step for step in steps(*said) if not isinstance(step, Batch | Checkpoint)]

    assert [type(step) for step in found] == [Schema, Counted, Unknown, Silence]
    assert found[1:3] == [Counted("orders", 1), Unknown("LOG")]


# ── commits ──────────────────────────────────────────────────────────────────────────────────────


def commit(last, checkpoint, **gathering):
    return commit_after(last, checkpoint, flow="shop", run=3, at="2024-02-29T00:00:00Z", gathering=gathering)


FIRST = Commit("shop", 1, 2, "2024-02-28T00:00:00Z", b'{"id": 1}', {"orders": 1}, 10)


def test_commits_are_numbered_from_one_without_gaps():
    assert commit(None, Checkpoint(b"1", {}, 0)).number == 1
    assert commit(FIRST, Checkpoint(b"1", {"orders": 2}, 12)) == Commit(
        "shop", 2, 3, "2024-02-29T00:00:00Z", b"1", {"orders": 2}, 12
    )


@pytest.mark.parametrize("said", [None, b"{}", b" { } ", b"null", b'{"bookmarks": {}}', b'{ "bookmarks":{ } }'])
def test_an_empty_state_wipes_no_bookmark(said):
    assert commit(FIRST, Checkpoint(said, {}, 10)).state == FIRST.state
    assert commit(None, Checkpoint(said, {}, 10)).state == said


@pytest.mark.parametrize("said", [b"0", b"false", b"[]", b'""', b'{"a": null}', b'{"bookmarks": {"a": {}}}'])
def test_a_state_that_remembers_anything_is_not_empty(said):
    assert not is_empty(said)
    assert commit(FIRST, Checkpoint(said, {}, 10)).state == said


def test_what_is_gathered_anew_is_published_at_the_clean_end():
    during = commit(FIRST, Checkpoint(b"1", {}, 10), orders=3)
    at_the_end = commit(FIRST, Checkpoint(b"1", {}, 10, ended=True), orders=3)

    assert (during.gathering, during.publish) == ({"orders": 3}, {})
    assert (at_the_end.gathering, at_the_end.publish) == ({}, {"orders": 3})
