"""Rows that are gone at the source, and versions that take the place of others, by the real command."""

import pytest

from tests.destinations.landing import activate, record, schema, state, text_of, versioned

USERS = schema("users", ["id"], id="integer", name="string", seen={"type": "string", "format": "date-time"})
GONE = "2024-02-29T12:00:00Z"


def user(id, name, **more):
    return record("users", id=id, name=name, seen="2024-01-01T00:00:00Z", **more)


def gone(id, **more):
    return record("users", id=id, _sdc_deleted_at=GONE, **more)


def names(place):
    table = place.tables()["users"]
    return [
        (row["id"], row["name"], row["seen"] is not None, deleted)
        for row, deleted in zip(table.rows, table.deleted, strict=True)
    ]


@pytest.mark.parametrize("each_alone", [False, True])
def test_a_row_that_is_marked_as_deleted_keeps_what_was_known_of_it(place, each_alone):
    """A delete that says no more than the key marks the row; what it says beside is new."""
    messages = [user(1, "Ada"), user(2, "Bob"), user(3, "Cy"), gone(1), gone(2, name="Bea"), gone(1), user(3, "Di")]
    messages += [gone(3), user(3, "Eve"), gone(9), state(1)]
    if each_alone:
        messages = [each for message in messages for each in (USERS, message, state(1))]

    said = place.load(text_of(USERS, *messages), "--soft-delete", "--commit-rows", "1")

    assert said.exit_code == 0, said.err
    assert sorted(names(place)) == [
        (1, "Ada", True, True),
        (2, "Bea", True, True),
        (3, "Eve", True, False),
        (9, None, False, True),
    ]


def test_a_mark_on_a_row_of_another_shape_keeps_its_values_too(place):
    place.load(text_of(USERS, user(1, "Ada"), user(2, "Bob"), state(1)), "--soft-delete")
    grown = schema("users", ["id"], id="integer", name="object", new="integer")

    said = place.load(text_of(grown, gone(1), record("users", id=2, new=5), gone(2), state(2)), "--soft-delete")

    assert said.exit_code == 0, said.err
    table = place.tables()["users"]
    assert [(row["id"], row["name"], row["new"]) for row in table.rows] == [(1, '"Ada"', None), (2, None, 5)]
    assert table.deleted == [True, True]


def test_a_mark_finds_its_row_by_a_key_of_any_type(place):
    types = ["integer", "string", "number", "boolean", {"type": "string", "format": "date-time"}, {}, "object"]
    keys = [7, "a", 0.5, False, "2024-01-01T00:00:00Z", "a", {"a": 1}]
    messages = []
    for number, (type, key) in enumerate(zip(types, keys, strict=True)):
        name = f"s{number}"
        messages += [schema(name, ["id"], id=type, name="string"), record(name, id=key, name="Ada")]
        messages += [record(name, id=key, _sdc_deleted_at=GONE)]

    said = place.load(text_of(*messages), "--soft-delete")

    assert said.exit_code == 0, said.err
    assert [([row["name"] for row in table.rows], table.deleted) for table in place.tables().values()] == [
        (["Ada"], [True])
    ] * len(types)


@pytest.mark.parametrize("with_state", [True, False])
def test_a_version_that_is_activated_without_a_schema_takes_effect(place, with_state):
    place.load(text_of(USERS, versioned(1, user(1, "Ada")), activate("users", 1), state(1)))
    messages = [activate("users", 2), *([state(2)] if with_state else [])]

    said = place.load(text_of(*messages))

    assert said.exit_code == 0, said.err
    assert names(place) == []


def test_the_records_of_a_batch_bear_its_version(place):
    (place.folder / "new.jsonl").write_text('{"id": 1, "name": "Bea"}\n{"id": 3, "name": "Cy"}\n')
    batch = {"type": "BATCH", "stream": "users", "encoding": {"format": "jsonl"}, "manifest": ["new.jsonl"]}
    old = (versioned(1, user(1, "Ada")), versioned(1, user(2, "Bob")), activate("users", 1), state(1))

    said = place.load(text_of(USERS, *old, versioned(2, batch), activate("users", 2), state(2)))

    assert said.exit_code == 0, said.err
    assert [name for _, name, *_ in names(place)] == ["Bea", "Cy"]
