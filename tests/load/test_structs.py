"""JSON texts become structs and lists; what does not fit makes the member that holds it grow, and nothing else."""

import json
from decimal import Decimal

import pyarrow as pa
import pytest

from orchestrator.load.structs import named, settle_nested
from orchestrator.protocol.arrays import arrow_type
from orchestrator.protocol.schemas import MOST_MEMBERS, Type, columns_of

WHOLE, TEXT, NUMBER = {"type": "integer"}, {"type": "string"}, {"type": "number"}
DATE, MONEY = {"type": "string", "format": "date"}, {"type": "number", "multipleOf": 0.01}


def settled(schema, *texts):
    """The type of the values, as it is written down, and the values."""
    (column,) = columns_of({"properties": {"x": schema}})
    array, type = settle_nested(named(column.type), pa.array(texts, pa.string()))
    assert array.type == arrow_type(type)
    assert Type.parse(str(type)) == type
    return str(type), array.to_pylist()


def struct(**properties):
    return {"type": "object", "properties": properties}


def array_of(items):
    return {"type": "array", "items": items}


def test_what_fits_is_a_struct_of_the_types_that_were_promised():
    type, values = settled(
        struct(n=WHOLE, at=DATE, tags=array_of(TEXT), inner=struct(free={}), price=MONEY),
        '{"n": 1, "at": "2024-02-29", "tags": ["a", null], "inner": {"free": [1.50]}, "price": 2.5}',
        '{"tags": [], "inner": {}}',
        None,
        "{}",
    )

    assert type == (
        '{"n":["n","integer"],"at":["at","date"],"tags":["tags",["text"]],'
        '"inner":["inner",{"free":["free","json"]}],"price":["price","decimal(38,2)"]}'
    )
    nothing = dict.fromkeys(["n", "at", "tags", "inner", "price"])
    assert values[0] | {"at": str(values[0]["at"])} == {
        "n": 1,
        "at": "2024-02-29",
        "tags": ["a", None],
        "inner": {"free": "[1.50]"},
        "price": Decimal("2.50"),
    }
    assert values[1:] == [nothing | {"tags": [], "inner": {"free": None}}, None, nothing]


@pytest.mark.parametrize(
    ("promised", "value", "type", "held"),
    [
        (WHOLE, "9223372036854775808", "decimal(38,0)", Decimal(2**63)),
        (WHOLE, "1e3", "integer", 1000),
        (WHOLE, "9" * 40, "json", "9" * 40),
        (WHOLE, '"7"', "json", '"7"'),
        (NUMBER, "0.1234567890123456789", "decimal(38,19)", Decimal("0.1234567890123456789")),
        (NUMBER, "1e400", "json", "1e400"),
        (NUMBER, '"Infinity"', "number", float("inf")),
        (MONEY, '"free"', "json", '"free"'),
        (TEXT, "7.10", "json", "7.10"),
        (TEXT, '{"a": 1}', "json", '{"a": 1}'),
        (DATE, '"soon"', "text", "soon"),
        (DATE, "20240229", "json", "20240229"),
        ({"type": "boolean"}, '"yes"', "json", '"yes"'),
        ({"type": ["integer", "string"]}, '"a"', "text", "a"),
        ({"type": ["integer", "string"]}, "1", "json", "1"),
        ({"type": "null"}, '"late"', "text", "late"),
        ({"type": "null"}, "[1]", "json", "[1]"),
        (array_of(WHOLE), "{}", "json", "{}"),
        (struct(a=WHOLE), "[]", "json", "[]"),
    ],
)
def test_a_member_that_does_not_fit_grows_and_its_neighbours_stay(promised, value, type, held):
    grown, values = settled(struct(m=promised, n=WHOLE), f'{{"m": {value}, "n": 1}}', '{"n": 2}')

    assert json.loads(grown) == {"m": ["m", type], "n": ["n", "integer"]}
    assert values == [{"m": held, "n": 1}, {"m": None, "n": 2}]


def test_an_item_that_does_not_fit_makes_all_items_grow():
    assert settled(array_of(WHOLE), '[1, "2"]', "[]", "[null]", None) == ('["json"]', [["1", '"2"'], [], [None], None])


def test_an_undeclared_member_gets_a_field_of_json_at_any_depth():
    type, values = settled(
        array_of(struct(a=struct(b=WHOLE))), '[{"a": {"b": 1, "c": "x"}}, {"d": null}]', '[{"a": {}}]'
    )

    assert type == '[{"a":["a",{"b":["b","integer"],"c":["c","json"]}],"d":["d","json"]}]'
    assert values == [
        [{"a": {"b": 1, "c": '"x"'}, "d": None}, {"a": None, "d": None}],
        [{"a": {"b": None, "c": None}, "d": None}],
    ]


@pytest.mark.parametrize("value", ['"text"', "7", "[]", "true"])
def test_what_is_no_object_at_all_makes_the_column_json_word_for_word(value):
    assert settled(struct(a=WHOLE), '{"a":  1.0}', value, None) == ("json", ['{"a":  1.0}', value, None])


def test_fields_have_the_names_of_their_members_unless_two_meet_or_sql_cannot_write_one():
    names = ["a b", 'q"\\', "é", "a", "A", "", "\0", "x" * 300]
    type, values = settled(struct(**dict.fromkeys(names, WHOLE)), json.dumps(dict.fromkeys(names, 1)))

    fields = {said: name for said, (name, _) in json.loads(type).items()}
    assert [said for said, name in fields.items() if said != name] == ["A", "", "\0"]
    assert len({name.casefold() for name in fields.values()}) == len(names)
    assert values == [dict.fromkeys(fields.values(), 1)]


def test_an_undeclared_member_does_not_take_the_name_of_a_declared_one():
    type, _ = settled(struct(a=WHOLE), '{"A": 1, "a": 2, "B": 3, "b": 4}')

    fields = {said: name for said, (name, _) in json.loads(type).items()}
    assert (fields["a"], fields["B"]) == ("a", "B")
    assert fields["A"].startswith("A_")
    assert fields["b"].startswith("b_")


def test_objects_that_get_more_members_than_anybody_can_use_stay_json():
    text = json.dumps({f"key {number}": number for number in range(MOST_MEMBERS)})

    assert settled(struct(a=WHOLE), text) == ("json", [text])


def test_half_of_a_surrogate_pair_is_its_escape_as_in_a_column():
    assert settled(struct(a=TEXT), r'{"a": "\\ud800"}')[1] == [{"a": r"\ud800"}]


def test_nothing_but_nulls_is_a_column_of_nulls():
    assert settled(struct(a=WHOLE), None, None) == ('{"a":["a","integer"]}', [None, None])
    assert settled(array_of(WHOLE)) == ('["integer"]', [])
