"""Rows that come in the parquet files of a BATCH land as the same rows do that come as RECORDs."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from orchestrator.config import WHOLE, Nested, Nesting
from tests.load_path.columnar import EACH, NESTED, Values, respelled_json, said_of
from tests.load_path.places import KINDS, Place, Table
from tests.load_path.sources import KINDS as PROPERTIES
from tests.load_path.spelling import Manner
from tests.load_path.test_reference import comparable, folder, load, properties

SCHEMAS = ({"type": "null"}, *(kind.schema for kind in PROPERTIES))


@st.composite
def columns(draw: Any) -> tuple[dict[str, Any], dict[str, Values]]:
    """What the SCHEMA of a stream declares, and what the columns of its files hold."""
    declared, held = {}, {}
    for name in draw(
        st.lists(st.sampled_from(["a", "b", "n", 'q"', "_sdc_deleted_at"]), unique=True, min_size=1, max_size=3)
    ):
        if draw(st.integers(0, 9)):
            declared[name] = draw(st.sampled_from(SCHEMAS))
        if draw(st.integers(0, 9)) or name not in declared:
            held[name] = draw(st.sampled_from((*EACH, *NESTED)))
    return {name: nullable(schema) for name, schema in declared.items()}, held


def nullable(schema: dict[str, Any]) -> dict[str, Any]:
    said = schema.get("type")
    return schema if said is None else {**schema, "type": ["null", *([said] if isinstance(said, str) else said)]}


def rows_of(held: dict[str, Values]) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(
        st.fixed_dictionaries({name: st.none() | each.values for name, each in held.items()}), min_size=1, max_size=6
    )


def as_records(held, rows):
    for row in rows:
        record = {name: said_of(each, row[name]) for name, each in held.items()}
        yield {"type": "RECORD", "stream": "s", "record": record}


def as_batch(held, files, place, row_group_size):
    paths = []
    place.folder.mkdir(exist_ok=True)
    for number, rows in enumerate(files):
        table = pa.table({name: each.array([row[name] for row in rows]) for name, each in held.items()})
        paths.append(place.folder / f"{number}.parquet")
        pyarrow.parquet.write_table(table, paths[-1], row_group_size=row_group_size)
    return {"type": "BATCH", "stream": "s", "encoding": {"format": "parquet"}, "manifest": list(map(str, paths))}


def respelled(table: Table) -> Table:
    rows = [{name: respelled_json(value) for name, value in row.items()} for row in table.rows]
    return replace(table, rows=rows)


@pytest.mark.parametrize("kind", KINDS)
@given(
    data=st.data(),
    columns=columns(),
    keyed=st.booleans(),
    row_group_size=st.integers(1, 4),
    nesting=st.sampled_from([WHOLE, WHOLE, Nesting(Nested.STRUCT, 1)]),
    on_bad_line=st.sampled_from(["fail", "quarantine"]),
)
@properties
def test_rows_in_parquet_files_land_as_the_same_rows_in_records(
    kind, data, columns, keyed, row_group_size, nesting, on_bad_line
):
    declared, held = columns
    files = data.draw(st.lists(rows_of(held), min_size=1, max_size=2)) if held else [[]]
    key = [name for name in declared if keyed and name in ("a", "b")]
    schema = {"type": "SCHEMA", "stream": "s", "schema": {"properties": declared}, "key_properties": key}
    with folder() as name:
        told, tables, aside = [], [], []
        for way in ("records", "batch"):
            place = Place(kind, Path(name) / way)
            if way == "records":
                said = [record for rows in files for record in as_records(held, rows)]
            else:
                said = [as_batch(held, files, place, row_group_size)]
            text = Manner().write([schema, *said, {"type": "STATE", "value": 1}], place.folder)
            note(text.decode())
            told.append(load(place, text, Manner(), commit_rows=1, nesting=nesting, on_bad_line=on_bad_line))
            tables.append({stream: comparable(respelled(table)) for stream, table in place.tables().items()})
            aside.append(sorted(row["reason"].partition(" is ")[0] for row in place.quarantine()))

        note(json.dumps([each.refused for each in told]))
        assert (told[0].refused is None) == (told[1].refused is None)
        assert tables[0] == tables[1]
        assert aside[0] == aside[1]
