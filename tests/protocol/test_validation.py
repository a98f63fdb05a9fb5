"""With `validate = "full"` a record keeps all of its JSON Schema, or what it breaks is told."""

import json
from typing import Any

import pytest

from orchestrator.protocol.validation import FullCheck, InvalidSchema, read_exactly

DRAFT_4, DRAFT_7 = "http://json-schema.org/draft-04/schema#", "http://json-schema.org/draft-07/schema#"
DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema"


def flaw(property: Any, value: str, **more: Any) -> str | None:
    """What is said of a record with the value, a JSON text, in x."""
    said = json.dumps({"properties": {"id": {}, "x": property}, **more})
    check = FullCheck(read_exactly(said.encode()), ["id"])
    found = check.flaw(f'{{"id": 7, "x": {value}}}'.encode())
    return f"{found.reason}: {found.cause}" if found else None


@pytest.mark.parametrize(
    ("property", "good", "bad", "said"),
    [
        ({"enum": ["a", 1]}, "1.0", '"b"', "x of id 7 breaks enum: 'b' is not one of ['a', 1]"),
        ({"type": "string", "maxLength": 2}, '"ab"', '"abc"', "x of id 7 breaks maxLength: 'abc' is too long"),
        ({"type": "integer"}, "1e2", "1.5", "x of id 7 breaks type: 1.5 is not of type 'integer'"),
        ({"type": ["null", "string"]}, "null", "1", "x of id 7 breaks type"),
        ({"multipleOf": 0.01}, "0.07", "0.075", "x of id 7 breaks multipleOf: 0.075 is not a multiple of 0.01"),
        ({"multipleOf": 3}, "9" * 5000, "1e99999999", "x of id 7 breaks multipleOf"),
        ({"maximum": 9007199254740992}, "9007199254740992", "9007199254740993", "x of id 7 breaks maximum"),
        ({"items": {"properties": {"y": {"type": "null"}}}}, "[{}]", '[{}, {"y": 1}]', "x[1].y of id 7 breaks type"),
        ({"required": ["y"]}, '{"y": 1}', "{}", "x of id 7 breaks required: 'y' is a required property"),
        ({"format": "email"}, '"a@b"', '"ab"', "x of id 7 breaks format"),
        ({"format": "date-time"}, '"2024-02-29 12:00:00"', '"2023-02-30T00:00:00Z"', "x of id 7 breaks format"),
        ({"format": "date"}, '"2024-02-29"', '"2023-02-30"', "x of id 7 breaks format"),
        ({"pattern": "^a"}, '"a"', '"\\ud800"', "x of id 7 breaks pattern"),
    ],
)
def test_what_a_rule_refuses_is_told_with_place_record_and_rule(property, good, bad, said):
    assert flaw(property, good) is None
    assert (flaw(property, bad) or "").startswith(said)
    assert (flaw(property, bad) or "").encode()


@pytest.mark.parametrize("property", [{"multipleOf": 1e-38}, {"format": "singer.decimal"}, {"selected": True}, True])
def test_what_says_nothing_refuses_nothing(property):
    assert flaw(property, "0.1") is None


@pytest.mark.parametrize(
    ("named", "property", "bad"),
    [
        ({"$schema": DRAFT_4}, {"minimum": 1, "exclusiveMinimum": True}, "1"),
        ({"$schema": DRAFT_7}, {"exclusiveMinimum": 1}, "1"),
        ({"$schema": DRAFT_2020}, {"prefixItems": [{"type": "string"}]}, "[1]"),
        ({}, {"minimum": 1, "exclusiveMinimum": True}, "1"),
        ({}, {"exclusiveMinimum": 1}, "1"),
        ({}, {"type": "string", "required": True}, "1"),
    ],
)
def test_the_draft_is_the_one_that_is_named_or_the_newest_that_takes_the_schema(named, property, bad):
    assert flaw(property, bad, **named) is not None


@pytest.mark.parametrize(
    "schema",
    [
        {"$schema": DRAFT_7, "properties": {"x": {"exclusiveMinimum": True}}},
        {"properties": {"x": {"type": 7}}},
        {"$schema": DRAFT_2020, "properties": {"x": {"multipleOf": 0}}},
        {"$schema": DRAFT_2020, "properties": {"x": {"pattern": "("}}},
    ],
)
def test_a_schema_that_no_draft_takes_is_named_as_such(schema):
    with pytest.raises(InvalidSchema):
        FullCheck(schema, ())


@pytest.mark.parametrize("reference", ["#/definitions/missing", "http://localhost:1/schema.json"])
def test_a_reference_that_leads_nowhere_is_no_schema_and_nothing_is_fetched(reference):
    with pytest.raises(InvalidSchema, match="refers to"):
        flaw({"$ref": reference}, "1")


def test_references_to_its_own_parts_are_followed_also_where_they_lead_back():
    tree = {"definitions": {"tree": {"properties": {"of": {"$ref": "#/definitions/tree"}, "n": {"type": "integer"}}}}}

    assert flaw({"$ref": "#/definitions/tree"}, '{"of": {"of": {"n": 1}}}', **tree) is None
    assert "x.of.of.n" in (flaw({"$ref": "#/definitions/tree"}, '{"of": {"of": {"n": "1"}}}', **tree) or "")


def test_a_row_that_is_gone_need_not_have_more_than_its_key():
    check = FullCheck({"required": ["id", "x"]}, ["id"])

    assert check.flaw(b'{"id": 1, "_sdc_deleted_at": "2024-01-01T00:00:00Z"}') is None
    assert check.flaw(b'{"id": 1, "_sdc_deleted_at": null}') is not None
