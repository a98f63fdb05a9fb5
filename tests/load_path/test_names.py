"""Any name that a tap gives lands inside the destination, apart from every other name."""

import os

import pytest

from tests.destinations.landing import record, schema, state, text_of
from tests.faults.names import landed, opened
from tests.load_path.places import KINDS, Place

PATH_LIKE = [
    "../outside",
    "../../outside",
    "/tmp/outside",
    "..",
    ".",
    "a/../../b",
    "..\\outside",
    "~/outside",
    "$HOME",
    "%2e%2e%2foutside",
    "a\x00b",
    "-rf",
    "con",
    " ",
    "_orchestrator",
    "_orchestrator/load/manifest-00000001.json",
    ".hidden",
    "*",
    "'; DROP TABLE x; --",
    '"',
    "a=b",
    "x" * 1000,
    "日" * 300,
    "\u202e\u200b",
]


def files_below(folder):
    return {os.path.join(at, name) for at, _, names in os.walk(folder) for name in names}


def test_a_stream_that_is_named_like_a_path_stays_inside(place, tmp_path):
    said = place.load(text_of(*(m for name in PATH_LIKE for m in (schema(name, id="integer"), record(name, id=1)))))

    assert said.exit_code == 0, said.err
    assert {name: table.rows for name, table in place.tables().items()} == {name: [{"id": 1}] for name in PATH_LIKE}
    out = tmp_path / "out"
    inside = f"{place.root}/" if place.kind == "parquet" else f"{place.root}"
    assert [path for path in files_below(tmp_path) if not path.startswith(inside)] == []
    assert not (out.parent / "outside").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_names_of_streams_and_columns_are_each_has_one_table_inside_and_is_found_again(kind, tmp_path):
    """`make faults` tries ten thousand."""
    tried = landed(kind, tmp_path, 200)

    assert (tried.count >= 200, tried.complaint) == (True, "")


def test_whatever_files_of_a_batch_and_taps_are_called_nothing_outside_is_reached(tmp_path):
    tried = opened(tmp_path, 200)

    assert (tried.count >= 200, tried.complaint) == (True, "")


def test_a_flow_keeps_its_path_whatever_its_streams_are_named(tmp_path):
    """A table of a parquet folder is never one of the files that we keep of ourselves."""
    place = Place("parquet", tmp_path)

    place.load(text_of(schema("_orchestrator", id="integer"), record("_orchestrator", id=1), state(1)))
    said = place.load(text_of(schema("_orchestrator", id="integer"), record("_orchestrator", id=2), state(2)))

    assert said.exit_code == 0, said.err
    assert place.tables()["_orchestrator"].rows == [{"id": 1}, {"id": 2}]
    assert not place.names()[0].startswith("_")


def test_streams_that_differ_in_case_or_in_a_sign_have_tables_of_their_own(place):
    names = [
        "users",
        "Users",
        "USERS",
        "a-users",
        "b-users",
        "a_users",
        "a.users",
        "a users",
        "ß",
        "ss",
        "é",
        "e\u0301",
    ]

    for number in (1, 2):
        said = place.load(
            text_of(
                *(m for name in names for m in (schema(name, ["id"], id="string"), record(name, id=name, n=number)))
            )
        )
        assert said.exit_code == 0, said.err

    assert {name: table.rows for name, table in place.tables().items()} == {
        name: [{"id": name, "n": "2"}] for name in names
    }
    folded = [name.casefold() for name in place.names()]
    assert len(set(folded)) == len(names)


def test_columns_that_differ_in_case_or_in_a_sign_stand_beside_each_other(place):
    names = [
        "id",
        "ID",
        "Id",
        "a b",
        "a_b",
        "a-b",
        "a.b",
        "",
        "_",
        "__",
        "select",
        'a"b',
        "a'b",
        "é",
        "e\u0301",
        "x" * 300,
    ]
    ours = ["_sdc_sequence", "_SDC_Sequence", "_sdc_received_at", "_sdc_table_version", "_sdc_extracted_at"]
    columns = dict.fromkeys([*names, *ours], "string")

    said = place.load(text_of(schema("s", ["ID"], **columns), record("s", **{name: name for name in columns})))

    assert said.exit_code == 0, said.err
    assert place.tables()["s"].rows == [{name: name for name in columns}]


def test_a_name_that_came_later_does_not_take_the_place_of_an_earlier_one(place):
    place.load(text_of(schema("s", ["ID"], ID="integer"), record("s", ID=1)))
    said = place.load(text_of(schema("s", ["ID"], id="string", ID="integer"), record("s", id="a", ID=1)))

    assert said.exit_code == 0, said.err
    table = place.tables()["s"]
    assert table.columns["ID"] == "ID"
    assert table.rows == [{"ID": 1, "id": "a"}]


@pytest.mark.parametrize("count", [1500])
def test_a_table_of_very_many_columns(place, count):
    names = [f"c{number}" for number in range(count)]
    messages = [schema("s", ["c0"], **dict.fromkeys(names, "integer"))]
    messages += [record("s", **dict.fromkeys(names, row)) for row in range(20)]
    # One that comes again, and one that widens every column.
    messages += [record("s", **dict.fromkeys(names, 3)), record("s", **{**dict.fromkeys(names, 0.5), "c0": 20})]

    said = place.load(text_of(*messages, state(1)))

    assert said.exit_code == 0, said.err
    table = place.tables()["s"]
    assert len(table.types) == count
    assert [row["c1499"] for row in table.rows] == [row for row in range(20) if row != 3] + [3, 0.5]


def test_a_stream_without_a_name_is_refused(place):
    said = place.load(text_of(schema("", id="integer"), record("", id=1), state(1)))

    assert (said.exit_code, said.states, place.names()) == (1, [], [])
    assert "line 1: a SCHEMA names no stream" in said.err


def test_a_schema_without_properties_lands_rows_with_the_members_they_have(place):
    messages = {"type": "SCHEMA", "stream": "s", "schema": {"type": "object"}, "key_properties": ["id"]}

    said = place.load(text_of(messages, record("s", id=1, a={"b": 1}), record("s", id=2), record("s", id=1, a=2)))

    assert said.exit_code == 0, said.err
    assert place.tables()["s"].rows == [{"id": "2", "a": None}, {"id": "1", "a": "2"}]
