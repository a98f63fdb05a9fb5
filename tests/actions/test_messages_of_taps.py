"""The ways in which taps speak, beside that of the specification, land right through a run."""

import json

import pytest

from orchestrator.events import Event, Note
from orchestrator.state import Status
from tests.workspaces import PROGRAM


@pytest.fixture
def says(workspace):
    """A function that runs a tap which says these messages, or these lines."""
    workspace.install("config", "state", program=str(PROGRAM.parent / "tap_verbatim.py"))

    def run(*messages, **options):
        lines = [each if isinstance(each, str) else json.dumps(each) for each in messages]
        workspace.behave(messages=lines)
        return workspace.run(**options)

    return run


def schema(properties=None, *, stream="s", key=("id",), **more):
    said = {"properties": properties} if properties is not None else {}
    return {"type": "SCHEMA", "stream": stream, "schema": said | more, "key_properties": list(key)}


def record(**members):
    return {"type": "RECORD", "stream": "s", "record": members}


def state(value):
    return {"type": "STATE", "value": value}


ID, TEXT = {"id": {"type": "integer"}}, {"type": ["null", "string"]}


# ── what a schema leaves open ────────────────────────────────────────────────────────────────────


def test_a_column_that_is_in_no_schema_lands(workspace, says):
    says(schema(ID), record(id=1), record(id=2, color="red"), record(id=3, size=1.5, color=None))

    assert workspace.rows("s", "id, color, size") == [(1, None, None), (2, '"red"', None), (3, None, "1.5")]


@pytest.mark.parametrize("open", [{}, {"type": "object"}, {"properties": {}}, {"additionalProperties": True}])
def test_a_stream_without_properties_lands(workspace, says, open):
    said = schema(key=()) | {"schema": open}

    says(said, record(id=1, name="a"), record(id=2, name="b"))

    assert [(json.loads(id), json.loads(name)) for id, name in workspace.rows("s", "id, name")] == [(1, "a"), (2, "b")]


def test_a_schema_that_is_repeated_before_every_record_lands_once(workspace, says):
    said = schema(ID | {"name": TEXT})

    says(said, record(id=1, name="a"), said, said, record(id=2, name="b"), said, state({"s": 2}))

    assert workspace.rows("s", "id, name") == [(1, "a"), (2, "b")]


def test_a_schema_that_changes_between_records_and_between_runs_keeps_every_value(workspace, says):
    says(
        *(schema(ID | {"size": {"type": "integer"}}), record(id=1, size=1)),
        *(schema(ID | {"size": {"type": "number"}, "name": TEXT}), record(id=2, size=2.5, name="b")),
    )
    says(schema(ID | {"name": TEXT}), record(id=3, name="c"))

    assert workspace.rows("s", "id, size, name") == [(1, 1.0, None), (2, 2.5, "b"), (3, None, "c")]


# ── around the bookmark ──────────────────────────────────────────────────────────────────────────


def test_a_record_that_repeats_at_the_bookmark_is_there_once(workspace, says):
    said = schema(ID | {"name": TEXT})
    says(said, record(id=1, name="a"), record(id=2, name="b"), state({"s": 2}))

    says(said, record(id=2, name="b"), record(id=3, name="c"), state({"s": 3}))

    assert workspace.rows("s", "id, name") == [(1, "a"), (2, "b"), (3, "c")]


def test_records_after_the_last_state_land_when_the_tap_ends_well(workspace, says):
    says(schema(ID), record(id=1), state({"s": 1}), record(id=2), record(id=3))

    assert workspace.rows("s", "id") == [(1,), (2,), (3,)]
    assert workspace.held_state() == b'{"s": 1}'


STATES = {
    "flat": '{"issues": "2026-01-01T00:00:00Z", "project_3101": 5}',
    "nested": '{"bookmarks": {"s": {"updated_at": "2026-01-01", "deep": {"er": [1, {"x": null}]}}}}',
    "partitions": '{"bookmarks": {"s": {"partitions": [{"context": {"id": 7}, "replication_key_value": 1.50}]}}}',
    "progress markers": '{"bookmarks": {"s": {"progress_markers": {"Note": "x", "replication_key_value": "b"}, '
    '"starting_replication_value": "a"}}}',
    "currently syncing": '{"currently_syncing": "gone", "bookmarks": {}}',
    "spelled otherwise": '{ "a":1e2 , "é" : "\\u00e9", "n":12345678901234567890.10}',
    "no object": '["2026-01-01", 3]',
}


@pytest.mark.parametrize("text", STATES.values(), ids=STATES)
def test_a_state_of_any_form_comes_back_as_the_tap_wrote_it(workspace, says, text):
    says(schema(ID), record(id=1), f'{{"type": "STATE", "value": {text}}}')

    second = says(schema(ID), f'{{"type": "STATE", "value": {text}}}')

    assert workspace.paths.tap_log("shop", 2).read_text() == f"INFO began at {text}\n"
    assert workspace.held_state() == text.encode()
    assert second.run.status is Status.SUCCEEDED


@pytest.mark.parametrize("empty", [{}, {"bookmarks": {}}, None])
@pytest.mark.parametrize("then", [[], [state({"s": 2})]])
def test_an_empty_state_at_the_start_keeps_the_bookmark(workspace, says, empty, then):
    says(schema(ID), record(id=1), state({"s": 1}))
    heard: list[Event] = []

    says(state(empty), schema(ID), *then, listen=heard.append)

    assert workspace.held_state() == (b'{"s": 2}' if then else b'{"s": 1}')
    told = [event.text for event in heard if isinstance(event, Note)]
    assert told == ([] if then else ["the tap sent an empty STATE; the bookmark it had before is kept"])
