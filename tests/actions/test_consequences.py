"""Discovery tells what a drift means for the tables, and the next run does what was told."""

import json

import pytest

from orchestrator.actions.starting import discover_tap, prepare
from tests.workspaces import FLOW, PROGRAM, TAP

TEXT = {"type": ["null", "string"]}


def stream(name, properties, *, key=("id",), **root):
    said = {"table-key-properties": list(key), "selected": True, **root}
    schema = {"type": "object", "properties": {"id": {"type": "integer"}} | properties}
    return {
        "tap_stream_id": name,
        "stream": name,
        "key_properties": list(key),
        "schema": schema,
        "metadata": [{"breadcrumb": [], "metadata": said}],
    }


@pytest.fixture
def offers(workspace):
    """A function that makes these streams what the tap offers, sends one row of each in a run, and gives what
    discovery said of it before: sentences, each with what it means."""
    workspace.install("catalog", "config", "discover", "state", program=str(PROGRAM.parent / "tap_verbatim.py"))

    def offer(*streams, rows=None, run=True):
        kept = workspace.paths.catalog(TAP)
        before = kept.read_bytes() if kept.exists() else None
        messages = [
            line
            for each in streams
            for line in (
                {"type": "SCHEMA", **{key: each[key] for key in ("stream", "schema", "key_properties")}},
                {"type": "RECORD", "stream": each["stream"], "record": (rows or {}).get(each["stream"], {"id": 1})},
            )
        ]
        workspace.behave(
            messages=[*map(json.dumps, messages), '{"type": "STATE", "value": {"a": 1}}'],
            catalog={"streams": list(streams)},
        )
        if before is not None:
            kept.write_bytes(before)
        found = discover_tap(workspace.paths, prepare(workspace.paths, workspace.config.tap(TAP)), [FLOW])
        if run:
            workspace.run()
        return {str(change): found.means.get(change) for change in found.changes}

    return offer


def column_type(workspace, column):
    """As the destination holds it, in the words of SQL."""
    with workspace.reading() as rows:
        ((type,),) = rows("orders", f"distinct typeof({column})")
    return type


@pytest.mark.parametrize(
    ("was", "comes", "row", "means", "type"),
    [
        ("integer", "number", 1.5, "orders.amount will become DOUBLE at the next run (VARCHAR, should a value not fit)",
         "DOUBLE"),
        ("integer", "string", "x", "orders.amount will become VARCHAR at the next run", "VARCHAR"),
        ("number", "integer", 1, "column amount stays DOUBLE", "DOUBLE"),
        ("string", "integer", 1, "column amount stays VARCHAR", "VARCHAR"),
        ("boolean", "object", {}, "orders.amount will become JSON at the next run", "JSON"),
    ],
)  # fmt: skip
def test_a_type_that_changes_is_told_as_the_type_of_the_column(workspace, offers, was, comes, row, means, type):
    offers(stream("orders", {"amount": {"type": was}}))

    told = offers(stream("orders", {"amount": {"type": comes}}), rows={"orders": {"id": 2, "amount": row}})

    assert told == {f"orders.amount was {was}, is now {comes}": means}
    if workspace.types["warehouse"] == "duckdb":
        assert column_type(workspace, "amount") == type


def test_a_column_that_comes_and_one_that_goes(workspace, offers):
    offers(stream("orders", {"note": TEXT}), rows={"orders": {"id": 1, "note": "a"}})

    told = offers(stream("orders", {"total": {"type": "number"}}), rows={"orders": {"id": 2, "total": 1.5}})

    assert told == {
        "orders.total is new: number": (
            "orders.total is added as DOUBLE at the next run; rows that are there have NULL in it"
        ),
        "orders.note is gone": "column note stays; new rows have NULL in it",
    }
    assert workspace.rows("orders", "id, note, total") == [(1, "a", None), (2, None, 1.5)]


def test_what_is_not_selected_changes_no_table(workspace, offers):
    workspace.choose(select=["orders", "!orders.note", "!orders.size"])
    offers(stream("orders", {"note": TEXT, "size": TEXT}))

    told = offers(stream("orders", {"note": {"type": "integer"}, "size": TEXT}), stream("labels", {}))

    assert told == {
        "orders.note was string or null, is now integer": "it is not selected",
        "stream labels is new": "it is not selected",
    }


def test_streams_that_come_and_go(offers):
    offers(stream("orders", {}), stream("labels", {}))

    assert offers(stream("orders", {}), stream("users", {})) == {
        "stream users is new": "it gets a table at the next run",
        "stream labels is gone": "its table stays, and gets no more rows",
    }


@pytest.mark.parametrize(
    ("settings", "means", "columns"),
    [
        ({}, "column buyer stays JSON", ["buyer"]),
        (
            {"nested": "struct"},
            'orders.buyer will become STRUCT("name" VARCHAR, "email" VARCHAR) at the next run',
            ["buyer"],
        ),
        (
            {"flatten": 1},
            "orders.buyer.email is added as VARCHAR at the next run; rows that are there have NULL in it",
            ["buyer__name", "buyer__email"],
        ),
    ],
)
def test_what_lies_deeper_is_told_as_it_lands(workspace, offers, settings, means, columns):
    def orders(**below):
        return stream("orders", {"buyer": {"type": "object", "properties": below}})

    workspace.choose(**settings)
    offers(orders(name=TEXT), rows={"orders": {"id": 1, "buyer": {"name": "a"}}})

    told = offers(orders(name=TEXT, email=TEXT), rows={"orders": {"id": 2, "buyer": {"name": "b", "email": "c"}}})

    assert told == {"orders.buyer.email is new: string or null": means}
    assert len(workspace.rows("orders", f"id, {', '.join(columns)}")) == 2


def test_another_key_and_another_way_to_read(workspace, offers):
    incremental = {"replication-method": "INCREMENTAL", "replication-key": "id"}
    offers(stream("orders", {}, **incremental), stream("labels", {}))

    told = offers(
        stream("orders", {}, **{"replication-method": "FULL_TABLE"}), stream("labels", {"code": TEXT}, key=["code"]),
        rows={"labels": {"id": 1, "code": "a"}},
    )  # fmt: skip

    assert told["orders was read as incremental by id, is now full table"] == "each run reads all of it"
    assert told["the key of labels was id, is now code"] == "rows are matched by code from the next run on"


def test_nothing_is_told_about_tables_that_are_not_there(offers):
    offers(stream("orders", {"note": TEXT}), run=False)

    assert offers(stream("orders", {"note": {"type": "integer"}}), run=False) == {
        "orders.note was string or null, is now integer": None
    }
