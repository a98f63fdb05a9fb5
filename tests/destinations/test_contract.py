"""What every destination promises. Each test is run against each of them."""

import random
import time
from dataclasses import replace
from decimal import Decimal

import pytest

from orchestrator.errors import CommitConflict, CountMismatch
from orchestrator.load.commit import Commit, Rewind, commit_after
from orchestrator.load.table import OUR_NAMES
from tests.destinations.landing import (
    FLOW,
    OtherProcess,
    activate,
    land,
    record,
    rows,
    schema,
    stage,
    state,
    types,
    versioned,
)

USERS = schema("users", ["id"], id="integer", name="string")
EVENTS = schema("events", what="string")


def user(id, name):
    return record("users", id=id, name=name)


def event(what):
    return record("events", what=what)


# ── a commit ─────────────────────────────────────────────────────────────────────────────────────


def test_nothing_is_visible_before_the_commit(place, destination):
    stage(destination, USERS, user(1, "Ada"), state(1))

    assert place.tables() == []
    assert destination.last_commit(FLOW) is None


def test_rows_and_state_settle_together(place, destination):
    land(destination, USERS, EVENTS, user(1, "Ada"), event("login"), state({"at": 1}))

    assert rows(place, "users") == [(1, "Ada")]
    assert rows(place, "events") == [("login",)]
    assert destination.last_commit(FLOW).state == b'{"at": 1}'


def test_close_forgets_what_was_staged(place):
    with place.open() as destination:
        land(destination, USERS, user(1, "Ada"))
        stage(destination, USERS, user(2, "Bob"))

    with place.open() as destination:
        land(destination, USERS, user(3, "Cy"))
    assert rows(place, "users") == [(1, "Ada"), (3, "Cy")]


def test_a_destination_can_be_used_again_after_close(place, destination):
    stage(destination, USERS, user(1, "Ada"))
    destination.close()
    land(destination, USERS, user(2, "Bob"))

    assert rows(place, "users") == [(2, "Bob")]


def test_nothing_is_made_where_nothing_is_yet(place, tmp_path):
    with place.open() as destination:
        assert destination.last_commit(FLOW) is None

    assert list(tmp_path.iterdir()) == []


def test_the_last_commit_is_known_across_processes(place):
    with place.open() as destination:
        land(
            destination, USERS, user(1, "Ada"), state(1), user(2, "Bob"), state(2), user(3, "Cy"), commit_rows=1, run=7
        )

    with place.open() as destination:
        last = destination.last_commit(FLOW)
    assert last == Commit(FLOW, 3, 7, "2026-11-21T03:00:00.000Z", b"2", {"users": 1}, 3)


def test_flows_are_kept_apart(place, destination):
    land(destination, USERS, user(1, "Ada"), state("ours"))
    land(destination, USERS, user(1, "Eve"), state("theirs"), flow="other")

    assert rows(place, "users") == [(1, "Ada")]
    assert destination.last_commit(FLOW).state == b'"ours"'
    assert destination.last_commit("other").state == b'"theirs"'
    assert len(place.tables()) == 2


@pytest.mark.parametrize(
    "text",
    ["{}", "0", "null", "false", "[]", "[1, 2]", '"é\\u0000"', '{"n":1.00,"big":123456789012345678901234567890}'],
)
def test_a_state_is_kept_word_for_word(destination, text):
    last = land(destination, USERS)
    destination.commit(Commit(FLOW, last.number + 1, 1, last.at, text.encode(), {}, last.sequence))

    assert destination.last_commit(FLOW).state == text.encode()


def test_no_state_is_no_state(destination):
    land(destination, USERS, user(1, "Ada"))

    assert destination.last_commit(FLOW).state is None


def test_a_stream_without_rows_has_its_table(place, destination):
    land(destination, USERS, state(1))

    assert rows(place, "users", "id", "name") == []


def test_a_schema_without_properties_lands_too(place, destination):
    land(destination, schema("bare"), record("bare"), record("bare"))

    assert len(place.query("bare", "SELECT _sdc_sequence")) == 2


def test_a_key_may_come_before_any_column_of_it(place, destination):
    bare = schema("bare", ["id"])
    land(destination, bare)
    land(destination, bare, record("bare", id=1, n=1), record("bare", id=1, n=2))
    land(destination, bare)
    land(destination, bare, record("bare", id=1, n=3))

    assert rows(place, "bare", "id", "n") == [("1", "3")]


def test_our_columns_tell_when_a_row_came(place, destination):
    text = b'{"type":"SCHEMA","stream":"events","schema":{"properties":{}}}\n' + (
        b'{"type":"RECORD","stream":"events","record":{},"time_extracted":"2026-01-02T03:04:05Z","version":9}\n'
    )
    land(destination, text=text)

    assert types(place, "events") == {
        "_sdc_extracted_at": "TIMESTAMP WITH TIME ZONE",
        "_sdc_received_at": "TIMESTAMP WITH TIME ZONE",
        "_sdc_batched_at": "TIMESTAMP WITH TIME ZONE",
        "_sdc_deleted_at": "TIMESTAMP WITH TIME ZONE",
        "_sdc_sequence": "BIGINT",
        "_sdc_table_version": "BIGINT",
    }
    assert place.query("events", "SELECT _sdc_extracted_at::VARCHAR, _sdc_sequence, _sdc_table_version") == [
        ("2026-01-02 03:04:05+00", 1, 9)
    ]


def test_a_commit_that_another_process_wrote_first_is_a_conflict(place, destination):
    land(destination, USERS, user(1, "Ada"), state(1))
    checkpoint = stage(destination, USERS, user(2, "Bob"), state(2))
    ours = commit_after(destination.last_commit(FLOW), checkpoint, flow=FLOW, run=2, at="", gathering={})
    with place.open() as other:
        land(other, USERS, user(3, "Cy"), state(3))

    with pytest.raises(CommitConflict, match="already holds commit 2 of shop"):
        destination.commit(ours)
    assert rows(place, "users") == [(1, "Ada"), (3, "Cy")]


def test_a_commit_that_counts_other_rows_than_were_staged_is_refused(place, destination):
    checkpoint = stage(destination, USERS, user(1, "Ada"))
    wrong = commit_after(None, replace(checkpoint, rows={"users": 2}), flow=FLOW, run=1, at="", gathering={})

    with pytest.raises(CountMismatch, match=r"counts {'users': 2} rows, but {'users': 1} were staged"):
        destination.commit(wrong)
    assert place.tables() == []


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────


def test_rows_without_a_key_are_all_kept(place, destination):
    land(destination, EVENTS, event("login"), event("login"))
    land(destination, EVENTS, event("login"))

    assert rows(place, "events") == [("login",)] * 3


def test_the_last_row_of_a_key_wins_within_a_batch(place, destination):
    land(destination, USERS, user(1, "Ada"), user(2, "Bob"), user(1, "Eve"))

    assert rows(place, "users") == [(2, "Bob"), (1, "Eve")]


def test_the_last_row_of_a_key_wins_across_batches_of_a_commit(place, destination):
    wider = schema("users", ["id"], id="integer", name="string", age="integer")
    land(destination, USERS, user(1, "Ada"), wider, record("users", id=1, age=3), user(2, "Bob"))

    assert rows(place, "users", "id", "name", "age") == [(1, None, 3), (2, "Bob", None)]


def test_the_last_row_of_a_key_wins_across_commits(place, destination):
    land(destination, USERS, user(1, "Ada"), user(2, "Bob"), state(1), user(1, "Eve"), state(2), commit_rows=1)

    assert rows(place, "users") == [(2, "Bob"), (1, "Eve")]


def test_a_row_is_replaced_whole(place, destination):
    land(destination, USERS, user(1, "Ada"))
    land(destination, USERS, record("users", id=1))

    assert rows(place, "users") == [(1, None)]


def test_keys_of_several_columns_are_compared_as_values(place, destination):
    words = schema("words", ["a", "b"], a="string", b="integer", n="integer")
    land(destination, words, *(record("words", a=a, b=b, n=1) for a in ("", "x") for b in (0, 1)))
    land(destination, words, record("words", a="", b=0, n=2), record("words", a="x", b=1, n=2))

    assert rows(place, "words") == [("", 1, 1), ("x", 0, 1), ("", 0, 2), ("x", 1, 2)]


def test_many_rows_of_many_batches_land_once_each(place, destination):
    many = schema("many", ["id"], id="integer", n="integer")
    land(destination, many, *(record("many", id=i % 20_000, n=i) for i in range(30_000)))
    land(destination, many, *(record("many", id=i * 7, n=-i) for i in range(100)))

    found = place.query("many", "SELECT count(*), count(DISTINCT id), sum(n)")
    expected = {i % 20_000: i for i in range(30_000)} | {i * 7: -i for i in range(100)}
    assert found == [(20_000, 20_000, sum(expected.values()))]


def test_a_deleted_row_goes(place, destination):
    land(destination, USERS, user(1, "Ada"), user(2, "Bob"), user(3, "Cy"))
    land(
        destination,
        USERS,
        record("users", id=1, _sdc_deleted_at="2026-01-01T00:00:00Z"),
        user(3, "Di"),
        record("users", id=3, _sdc_deleted_at="2026-01-01T00:00:00Z"),
    )

    assert rows(place, "users") == [(2, "Bob")]


def test_a_deleted_row_is_marked_when_deletes_are_soft(place, destination):
    land(destination, USERS, user(1, "Ada"), user(2, "Bob"))
    land(destination, USERS, record("users", id=1, _sdc_deleted_at="2026-01-01T00:00:00Z"), soft_delete=True)

    marked = place.query("users", "SELECT id, _sdc_deleted_at::VARCHAR")
    assert sorted(marked) == [(1, "2026-01-01 00:00:00+00"), (2, None)]


@pytest.mark.parametrize("soft_delete", [False, True])
def test_an_insert_after_a_delete_revives_the_row(place, destination, soft_delete):
    gone = record("users", id=1, _sdc_deleted_at="2026-01-01T00:00:00Z")
    land(destination, USERS, user(1, "Ada"), gone, user(1, "Eve"), soft_delete=soft_delete)
    land(destination, USERS, gone, soft_delete=soft_delete)
    land(destination, USERS, user(1, "Flo"), soft_delete=soft_delete)

    assert rows(place, "users", "id", "name", "_sdc_deleted_at") == [(1, "Flo", None)]


def test_a_delete_without_a_key_keeps_no_row(place, destination):
    land(destination, EVENTS, event("login"), record("events", what="bye", _sdc_deleted_at="2026-01-01T00:00:00Z"))

    assert rows(place, "events") == [("login",)]


# ── versions ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("announced", ["first", "last", "both"])
@pytest.mark.parametrize("key", [["id"], []])
def test_a_new_version_takes_the_place_of_the_old_one(place, destination, announced, key):
    users = schema("users", key, id="integer", name="string")
    land(destination, users, versioned(1, user(1, "Ada")), versioned(1, user(2, "Bob")), activate("users", 1))
    first = [activate("users", 2)] if announced in ("first", "both") else []
    last = [activate("users", 2)] if announced in ("last", "both") else []
    land(destination, users, *first, versioned(2, user(2, "Bea")), versioned(2, user(3, "Cy")), *last)

    assert rows(place, "users") == [(2, "Bea"), (3, "Cy")]


def test_the_same_version_again_deletes_nothing(place, destination):
    land(destination, USERS, versioned(1, user(1, "Ada")), activate("users", 1))
    land(destination, USERS, activate("users", 1), versioned(1, user(2, "Bob")), activate("users", 1))

    assert rows(place, "users") == [(1, "Ada"), (2, "Bob")]


def test_a_new_version_without_rows_empties_the_table(place, destination):
    land(destination, USERS, versioned(1, user(1, "Ada")), activate("users", 1))
    land(destination, USERS, activate("users", 2))

    assert rows(place, "users") == []
    land(destination, USERS, versioned(2, user(2, "Bob")))
    assert rows(place, "users") == [(2, "Bob")]


def test_rows_of_a_version_that_is_not_announced_stay_beside_the_old_ones(place, destination):
    land(destination, USERS, versioned(1, user(1, "Ada")), activate("users", 1))
    land(destination, USERS, versioned(2, user(2, "Bob")))

    assert rows(place, "users") == [(1, "Ada"), (2, "Bob")]


def test_an_old_version_is_marked_when_deletes_are_soft(place, destination):
    land(destination, USERS, versioned(1, user(1, "Ada")), versioned(1, user(2, "Bob")))
    land(destination, USERS, versioned(2, user(2, "Bea")), activate("users", 2), soft_delete=True)

    marked = place.query("users", "SELECT id, name, _sdc_deleted_at::VARCHAR")
    assert sorted(marked) == [(1, "Ada", "2026-11-21 03:00:00+00"), (2, "Bea", None)]


def test_a_row_that_is_marked_as_deleted_keeps_its_time(place, destination):
    gone = record("users", id=1, _sdc_deleted_at="2026-01-01T00:00:00Z")
    land(destination, USERS, versioned(1, gone), soft_delete=True)
    land(destination, USERS, versioned(2, user(2, "Bob")), activate("users", 2), soft_delete=True)

    marked = place.query("users", "SELECT id, _sdc_deleted_at::VARCHAR")
    assert sorted(marked) == [(1, "2026-01-01 00:00:00+00"), (2, None)]


def test_activating_a_stream_that_never_came_does_nothing(place, destination):
    land(destination, activate("ghosts", 1), USERS, user(1, "Ada"))

    assert place.tables() == ["users"]


# ── generations ──────────────────────────────────────────────────────────────────────────────────


def test_a_new_generation_is_unseen_until_it_is_complete(place, destination):
    land(destination, EVENTS, event("old"))
    land(destination, EVENTS, event("new"), state(1), gathering=("events",), run=2, complete=False)

    assert rows(place, "events") == [("old",)]
    assert destination.last_commit(FLOW).gathering == {"events": 2}
    land(destination, EVENTS, event("newer"), gathering=("events",), run=2)
    assert rows(place, "events") == [("new",), ("newer",)]
    assert destination.last_commit(FLOW).gathering == {}


def test_the_first_generation_of_a_stream_has_no_table_before_it_is_complete(place, destination):
    land(destination, EVENTS, event("new"), state(1), gathering=("events",), complete=False)

    assert place.tables() == []
    land(destination, EVENTS, gathering=("events",))
    assert rows(place, "events") == [("new",)]


def test_a_generation_without_rows_empties_the_table(place, destination):
    land(destination, EVENTS, event("old"))
    land(destination, EVENTS, gathering=("events",), run=2)

    assert rows(place, "events") == []


def test_an_older_generation_is_forgotten_when_a_newer_one_begins(place, destination):
    land(destination, EVENTS, event("lost"), gathering=("events",), run=1, complete=False)
    land(destination, EVENTS, event("new"), gathering=("events",), run=2)

    assert rows(place, "events") == [("new",)]


def test_a_generation_has_one_row_of_a_key_too(place, destination):
    land(destination, USERS, user(1, "Ada"), user(9, "Zoe"))
    again = [user(1, "Eve"), state(1), user(1, "Flo"), user(2, "Bob"), state(2)]
    land(destination, USERS, *again, commit_rows=1, gathering=("users",), run=2)

    assert rows(place, "users") == [(1, "Flo"), (2, "Bob")]


def test_a_generation_with_other_columns_keeps_every_value_and_every_column(place, destination):
    land(destination, schema("t", a="integer", b="integer"), record("t", a=1, b=2))
    land(destination, schema("t", a="number", c="string"), record("t", a=1.5, c="x"), gathering=("t",), run=2)

    assert rows(place, "t", "a", "b", "c") == [(1.5, None, "x")]


def test_values_of_a_generation_decide_the_type_that_holds_them(place, destination):
    land(destination, schema("t", a="number"), record("t", a=1.5))
    land(destination, schema("t", a="integer"), record("t", a=2**53 + 1), gathering=("t",), run=2)

    assert rows(place, "t") == [(Decimal(2**53 + 1),)]


def test_a_version_activated_while_a_generation_is_gathered_leaves_the_old_rows_alone(place, destination):
    land(destination, EVENTS, versioned(1, event("old")))
    fresh = [versioned(2, event("stale")), activate("events", 3), versioned(3, event("new")), state(1)]
    land(destination, EVENTS, *fresh, gathering=("events",), run=2, complete=False)

    assert rows(place, "events") == [("old",)]
    land(destination, EVENTS, gathering=("events",), run=2)
    assert rows(place, "events") == [("new",)]


# ── rewind ───────────────────────────────────────────────────────────────────────────────────────


def test_a_rewind_takes_away_only_rows_without_a_key_that_came_later(place, destination):
    first = land(destination, USERS, EVENTS, user(1, "Ada"), event("1"))
    land(destination, USERS, EVENTS, user(2, "Bob"), event("2"))
    land(destination, USERS, EVENTS, user(3, "Cy"), event("again"), rewind=Rewind(first.sequence))

    assert rows(place, "users") == [(1, "Ada"), (2, "Bob"), (3, "Cy")]
    assert rows(place, "events") == [("1",), ("again",)]


def test_a_rewind_can_end_before_later_rows(place, destination):
    first = land(destination, EVENTS, event("1"))
    second = land(destination, EVENTS, event("2"))
    land(destination, EVENTS, event("3"))
    land(destination, EVENTS, event("again"), rewind=Rewind(first.sequence, second.sequence))

    assert rows(place, "events") == [("1",), ("3",), ("again",)]


# ── shape ────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_column_is_null_in_older_rows_and_an_old_one_stays(place, destination):
    land(destination, schema("t", a="integer"), record("t", a=1))
    land(destination, schema("t", b="string"), record("t", b="x"))

    assert rows(place, "t", "a", "b") == [(1, None), (None, "x")]


def test_a_member_that_no_schema_declares_gets_a_column(place, destination):
    land(destination, EVENTS, record("events", what="login", extra={"n": 1}))

    assert rows(place, "events", "what", "extra") == [("login", '{"n": 1}')]


@pytest.mark.parametrize(
    ("first", "then", "kind", "landed"),
    [
        (("integer", 1), ("number", 1.5), "DOUBLE", [1.0, 1.5]),
        (("integer", 2**53 + 1), ("number", 1.5), "DECIMAL(38,1)", [Decimal(2**53 + 1), Decimal("1.5")]),
        (("integer", 2**60), ("number", 1e-30), "VARCHAR", [str(2**60), "1e-30"]),
        (("integer", 2**53), ("number", 1.5), "DOUBLE", [2.0**53, 1.5]),
        (("number", 1.5), ("integer", 2), "DOUBLE", [1.5, 2.0]),
        (("integer", 1), ("integer", 2**70), "DECIMAL(38,0)", [Decimal(1), Decimal(2**70)]),
        (("integer", 1), ("string", "x"), "VARCHAR", ["1", "x"]),
        (("boolean", True), ("string", "x"), "VARCHAR", ["true", "x"]),
        (("string", "x"), ("integer", 1), "VARCHAR", ["x", "1"]),
        (("string", 'a "b"'), ("object", {"n": 1}), "JSON", ['"a \\"b\\""', '{"n": 1}']),
        (("null", None), ("integer", 1), "BIGINT", [None, 1]),
        (("integer", 1), ("null", None), "BIGINT", [1, None]),
        (
            ({"type": "number", "multipleOf": 0.01}, 1.25),
            ({"type": "number", "multipleOf": 0.001}, 1.125),
            "DECIMAL(38,3)",
            [Decimal("1.250"), Decimal("1.125")],
        ),
        (
            ("number", -5293.0),
            ({"type": "number", "multipleOf": 1e-19}, 1e-19),
            "DECIMAL(38,19)",
            [Decimal(-5293), Decimal("1e-19")],
        ),
        (
            ({"type": "string", "format": "date"}, "2026-01-02"),
            ({"type": "string", "format": "date-time"}, "2026-01-02T03:04:05Z"),
            "TIMESTAMP WITH TIME ZONE",
            ["2026-01-02 00:00:00+00", "2026-01-02 03:04:05+00"],
        ),
    ],
)
@pytest.mark.parametrize("when", ["in one commit", "in two commits"])
def test_a_column_widens_without_losing_a_value(place, destination, first, then, kind, landed, when):
    one, other = ([schema("t", v=said), record("t", v=value)] for said, value in (first, then))
    if when == "in one commit":
        land(destination, *one, *other)
    else:
        land(destination, *one)
        land(destination, *other)

    assert types(place, "t")["v"] == kind
    shown = "v::VARCHAR" if kind.startswith("TIMESTAMP") else "v"
    assert [v for _, v in sorted(place.query("t", f"SELECT _sdc_sequence, {shown}"))] == landed


def test_a_date_time_that_is_none_makes_the_column_text(place, destination):
    said = schema("t", v={"type": "string", "format": "date-time"})
    land(destination, said, record("t", v="2026-01-02T05:04:05.5+02:00"))
    land(destination, said, record("t", v="soon"))

    assert rows(place, "t") == [("2026-01-02T03:04:05.500000Z",), ("soon",)]


def test_a_widened_key_still_finds_its_row(place, destination):
    land(destination, schema("t", ["id"], id="integer", n="integer"), record("t", id=1, n=1), record("t", id=2, n=1))
    land(destination, schema("t", ["id"], id="string", n="integer"), record("t", id="1", n=2), record("t", id="x", n=2))

    assert rows(place, "t") == [("2", 1), ("1", 2), ("x", 2)]


def test_instants_are_kept_to_the_microsecond_over_all_years(place, destination):
    moments = ["0001-01-01T00:00:00Z", "2026-01-02T03:04:05.123456+02:00", "9999-12-31T23:59:59.999999Z"]
    said = {"type": "string", "format": "date-time"}
    land(
        destination,
        schema("t", ["id"], id="integer", at=said),
        *(record("t", id=i, at=at) for i, at in enumerate(moments)),
    )
    land(
        destination,
        schema("t", ["id"], id="integer", at=said),
        record("t", id=7, at=None),
        record("t", id=0, at=moments[0]),
    )

    assert sorted(place.query("t", 'SELECT id, epoch_us("at")')) == [
        (0, -62135596800000000),
        (1, 1767315845123456),
        (2, 253402300799999999),
        (7, None),
    ]


def test_values_of_every_kind_come_back_as_they_went(place, destination):
    every = schema(
        "t",
        ["id"],
        id="integer",
        b="boolean",
        i="integer",
        d={"type": "number", "multipleOf": 0.01},
        n="number",
        day={"type": "string", "format": "date"},
        time={"type": "string", "format": "time"},
        s="string",
        o="object",
        nothing="null",
    )
    values = {
        "id": 1,
        "b": False,
        "i": -(2**63),
        "d": 12345678901.25,
        "n": 1e-300,
        "day": "0001-01-01",
        "time": "23:59:59.999999",
        "s": '"\n\té🙂\u0000',
        "o": {"deep": [{}, [], None, 1.0]},
        "nothing": None,
    }
    land(destination, every, record("t", **values), record("t", id=2))
    land(destination, every, record("t", id=2))

    (full, empty) = sorted(place.query("t", "SELECT id, b, i, d, n, day::VARCHAR, time::VARCHAR, s, o, nothing"))
    assert full == (
        1,
        False,
        -(2**63),
        Decimal("12345678901.25"),
        1e-300,
        "0001-01-01",
        "23:59:59.999999",
        '"\n\té🙂\u0000',
        '{"deep": [{}, [], null, 1.0]}',
        None,
    )
    assert empty == (2, *[None] * 9)


# ── keys that change ─────────────────────────────────────────────────────────────────────────────

BY_NAME = schema("users", ["name"], id="integer", name="string")
BY_NOTHING = schema("users", id="integer", name="string")


def test_a_key_that_changes_between_commits_keeps_the_last_row_of_each_new_key(place, destination):
    land(
        destination, USERS, user(1, "Ada"), user(2, "Ada"), user(3, "Bob"), record("users", id=4), record("users", id=5)
    )
    land(destination, BY_NAME, user(6, "Bob"), user(7, "Cy"))

    assert rows(place, "users") == [(2, "Ada"), (4, None), (5, None), (6, "Bob"), (7, "Cy")]


def test_a_key_that_changes_within_a_commit_settles_in_order(place, destination):
    land(destination, USERS, user(1, "Ada"), user(1, "Bob"), user(2, "Bob"), BY_NAME, user(3, "Bob"), user(4, "Ada"))

    assert rows(place, "users") == [(3, "Bob"), (4, "Ada")]


def test_a_key_that_appears_removes_repeated_rows(place, destination):
    land(destination, BY_NOTHING, user(1, "Ada"), user(1, "Ada"), user(2, "Bob"))
    land(destination, USERS, user(3, "Cy"))

    assert rows(place, "users") == [(1, "Ada"), (2, "Bob"), (3, "Cy")]


def test_a_key_that_goes_away_keeps_every_row_from_then_on(place, destination):
    land(destination, USERS, user(1, "Ada"), user(1, "Eve"))
    land(destination, BY_NOTHING, user(1, "Ada"), user(1, "Ada"))

    assert rows(place, "users") == [(1, "Eve"), (1, "Ada"), (1, "Ada")]


# ── names ────────────────────────────────────────────────────────────────────────────────────────

ODD_NAMES = [
    "a",
    "A",
    "a-b",
    "a_b",
    "a b",
    "a/b",
    "../a",
    "..",
    ".",
    "_a",
    "__a",
    'a"b',
    "a'b",
    "a;b",
    "ä",
    "Ä",
    "%",
    "x" * 1000,
]


def test_streams_of_any_name_have_tables_of_their_own(place, destination):
    land(destination, *(part for name in ODD_NAMES for part in (schema(name, v="string"), record(name, v=name))))
    land(destination, *(part for name in ODD_NAMES for part in (schema(name, v="string"), record(name, v=name))))

    tables = place.tables()
    assert len({table.casefold() for table in tables}) == len(ODD_NAMES)
    found = [rows(place, table, "v") for table in tables]
    assert sorted(found) == sorted([(name,), (name,)] for name in ODD_NAMES)


def test_hundreds_of_streams_settle_together(place, destination):
    streams = [f"stream_{number}" for number in range(250)]
    for _ in range(2):
        land(destination, *(schema(stream, n="integer") for stream in streams), *(record(s, n=1) for s in streams * 2))

    assert len(place.tables()) == len(streams)
    assert {tuple(rows(place, stream)) for stream in streams[::50]} == {((1,),) * 4}


def test_columns_of_any_name_stand_beside_each_other(place, destination):
    names = [*ODD_NAMES, "filename", "file", ":file", "_sdc_sequence", "_sdc_received_at", "_SDC_Table_Version"]
    odd = schema("odd", ["a"], **dict.fromkeys(names, "string"))
    land(destination, odd, record("odd", **{name: f"1{name}" for name in names}))
    land(destination, odd, record("odd", **{name: f"2{name}" for name in names}))
    land(destination, odd, record("odd", **{name: f"1{name}" for name in names}))

    own = [name for name in types(place, "odd") if name not in OUR_NAMES]
    assert len(own) == len(names)
    assert sorted(map(sorted, rows(place, "odd", *own))) == [sorted(f"{n}{name}" for name in names) for n in (1, 2)]


def test_names_stay_the_same_from_commit_to_commit_whatever_comes_first(place, destination):
    lower, upper = (schema(name, **{name: "string"}) for name in ("users", "USERS"))
    land(destination, lower, record("users", users="1"))
    land(destination, upper, record("USERS", USERS="2"), lower, record("users", users="3"))

    assert rows(place, "users") == [("1",), ("3",)]
    assert len(place.tables()) == 2


# ── death ────────────────────────────────────────────────────────────────────────────────────────

COMMITS_UNTIL_KILLED = """
import sys
from pathlib import Path
from tests.destinations.landing import KINDS, land, record, schema, state

with KINDS[sys.argv[1]](Path(sys.argv[2])).open() as destination:
    number = last.number if (last := destination.last_commit("shop")) else 0
    while True:
        number += 1
        print("begins", number, flush=True)
        land(
            destination,
            schema("users", ["id"], id="integer", n="integer", **({f"c{number}": "string"} if number % 3 == 0 else {})),
            schema("events", n="integer"),
            schema("versions", n="integer"),
            *(record("users", id=id, n=number) for id in range(50)),
            *(record("events", n=number) for _ in range(3)),
            *(dict(record("versions", n=number), version=number) for _ in range(3)),
            {"type": "ACTIVATE_VERSION", "stream": "versions", "version": number},
            state(number),
        )
        print("ended", number, flush=True)
"""


def test_rows_and_state_agree_after_a_kill_at_any_moment_of_a_commit(place, tmp_path):
    kills_inside = 0
    for seed in range(12):
        with OtherProcess(COMMITS_UNTIL_KILLED, place.kind, tmp_path) as process:
            said = [process.line(), process.line(), process.line()]
            began = time.monotonic()
            said += [process.line(), process.line()]
            time.sleep(random.Random(seed).random() * (time.monotonic() - began))
            said += process.kill()
        kills_inside += said[-1].startswith("begins")

        with place.open() as destination:
            number = destination.last_commit(FLOW).number
            assert destination.last_commit(FLOW).state == str(number).encode()
        users = place.query("users", "SELECT count(*), count(DISTINCT id), min(n), max(n)")
        events = place.query("events", "SELECT count(*), count(DISTINCT n), max(n)")
        assert users == [(50, 50, number, number)]
        assert events == [(3 * number, number, number)]
        assert rows(place, "versions") == [(number,)] * 3
    assert kills_inside >= 4
