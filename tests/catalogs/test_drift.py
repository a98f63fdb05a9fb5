"""What changed at the source is told in sentences; what only looks different is not."""

import json

import pytest

from orchestrator.catalogs import Change, Kind, drift
from orchestrator.catalogs.drift import type_in_words
from tests.catalogs.examples import ALL, PAYMENTS, SHOP, TRACKER, at, catalog, changed


def told(old, new):
    return [str(change) for change in drift(catalog(old), catalog(new))]


def turned_around(value):
    """The same document with every object written in the opposite order."""
    if isinstance(value, dict):
        return {key: turned_around(value[key]) for key in reversed(value)}
    return [turned_around(each) for each in value] if isinstance(value, list) else value


def test_a_first_catalog_is_no_drift():
    assert drift(None, catalog(TRACKER)) == ()


@pytest.mark.parametrize("name", ALL)
def test_order_and_formatting_are_no_drift(name):
    document = turned_around(ALL[name])
    document["streams"].reverse()
    for entry in document["streams"]:
        entry.get("metadata", []).reverse()

    assert told(ALL[name], document) == []


def test_streams_come_and_go():
    without = changed(TRACKER)
    without["streams"] = without["streams"][1:]

    assert told(without, TRACKER) == ["stream issues is new"]
    assert told(TRACKER, without) == ["stream issues is gone"]


def test_properties_come_and_go_and_what_is_in_them_is_not_told_again():
    without = changed(TRACKER)
    for name in ("title", "author"):
        del without["streams"][0]["schema"]["properties"][name]
    without["streams"][0]["metadata"] = without["streams"][0]["metadata"][-1:]

    assert told(without, TRACKER) == [
        "issues.title is new: string or null",
        "issues.author is new: object or null",
    ]
    assert told(TRACKER, without) == ["issues.title is gone", "issues.author is gone"]


def test_a_type_changes_at_any_depth():
    document = changed(TRACKER)
    issues = document["streams"][0]["schema"]["properties"]
    issues["id"] = {"type": "string"}
    issues["author"]["properties"]["address"]["properties"]["city"] = {"type": ["null", "string"]}

    assert told(TRACKER, document) == [
        "issues.id was integer, is now string",
        "issues.author.address.city was string, is now string or null",
    ]


def test_keys_and_replication_change():
    document = changed(PAYMENTS)
    root = at(document["streams"][0])
    root["table-key-properties"] = ["id", "created"]
    root["forced-replication-method"] = "FULL_TABLE"

    assert told(PAYMENTS, document) == [
        "the key of charges was id, is now id, created",
        "charges was read as incremental by created, is now full table",
    ]
    assert told(SHOP, SHOP) == []


def test_a_change_is_a_value():
    document = changed(TRACKER)
    document["streams"][1]["schema"]["properties"]["name"] = {"type": "number"}

    (change,) = drift(catalog(TRACKER), catalog(document))

    assert change == Change(Kind.TYPE_CHANGED, "projects", "name", "string", "number")


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": ["null", "string"], "format": "date-time"}, "string (date-time) or null"),
        ({"type": ["string", "null"], "format": "date-time"}, "string (date-time) or null"),
        ({"anyOf": [{"type": "null"}, {"type": "string", "format": "date-time"}]}, "string (date-time) or null"),
        (
            {"oneOf": [{"type": "string"}, {"anyOf": [{"type": "integer"}, {"type": "null"}]}]},
            "integer or string or null",
        ),
        ({"type": "array", "items": {"type": ["integer", "null"]}}, "array of integer or null"),
        ({"type": "array"}, "array"),
        ({"type": "null"}, "null"),
        ({}, "anything"),
        (True, "anything"),
        (None, "anything"),
    ],
)
def test_a_type_is_put_in_the_same_words_however_the_schema_puts_it(schema, words):
    assert type_in_words(json.loads(json.dumps(schema))) == words
