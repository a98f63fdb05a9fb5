"""Objects and arrays land whole, whatever is made of them: text, structs and lists, columns of members."""

from pathlib import Path

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from orchestrator.config import Nested, Nesting
from tests.load_path.faithful import read_json
from tests.load_path.places import KINDS, Place
from tests.load_path.reference import Reference
from tests.load_path.sources import arranged, manners, source
from tests.load_path.test_reference import folder, load, properties
from tests.load_path.together import holds_property

NESTINGS = [Nesting(nested, flatten) for nested in Nested for flatten in (0, 1, 3)]


def check(place: Place, reference: Reference) -> None:
    """Every row holds what was sent, in whichever columns."""
    tables = place.tables()
    assert tables.keys() == reference.streams.keys()
    for name, stream in reference.streams.items():
        table = tables[name]
        assert table.deleted == [row.deleted for row in stream.rows], name
        for landed, row in zip(table.rows, stream.rows, strict=True):
            for said in stream.columns:
                sent = row.values.get(said)
                assert holds_property(landed, table, (said,), sent), (name, said, table.kinds, landed, sent)
    held = place.state()
    assert (None if held is None else read_json(held)) == reference.state


@pytest.mark.parametrize("kind", KINDS)
@given(
    runs=source(nested=True),
    nesting=st.sampled_from(NESTINGS),
    manner=manners(),
    chance=st.randoms(),
    commit_rows=st.integers(1, 9),
)
@properties
def test_nothing_of_a_nested_value_is_lost(kind, runs, nesting, manner, chance, commit_rows):
    with folder() as name:
        place, reference = Place(kind, Path(name)), Reference(commit_rows)
        for said in runs:
            text = manner.write(arranged(said, chance), place.folder / "batches")
            note(text.decode())

            told = load(place, text, manner, commit_rows=commit_rows, nesting=nesting)

            expected = reference.load(text)
            assert (told.refused is None) == (expected.refused is None), (told.refused, expected.refused)
            check(place, reference)


@pytest.mark.parametrize("kind", KINDS)
@given(
    runs=source(nested=True),
    nestings=st.lists(st.sampled_from(NESTINGS), min_size=3, max_size=3),
    manner=manners(),
    chance=st.randoms(),
)
@properties
def test_nothing_is_lost_when_the_settings_change(kind, runs, nestings, manner, chance):
    with folder() as name:
        place, reference = Place(kind, Path(name)), Reference(commit_rows=5)
        for said, nesting in zip(runs, nestings, strict=False):
            text = manner.write(arranged(said, chance), place.folder / "batches")
            note(text.decode())

            load(place, text, manner, commit_rows=5, nesting=nesting)

            reference.load(text)
            check(place, reference)
