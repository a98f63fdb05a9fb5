"""Keys are compared as typed values: what is the same value is one row, and nothing else is."""

import pytest

from tests.destinations.landing import record, schema, state, text_of

MIXED = ["null", "integer", "string"]


SAME_OR_NOT = [
    ("integer", [0, 1, 0], [1, 2]),
    ("integer", [2**63 - 1, -(2**63), 2**63 - 1], [1, 2]),
    ("integer", [10**37, 10**37 + 1, 10**37], [1, 2]),
    ("integer", [10**60, 10**60 + 1, 10**60], [1, 2]),
    ("integer", [1, 1.0, 2], [1, 2]),
    ("string", ["", " ", "0", "", "null", "NULL"], [1, 2, 3, 4, 5]),
    ("string", ["a", "A", "a\x00", "é", "e\u0301"], [0, 1, 2, 3, 4]),
    ("boolean", [False, True, False], [1, 2]),
    ("number", [0.1, 0.2, 0.1, 0], [1, 2, 3]),
    ({"type": "number", "multipleOf": 0.01}, [1.1, 1.10, 2], [1, 2]),
    ({"type": "string", "format": "date-time"}, ["2024-01-01T00:00:00Z", "2024-01-01T01:00:00+01:00"], [1]),
    (MIXED, [1, "1", 2, "a", 1, "1"], [2, 3, 4, 5]),
    (MIXED, ["a", "b", "a"], [1, 2]),
    (["integer", "string", "boolean"], [1, True, "true", "1", True], [0, 2, 3, 4]),
    ({}, [1, "1", 1.0, True, "é", 0, "", False], [1, 2, 3, 4, 5, 6, 7]),
    ({}, [{"a": 1, "b": [1]}, {"b": [1.0], "a": 1e0}, {"a": "1", "b": [1]}], [1, 2]),
]
"""Types of a key, the keys of rows numbered from 0, and the numbers of the rows that are left."""


def keyed(stream, type, keys):
    return [
        schema(stream, ["key"], key=type, n="integer"),
        *(record(stream, key=key, n=n) for n, key in enumerate(keys)),
    ]


@pytest.mark.parametrize("each_alone", [False, True])
def test_rows_of_the_same_key_are_one_row(place, each_alone):
    """In one commit as well as one after the other."""
    messages = [each for number, (type, keys, _) in enumerate(SAME_OR_NOT) for each in keyed(f"s{number}", type, keys)]
    if each_alone:
        messages = [each for message in messages for each in (message, state(1))]

    said = place.load(text_of(*messages), "--commit-rows", "1")

    assert said.exit_code == 0, said.err
    landed = {name: [row["n"] for row in table.rows] for name, table in place.tables().items()}
    assert landed == {f"s{number}": left for number, (_, _, left) in enumerate(SAME_OR_NOT)}


def test_the_same_text_is_the_same_key_however_it_is_escaped(place):
    place.load(
        '{"type":"SCHEMA","stream":"s","schema":{"properties":{"k":{}}},"key_properties":["k"]}\n'
        '{"type":"RECORD","stream":"s","record":{"k":"caf\\u00e9\\/"}}\n'
        '{"type":"RECORD","stream":"s","record":{"k": "café/"}}\n'.encode()
    )

    assert len(place.tables()["s"].rows) == 1


def test_a_key_of_texts_stays_text_until_another_value_comes(place):
    place.load(text_of(*keyed("s", MIXED, ["a", "1"])))
    assert place.tables()["s"].types["key"] == "VARCHAR"

    said = place.load(text_of(*keyed("s", MIXED, [1, "a"])))

    assert said.exit_code == 0, said.err
    table = place.tables()["s"]
    assert (table.types["key"], table.rows) == (
        "JSON",
        [{"key": '"1"', "n": 1}, {"key": "1", "n": 0}, {"key": '"a"', "n": 1}],
    )


@pytest.mark.parametrize("type", ["integer", MIXED])
@pytest.mark.parametrize("values", [{"key": None, "n": 1}, {"n": 1}])
def test_a_record_without_its_key_is_refused_and_nothing_of_it_is_visible(place, type, values):
    said = place.load(text_of(schema("s", ["key"], key=type, n="integer"), record("s", **values), state(1)))

    assert (said.exit_code, said.states, place.names()) == (1, [], [])
    assert "s, line 2: a record has no key, which is part of the key" in said.err


def test_a_part_of_a_key_may_be_any_value_but_null(place):
    described = schema("s", ["a", "b"], a="integer", b="string", n="integer")
    keys = [(0, ""), (0, "0"), (0, ""), (1, "")]

    said = place.load(text_of(described, *(record("s", a=a, b=b, n=n) for n, (a, b) in enumerate(keys))))

    assert said.exit_code == 0, said.err
    assert [row["n"] for row in place.tables()["s"].rows] == [1, 2, 3]
