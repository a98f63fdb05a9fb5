"""Any legal JSON schema gives each property the narrowest type that holds what it promises."""

from typing import Any

import pytest

from orchestrator.protocol.schemas import DEEPEST, MOST_MEMBERS, Type, columns_of


def type_of(property, **beside):
    (column,) = columns_of({"properties": {"x": property}, **beside})
    return str(column.type)


def types_of(schema):
    return {column.name: str(column.type) for column in columns_of(schema)}


TEXT, DATE_TIME = {"type": "string"}, {"type": "string", "format": "date-time"}


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        ("string", "text"),
        ("integer", "integer"),
        ("number", "number"),
        ("boolean", "boolean"),
        ("object", "json"),
        ("array", "json"),
        ("null", "nothing"),
        (["null", "integer"], "integer"),
        (["integer", "null"], "integer"),
        (["integer", "number", "null"], "number"),
        (["string", "integer"], "text"),
        (["boolean", "string"], "text"),
        (["boolean", "integer"], "json"),
        (["object", "string"], "json"),
        (["string", "null", "string"], "text"),
    ],
)
def test_types_may_be_one_or_several_in_any_order(types, expected):
    assert type_of({"type": types}) == expected


@pytest.mark.parametrize("property", [{}, True, False, None, [], 7, {"description": "free"}, {"not": TEXT}])
def test_a_property_that_promises_nothing_is_json(property):
    assert type_of(property) == "json"


@pytest.mark.parametrize(
    "types", ["any", "date", [], 7, None, ["string", 7], ["string", {"type": "integer"}], "String"]
)
def test_types_that_do_not_exist_promise_nothing(types):
    assert type_of({"type": types}) == "json"


@pytest.mark.parametrize(
    ("format", "expected"),
    [
        ("date-time", "timestamp"),
        ("date", "date"),
        ("time", "time"),
        ("uuid", "text"),
        ("duration", "text"),
        (7, "text"),
    ],
)
def test_a_format_tells_dates_and_times_from_text(format, expected):
    assert type_of({"type": ["null", "string"], "format": format}) == expected


def test_a_format_counts_only_for_text():
    assert type_of({"type": "integer", "format": "date-time"}) == "integer"
    assert type_of({"type": ["integer", "string"], "format": "date-time"}) == "text"


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (0.01, "decimal(38,2)"),
        (1e-10, "decimal(38,10)"),
        (1, "decimal(38,0)"),
        (1.0, "decimal(38,0)"),
        (100, "decimal(38,0)"),
        (0.25, "decimal(38,2)"),
        (-0.01, "decimal(38,2)"),
        (1e-30, "number"),
        (float("inf"), "number"),
        ("x", "number"),
        (None, "number"),
    ],
)
def test_multiple_of_asks_for_exact_decimals(step, expected):
    assert type_of({"type": ["null", "number"], "multipleOf": step}) == expected


def test_multiple_of_changes_no_integer():
    assert type_of({"type": "integer", "multipleOf": 0.01}) == "integer"


@pytest.mark.parametrize(
    ("property", "expected"),
    [
        ({"enum": ["a", "b"]}, "text"),
        ({"enum": [1, 2, None]}, "integer"),
        ({"enum": [1, 2.5]}, "number"),
        ({"enum": [True, None]}, "boolean"),
        ({"enum": ["a", 1]}, "text"),
        ({"enum": [{}, []]}, "json"),
        ({"enum": [None]}, "nothing"),
        ({"const": 7}, "integer"),
        ({"const": None}, "nothing"),
        ({"type": "string", "enum": [1]}, "text"),
        ({"enum": 7}, "json"),
    ],
)
def test_an_enum_or_a_const_tells_its_type(property, expected):
    assert type_of(property) == expected


def test_properties_or_items_tell_an_object_or_an_array():
    assert type_of({"properties": {"y": TEXT}}) == '{"y":["y","text"]}'
    assert type_of({"items": TEXT}) == '["text"]'
    assert type_of({"anyOf": [{"items": TEXT}, {"type": "null"}]}) == '["text"]'


@pytest.mark.parametrize("word", ["anyOf", "oneOf"])
@pytest.mark.parametrize(
    ("branches", "expected"),
    [
        ([{"type": "null"}, {"type": "integer"}], "integer"),
        ([{"type": "integer"}, {"type": "number"}], "number"),
        ([{"type": "integer"}, TEXT], "text"),
        ([{"type": "integer"}, {}], "json"),
        ([TEXT, {"type": "object"}], "json"),
        ([DATE_TIME, {"type": "null"}], "timestamp"),
        # A date-time, the tap hopes: a text that is none widens the column.
        ([DATE_TIME, TEXT], "timestamp"),
        ([DATE_TIME, {"type": "string", "format": "date"}], "text"),
        ([DATE_TIME, {"type": "integer"}], "text"),
        ([{"type": "number", "multipleOf": 0.01}, {"type": "number", "multipleOf": 0.0001}], "decimal(38,4)"),
        ([{"type": "number", "multipleOf": 0.01}, {"type": "number"}], "number"),
        ([{"type": "number", "multipleOf": 0.01}, {"type": "null"}], "decimal(38,2)"),
        ([], "json"),
        (7, "json"),
    ],
)
def test_alternatives_are_held_together(word, branches, expected):
    assert type_of({word: branches}) == expected


@pytest.mark.parametrize(
    ("property", "expected"),
    [
        ({"allOf": [{"type": ["string", "null"]}, {"format": "date-time"}]}, "timestamp"),
        ({"allOf": [{"type": ["string", "integer"]}, {"type": ["integer", "null"]}]}, "integer"),
        ({"allOf": [{"type": "number"}, {"multipleOf": 0.1}]}, "decimal(38,1)"),
        ({"type": ["null", "string"], "anyOf": [{"format": "date"}, {"format": "date"}]}, "date"),
        # No value is both; whatever comes is kept.
        ({"allOf": [{"type": "string"}, {"type": "integer"}]}, "text"),
    ],
)
def test_what_must_hold_at_once_narrows_the_type(property, expected):
    assert type_of(property) == expected


@pytest.mark.parametrize(
    ("reference", "beside"),
    [
        ("#/definitions/x", {"definitions": {"x": DATE_TIME}}),
        ("#/$defs/x", {"$defs": {"x": DATE_TIME}}),
        ("#/$defs/a~1b~0c", {"$defs": {"a/b~c": DATE_TIME}}),
        ("#/$defs/a%20b", {"$defs": {"a b": DATE_TIME}}),
        ("#/allOf/0", {"allOf": [DATE_TIME]}),
        ("#/$defs/y", {"$defs": {"y": {"$ref": "#/$defs/x"}, "x": DATE_TIME}}),
        ("#/$defs/", {"$defs": {"": DATE_TIME}}),
    ],
)
def test_a_reference_within_the_schema_is_followed(reference, beside):
    assert type_of({"$ref": reference}, **beside) == "timestamp"
    assert type_of({"anyOf": [{"$ref": reference}, {"type": "null"}]}, **beside) == "timestamp"


def test_words_beside_a_reference_count_too():
    assert type_of({"$ref": "#/$defs/x", "format": "date"}, **{"$defs": {"x": TEXT}}) == "date"


@pytest.mark.parametrize(
    "reference", ["#/nowhere", "#anchor", "https://example.com/x.json", "x.json#/y", "#/allOf/7", 7]
)
def test_a_reference_that_leads_nowhere_promises_nothing(reference):
    assert type_of({"$ref": reference}, allOf=[TEXT]) == "json"


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ({"$ref": "#/$defs/node"}, "json"),
        ({"anyOf": [{"$ref": "#/$defs/node"}] * 20}, "json"),
        ({"allOf": [{"$ref": "#/properties/x"}, {"$ref": "#/$defs/node"}]}, "json"),
        ({"$ref": "#"}, '{"x":["x","json"]}'),
    ],
)
def test_a_reference_that_leads_back_to_itself_ends(node, expected):
    assert type_of({"$ref": "#/$defs/node"}, **{"$defs": {"node": node}}) == expected


def test_a_tree_is_json_where_it_begins_again():
    tree = {"type": ["null", "object"], "properties": {"left": {"$ref": "#/$defs/tree"}, "name": TEXT}}

    assert (
        type_of({"$ref": "#/$defs/tree"}, **{"$defs": {"tree": tree}})
        == '{"left":["left","json"],"name":["name","text"]}'
    )
    assert types_of({"$defs": {"tree": tree}, "$ref": "#/$defs/tree"})["name"] == "text"


FREE = {"type": "object"}


@pytest.mark.parametrize(
    ("property", "expected"),
    [
        ({"type": ["object", "null"], "properties": {"a": {"type": "integer"}}}, '{"a":["a","integer"]}'),
        ({"type": "object", "properties": {"a": FREE, "b": {}}}, '{"a":["a","json"],"b":["b","json"]}'),
        ({"type": "array", "items": {"type": ["null", "integer"]}}, '["integer"]'),
        ({"type": "array", "items": FREE}, '["json"]'),
        ({"type": "array", "items": {"type": "array", "items": TEXT}}, '[["text"]]'),
        ({"type": "array", "items": {"properties": {"a": TEXT}}}, '[{"a":["a","text"]}]'),
        ({"allOf": [{"properties": {"a": TEXT}}, {"properties": {"b": TEXT}}]}, '{"a":["a","text"],"b":["b","text"]}'),
        ({"anyOf": [{"type": "array", "items": TEXT}, {"type": "null"}]}, '["text"]'),
        ({"anyOf": [{"items": {"type": "integer"}}, {"items": {"type": "number"}}]}, '["number"]'),
        ({"properties": {"a": TEXT}, "additionalProperties": True}, '{"a":["a","text"]}'),
        ({"properties": {"a": TEXT}, "additionalProperties": {}}, '{"a":["a","text"]}'),
    ],
)
def test_objects_and_arrays_are_known_as_far_as_their_schema_tells_them(property, expected):
    assert type_of(property) == expected


@pytest.mark.parametrize(
    "property",
    [
        FREE,
        {"type": "object", "properties": {}},
        {"type": "object", "properties": 7},
        {"type": "object", "additionalProperties": TEXT},
        {"properties": {"a": TEXT}, "additionalProperties": TEXT},
        {"properties": {"a": TEXT}, "allOf": [{"patternProperties": {"^x": TEXT}}]},
        {"type": ["object", "string"], "properties": {"a": TEXT}},
        {"type": "array"},
        {"type": "array", "items": {}},
        {"type": "array", "items": True},
        {"type": "array", "items": [TEXT, TEXT]},
        {"type": "array", "prefixItems": [TEXT], "items": TEXT},
    ],
)
def test_an_object_or_array_that_may_hold_anything_is_json(property):
    assert type_of(property) == "json"
    assert type_of({"properties": {"x": property}}) == '{"x":["x","json"]}'


def test_an_object_in_a_key_is_json():
    schema = {"properties": {"id": {"properties": {"a": TEXT}}}}

    assert [str(column.type) for column in columns_of(schema, ["id"])] == ["json"]


def test_what_stands_very_deep_is_json():
    property: dict[str, Any] = TEXT
    for _ in range(40):
        property = {"type": "array", "items": property}

    assert type_of(property) == "[" * DEEPEST + '"json"' + "]" * DEEPEST


def test_an_object_of_very_many_members_is_json():
    some = {str(number): TEXT for number in range(MOST_MEMBERS - 1)}

    assert type_of({"properties": {"a": {"properties": some}}}) != "json"
    assert type_of({"properties": {"a": {"properties": some}, "b": TEXT}}) == "json"


def test_definitions_that_all_lead_to_each_other_end():
    names = [f"n{number}" for number in range(12)]
    node = {"type": "object", "properties": {name: {"$ref": f"#/$defs/{name}"} for name in names}}

    assert type_of({"$ref": "#/$defs/n0"}, **{"$defs": dict.fromkeys(names, node)}) == "json"


def test_the_columns_of_a_stream_come_from_all_parts_of_its_schema():
    schema = {
        "$ref": "#/$defs/base",
        "$defs": {"base": {"properties": {"id": {"type": "integer"}}}},
        "allOf": [{"properties": {"name": TEXT}}],
        "oneOf": [{"properties": {"value": {"type": "integer"}}}, {"properties": {"value": TEXT, "more": {}}}],
        "properties": {"at": DATE_TIME, "id": {"type": ["integer", "null"]}},
    }

    assert types_of(schema) == {"id": "integer", "name": "text", "value": "text", "more": "json", "at": "timestamp"}


def test_a_property_that_alternatives_declare_differently_is_any_of_these():
    branches = [
        {"properties": {"x": {"type": ["integer", "null"]}}},
        {"properties": {"x": {"type": ["string", "integer"]}}},
    ]

    assert types_of({"anyOf": branches}) == {"x": "text"}
    assert types_of({"allOf": branches}) == {"x": "integer"}


@pytest.mark.parametrize("schema", [{}, {"properties": {}}, {"properties": None}, {"type": "object"}, {"$ref": "#"}])
def test_a_schema_without_properties_has_no_columns(schema):
    assert columns_of(schema) == ()


def test_the_marker_of_deleted_rows_may_be_anything_whatever_its_schema_says():
    assert types_of({"properties": {"_sdc_deleted_at": {"type": "integer"}}}) == {"_sdc_deleted_at": "text"}


def test_a_key_of_several_types_is_what_its_values_are():
    schema = {"properties": {name: {"type": ["string", "integer"]} for name in ("id", "name")}}

    assert [str(column.type) for column in columns_of(schema, ["id"])] == ["nothing", "text"]


@pytest.mark.parametrize(
    "text",
    [
        "integer",
        "json",
        "timestamp",
        "nothing",
        "decimal(38,0)",
        "decimal(38,12)",
        '["json"]',
        '[["decimal(38,2)"]]',
        '{"a":["a","integer"],"A":["A_1",["date"]],"":["_",{"é\\"\\\\":["é\\"\\\\","text"]}]}',
    ],
)
def test_a_type_can_be_written_down_and_read_back(text):
    assert str(Type.parse(text)) == text
