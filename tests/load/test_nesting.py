"""Members get columns of their own, level by level, and what these do not tell stays in the column of the object."""

import json

import pyarrow as pa
import pytest

from orchestrator.config import WHOLE, Mode, Nested, Nesting
from orchestrator.load.commit import CommitPolicy, checkpoints
from orchestrator.load.nesting import landing_columns, unfolded
from orchestrator.load.table import Table, table_for
from orchestrator.protocol.messages import Schema
from orchestrator.protocol.reading import read_messages
from orchestrator.protocol.schemas import INTEGER, JSON, Column, columns_of
from tests.load.settling import batches
from tests.protocol.saying import no_files

NUMBER, TEXT = {"type": "integer"}, {"type": "string"}
USER = {
    "type": "object",
    "properties": {"id": NUMBER, "team": {"type": "object", "properties": {"name": TEXT}}, "tags": {"items": TEXT}},
}


def columns(nesting, key=(), **properties):
    """The columns of a table, by the names under which they land and as what."""
    return landing_columns(columns_of({"properties": properties}), nesting, key)


def types(landing):
    return {column.name: str(column.type) for column in landing}


def unfold(landing, **texts):
    """What stands in the columns that hold anything."""
    settled = [(Column(name, JSON), pa.array(values, pa.string())) for name, values in texts.items()]
    return {column.name: values.to_pylist() for column, values in unfolded(landing, settled)}


# ── columns ──────────────────────────────────────────────────────────────────────────────────────


TEAM, TAGS = '{"name":["name","text"]}', '["text"]'


@pytest.mark.parametrize(
    ("nesting", "expected"),
    [
        (WHOLE, {"user": "json"}),
        (Nesting(Nested.STRUCT), {"user": f'{{"id":["id","integer"],"team":["team",{TEAM}],"tags":["tags",{TAGS}]}}'}),
        (Nesting(flatten=1), {'["user", "id"]': "integer", '["user", "team"]': "json", '["user", "tags"]': "json"}),
        (
            Nesting(Nested.STRUCT, 1),
            {'["user", "id"]': "integer", '["user", "team"]': TEAM, '["user", "tags"]': TAGS},
        ),
        (
            Nesting(flatten=7),
            {'["user", "id"]': "integer", '["user", "team", "name"]': "text", '["user", "tags"]': "json"},
        ),
    ],
)
def test_the_settings_tell_the_columns_of_an_object(nesting, expected):
    assert types(columns(nesting, user=USER)) == expected


@pytest.mark.parametrize("nesting", [WHOLE, Nesting(Nested.STRUCT), Nesting(flatten=1)])
def test_an_object_in_the_key_stays_one_value(nesting):
    assert types(columns(nesting, key=("user",), user=USER)) == {"user": "json"}


def test_objects_stay_whole_where_a_property_is_called_as_their_member_would_be_told():
    properties = {"user": USER, '["user", "id"]': TEXT}

    assert types(columns(Nesting(flatten=1), **properties)) == {"user": "json", '["user", "id"]': "text"}


def test_a_table_that_appends_has_no_key_that_would_stay_whole():
    schema = Schema("s", columns_of({"properties": {"user": USER}}), (), 1)

    table = table_for(schema, Mode.APPEND, key=("user",), generation=None, nesting=Nesting(flatten=1))

    assert table.columns[0].name == '["user", "id"]'


# ── values ───────────────────────────────────────────────────────────────────────────────────────

FLAT = columns(Nesting(flatten=2), user=USER)


def test_members_stand_in_their_columns():
    assert unfold(FLAT, user=['{"id": 1, "team": {"name": "a"}, "tags": ["b"]}', '{"id": 2}']) == {
        '["user", "id"]': [1, 2],
        '["user", "team", "name"]': ["a", None],
        '["user", "tags"]': ['["b"]', None],
    }


def test_a_member_that_is_not_declared_gets_a_column_of_json():
    held = unfold(FLAT, user=['{"id": 1, "more": "x"}', '{"team": {"lead": {"id": 2}}}'])

    assert held['["user", "more"]'] == ['"x"', None]
    assert held['["user", "team", "lead"]'] == [None, '{"id": 2}']


def test_a_member_that_contradicts_its_schema_makes_its_column_json():
    assert unfold(FLAT, user=['{"id": "one"}', '{"id": 2}'])['["user", "id"]'] == ['"one"', "2"]


@pytest.mark.parametrize("value", ["{}", '{"id": null}', "[1]", '"none"', "0", "false"])
def test_what_no_member_tells_stays_in_the_column_of_the_object_word_for_word(value):
    held = unfold(FLAT, user=[value, '{"id": 1}', None])

    assert held.pop("user") == [value, None, None]
    assert held.pop('["user", "id"]') == [None, 1, None]
    assert set().union(*held.values()) == {None}


def test_so_does_what_no_member_of_a_member_tells():
    held = unfold(FLAT, user=['{"team": {}}', '{"team": 7}', '{"team": {"name": "a"}}'])

    assert held['["user", "team"]'] == ["{}", "7", None]
    assert held['["user", "team", "name"]'] == [None, None, "a"]
    assert "user" not in held


def test_a_null_gives_nulls_and_no_column_of_its_own():
    assert unfold(FLAT, user=[None, None]).keys() == {column.name for column in FLAT}


def test_an_undeclared_property_that_is_called_as_a_member_is_told_keeps_objects_whole():
    held = unfold(FLAT, **{"user": ['{"id": 1}'], '["user", "id"]': ["7"]})

    assert held == {"user": ['{"id": 1}'], '["user", "id"]': ["7"]}


# ── from one batch to the next ───────────────────────────────────────────────────────────────────


def batches_of(nesting, *records):
    """Each record in a batch of its own."""
    schema = {"type": "SCHEMA", "stream": "s", "schema": {"properties": {"user": USER}}}
    said = [schema, *({"type": "RECORD", "stream": "s", "record": record} for record in records)]

    def table_of(schema: Schema) -> Table:
        return table_for(schema, Mode.APPEND, key=(), generation=None, nesting=nesting)

    def blocks():
        for message in said:
            yield json.dumps(message).encode() + b"\n" + json.dumps({"type": "STATE", "value": 1}).encode() + b"\n"

    return batches(
        checkpoints(
            read_messages(blocks(), no_files),
            CommitPolicy(0, 0),
            table_of=table_of,
            clock=lambda: 0.0,
            now=lambda: 0,
        )
    )


@pytest.mark.parametrize("nesting", [Nesting(Nested.STRUCT), Nesting(flatten=1), Nesting(flatten=2), WHOLE])
def test_once_a_nested_value_has_grown_later_batches_have_the_same_columns(nesting):
    odd = {"id": 1.5, "more": [], "team": {"name": 7, "lead": 1}}
    first, second, third, fourth = batches_of(
        nesting, {"user": {"id": 1}}, {"user": odd}, {"user": {}}, {"user": {"id": 2}}
    )

    assert second.table.columns[1:] == third.table.columns[1 : len(second.table.columns)]
    assert third.table == fourth.table
    assert first.rows.num_rows == 1


def test_a_column_of_its_own_is_read_as_its_schema_says_whatever_came_before():
    first, second = batches_of(Nesting(flatten=1), {"user": {"id": 1.5}}, {"user": {"id": 2}})

    assert (first.table.columns[0].type.kind, second.table.columns[0].type) == ("number", INTEGER)
