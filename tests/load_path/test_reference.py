"""Streams that hypothesis makes up land in both destinations as the reference says, however they are written."""

import os
import random
import tempfile
from dataclasses import replace
from decimal import Context, Decimal, InvalidOperation
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, note, settings
from hypothesis import strategies as st

from orchestrator.config import WHOLE, Nesting
from orchestrator.errors import RunFailed
from tests.load_path.agreement import check
from tests.load_path.faithful import DIGITS_OF_A_DOUBLE, moment, read_json
from tests.load_path.places import KINDS, Place, Table
from tests.load_path.reference import Reference, Told
from tests.load_path.sources import Message, arranged, growing, manners, source
from tests.load_path.spelling import Manner, Number

# The same examples each time; ORCHESTRATOR_TEST_EXAMPLES=20000 makes a night of new ones.
_night = os.environ.get("ORCHESTRATOR_TEST_EXAMPLES")
properties = settings(
    max_examples=int(_night or 40),
    derandomize=_night is None,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
EXACT = Context(prec=1000)


@pytest.mark.parametrize("kind", KINDS)
@given(runs=source(), manner=manners(), chance=st.randoms(), commit_rows=st.integers(1, 9), soft_delete=st.booleans())
@properties
def test_what_lands_is_what_the_reference_says(kind, runs, manner, chance, commit_rows, soft_delete):
    with folder() as name:
        place, reference = Place(kind, Path(name)), Reference(commit_rows, soft_delete)
        for number, said in enumerate(runs):
            text = manner.write(arranged(said, chance, first_state=100 * number), place.folder / "batches")
            note(text.decode())

            told = load(place, text, manner, commit_rows=commit_rows, soft_delete=soft_delete)

            expected = reference.load(text)
            assert (told.refused is None) == (expected.refused is None), (told.refused, expected.refused)
            assert told.states == expected.states
            check(place, reference)


@pytest.mark.parametrize("kind", KINDS)
@given(runs=source(odd=False), one=manners(), other=manners(), chance=st.randoms(), soft_delete=st.booleans())
@properties
def test_the_same_rows_written_in_another_way_give_the_same_tables(kind, runs, one, other, chance, soft_delete):
    """Another way: blocks of any size, STATEs and commits elsewhere, members in any order, streams interleaved anew."""
    with folder() as name:
        tables = []
        for number, manner in enumerate((one, other)):
            place = Place(kind, Path(name) / str(number))
            for said in runs:
                text = manner.write(arranged(said, chance), place.folder / "batches")
                note(text.decode())
                told = load(place, text, manner, commit_rows=chance.randint(1, 9), soft_delete=soft_delete)
                assume(told.refused is None)
            tables.append({stream: comparable(table) for stream, table in place.tables().items()})

        assert tables[0] == tables[1]


@pytest.mark.parametrize("kind", KINDS)
@given(said=growing(), manner=manners(), states=st.sets(st.integers(0, 6)), commit_rows=st.integers(1, 3))
@properties
def test_a_column_ends_with_the_same_type_and_values_wherever_commits_fall(kind, said, manner, states, commit_rows):
    schema, records = said
    # In a column that became text, objects are as they were written.
    manner = replace(manner, shuffled=None)
    with folder() as name:
        tables = []
        for number, pauses in enumerate(([], states, range(7))):
            place = Place(kind, Path(name) / str(number))
            messages = [schema]
            for index, record in enumerate(records):
                messages += [record, {"type": "STATE", "value": index}] if index in pauses else [record]
            text = manner.write(messages, place.folder / "batches")
            note(text.decode())
            assume(load(place, text, manner, commit_rows=commit_rows).refused is None)
            tables.append(comparable(place.tables()["s"]))

        assert tables[0] == tables[1] == tables[2]


@pytest.mark.parametrize("kind", KINDS)
def test_many_rows_land_as_the_reference_says_too(kind, tmp_path):
    """So many that they are gathered, cut and halved on their way."""
    chance = random.Random(kind)
    declared = {name: {"type": type} for name, type in {"id": "integer", "n": "number", "text": "string"}.items()}
    schema = {"properties": {**declared, "at": {"type": "string", "format": "date-time"}, "some": {}}}
    messages: list[Message] = [
        {"type": "SCHEMA", "stream": stream, "schema": schema, "key_properties": key}
        for stream, key in (("keyed", ["id"]), ("keyless", []))
    ]
    for number in range(12_000):
        # One value in a thousand asks for a wider column, now in this stream, now in that.
        odd = chance.randrange(1000)
        record = {
            "id": chance.randrange(50),
            "n": Number("0.123456789012345678901" if odd == 0 else chance.random()),
            "text": [number] if odd == 1 else str(number),
            "at": "soon" if odd == 2 else f"2024-01-01T00:00:00.{number:06}Z",
            "some": {"number": number},
        }
        if odd == 3:
            record["undeclared"] = number
        messages.append({"type": "RECORD", "stream": chance.choice(["keyed", "keyless"]), "record": record})
        if chance.random() < 0.001:
            messages.append({"type": "STATE", "value": number})
    place, reference = Place(kind, tmp_path), Reference(commit_rows=5000)
    manner = Manner(sizes=(100_000, 3, 900_000, 40_000))
    text = manner.write(messages, tmp_path)

    told = load(place, text, manner, commit_rows=5000)

    assert told == reference.load(text)
    check(place, reference)


# ── loading and comparing ────────────────────────────────────────────────────────────────────────


def folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="load-path-")


def load(
    place: Place,
    text: bytes,
    manner: Manner,
    *,
    commit_rows: int,
    soft_delete: bool = False,
    nesting: Nesting = WHOLE,
    on_bad_line: str = "fail",
) -> Told:
    """What a load tells, in the words of the reference."""
    states: list[bytes] = []
    refused = None
    try:
        place.load_here(
            manner.blocks(text),
            states,
            commit_rows=commit_rows,
            soft_delete=soft_delete,
            nested=nesting.nested,
            flatten=nesting.flatten,
            on_bad_line=on_bad_line,
            batch_roots=(place.folder,),
        )
    except RunFailed as error:
        refused = str(error)
    assert all(state in text for state in states), "a state is passed on word for word"
    return Told([read_json(state) for state in states], refused)


def comparable(table: Table) -> object:
    """The table without what only its place decides: the names of columns that collide, and the spacing of JSON."""
    rows = [
        {said: normal(value, table.types[said]) for said, value in row.items()} | {"deleted": deleted}
        for row, deleted in zip(table.rows, table.deleted, strict=True)
    ]
    return table.types, rows


def normal(value: object, type: str) -> object:
    """What the value says. How a column that became text spells the numbers and times that it held before depends on
    what it was when they came."""
    if type == "JSON" and isinstance(value, str):
        return in_order(read_json(value))
    if isinstance(value, str):
        return next((str(said) for said in (number(value), moment(value)) if said is not None), value)
    # Of its sign a zero is rid where integers become doubles.
    return repr(value + 0.0 if isinstance(value, float) else value)


def number(text: str) -> Decimal | None:
    try:
        said = EXACT.plus(Decimal(text)).normalize(EXACT)
    except InvalidOperation:
        return None
    # A text of no more digits than a double has may have been one.
    return Decimal(float(said)) if len(said.as_tuple().digits) <= DIGITS_OF_A_DOUBLE else said


def in_order(value: object) -> object:
    if isinstance(value, dict):
        return {name: in_order(value[name]) for name in sorted(value)}
    if isinstance(value, Decimal) and value.is_finite():
        return str(EXACT.plus(value).normalize(EXACT))
    return [in_order(item) for item in value] if isinstance(value, list) else repr(value)
