"""Whatever rows a tap says, in whatever blocks they come: what is staged is what a plain reading of the JSON finds."""

import json
import math
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.load.batch import Batch
from orchestrator.load.commit import Checkpoint, CommitPolicy, checkpoints
from orchestrator.protocol.reading import read_messages
from orchestrator.protocol.schemas import Kind
from tests.load.settling import table_of
from tests.protocol.saying import no_files

# ── what a tap may say ───────────────────────────────────────────────────────────────────────────

INTEGERS = st.integers(-(10**40), 10**40) | st.integers(-100, 100)
NUMBERS = INTEGERS | st.floats() | st.decimals(allow_nan=False, allow_infinity=False, places=19)
ZONES = st.none() | st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
INSTANTS = st.builds(datetime.combine, st.dates(date(1, 1, 3), date(9999, 12, 29)), st.times(), ZONES).map(
    datetime.isoformat
)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=5,
)

PROPERTIES: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {
    "integer": ({"type": "integer"}, INTEGERS | st.floats(allow_nan=False, allow_infinity=False, width=32)),
    "number": ({"type": ["null", "number"]}, NUMBERS),
    "decimal": ({"type": "number", "multipleOf": 0.001}, NUMBERS),
    "text": ({"type": "string"}, st.text() | NUMBERS),
    "boolean": ({"type": "boolean"}, st.booleans()),
    "instant": (
        {"type": "string", "format": "date-time"},
        INSTANTS | st.dates().map(date.isoformat) | st.just("never"),
    ),
    "date": ({"type": "string", "format": "date"}, st.dates().map(date.isoformat) | INSTANTS | st.just("2024-02-30")),
    "time": ({"type": "string", "format": "time"}, st.times().map(time.isoformat) | st.just("24:00")),
    "json": ({}, JSON),
    "nothing": ({"type": "null"}, JSON),
}
STREAMS = ["orders", "users", 'odd "stream"']


@st.composite
def columns(draw):
    kinds = draw(st.lists(st.sampled_from(sorted(PROPERTIES)), max_size=5))
    return {f"{kind} {number}{draw(st.sampled_from(['', 'é', chr(34)]))}": kind for number, kind in enumerate(kinds)}


@st.composite
def sayings(draw):
    """Lines of text: schemas, then records of their streams, among them STATEs."""
    shapes = {stream: draw(columns()) for stream in STREAMS[: draw(st.integers(1, 3))]}
    lines = [
        said({"type": "SCHEMA", "stream": stream, "schema": {"properties": described(shape)}, "key_properties": []})
        for stream, shape in shapes.items()
    ]
    for number in range(draw(st.integers(0, 12))):
        stream = draw(st.sampled_from(list(shapes)))
        if draw(st.integers(0, 4)) == 0:
            lines.append(said({"type": "STATE", "value": number}))
        values = {
            name: draw(st.none() | PROPERTIES[kind][1]) for name, kind in shapes[stream].items() if draw(st.booleans())
        }
        undeclared = {"new": draw(JSON)} if draw(st.integers(0, 4)) == 0 else {}
        lines.append(said({"type": "RECORD", "stream": stream, "record": {**values, **undeclared}}))
    return lines


def described(shape):
    return {name: PROPERTIES[kind][0] for name, kind in shape.items()}


def said(value: Any) -> str:
    """JSON with decimals as they are, which Python does not write."""
    match value:
        case Decimal():
            return f"{value:f}"
        case dict():
            return "{" + ", ".join(f"{json.dumps(name)}: {said(each)}" for name, each in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(said, value)) + "]"
        case _:
            return json.dumps(value)


# ── what was understood ──────────────────────────────────────────────────────────────────────────


def staged(blocks):
    """The rows of each stream, as lists of (name, type, value)."""
    found: dict[str, list[dict[str, tuple[Kind, Any]]]] = {}
    for step in checkpoints(
        read_messages(blocks, no_files),
        CommitPolicy(3, math.inf),
        table_of=table_of,
        clock=lambda: 0,
        now=lambda: 0,
    ):
        if isinstance(step, Batch):
            arrays = [step.rows.column(place).to_pylist() for place in range(len(step.table.columns))]
            for values in zip(*arrays, strict=True) if arrays else [()] * step.rows.num_rows:
                row = {
                    column.name: (column.type.kind, value)
                    for column, value in zip(step.table.columns, values, strict=True)
                }
                found.setdefault(step.table.stream, []).append(row)
        elif isinstance(step, Checkpoint):
            assert step.sequence == sum(map(len, found.values()))
    return found


def plainly(line):
    """A line as Python's own reader sees it, digits kept."""
    return json.loads(line, parse_float=Decimal)


def same(kind, value, meant):
    """Whether a staged value is what the JSON means."""
    if meant is None or value is None:
        return value is meant
    match kind:
        case Kind.JSON:
            return as_kept(plainly(value)) == as_kept(meant)
        case Kind.TEXT:
            return value == meant if isinstance(meant, str) else as_kept(plainly(value)) == as_kept(meant)
        case Kind.INTEGER | Kind.DECIMAL:
            return Decimal(value) == Decimal(meant)
        case Kind.NUMBER:
            return value == float(meant) or (math.isnan(value) and math.isnan(meant))
        case Kind.TIMESTAMP:
            instant = datetime.fromisoformat(meant)
            return value == (instant if instant.tzinfo else instant.replace(tzinfo=UTC))
        case Kind.DATE | Kind.TIME:
            return value == type(value).fromisoformat(meant)
        case _:
            return value is meant


def as_kept(value: Any) -> Any:
    """Constants that JSON does not know are kept as texts of their names."""
    match value:
        case dict():
            return {name: as_kept(each) for name, each in value.items()}
        case list():
            return [as_kept(each) for each in value]
        case float():
            return json.dumps(value)
        case _:
            return value


@given(sayings(), st.lists(st.integers(0, 5000), max_size=20))
def test_rows_are_what_a_plain_reading_of_the_json_finds(lines, cuts):
    text = "".join(f"{line}\n" for line in lines).encode()
    marks = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    meant: dict[str, list[dict[str, Any]]] = {}
    for message in map(plainly, lines):
        if message["type"] == "RECORD":
            meant.setdefault(message["stream"], []).append(message["record"])

    found = staged(text[start:end] for start, end in pairwise(marks))

    assert {stream: len(rows) for stream, rows in found.items()} == {
        stream: len(rows) for stream, rows in meant.items()
    }
    for stream, rows in meant.items():
        for row, understood in zip(rows, found[stream], strict=True):
            assert row.keys() <= understood.keys()
            for name, (kind, value) in understood.items():
                assert same(kind, value, row.get(name)), (stream, name, kind, value, row.get(name))
