"""A table grows to hold whatever comes, and nothing that landed is narrowed or lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.load.evolution import Growth, Landed, Widening, grow, wider
from orchestrator.load.table import Table
from orchestrator.protocol.schemas import (
    BOOLEAN,
    DATE,
    INTEGER,
    JSON,
    NOTHING,
    NUMBER,
    TEXT,
    TIME,
    TIMESTAMP,
    Column,
    decimal,
)

TYPES = [NOTHING, BOOLEAN, INTEGER, NUMBER, DATE, TIME, TIMESTAMP, TEXT, JSON, decimal(0), decimal(2), decimal(38)]
DECIMALS = tuple(map(decimal, range(39)))
types = st.sampled_from(TYPES)


@given(types, types)
def test_it_does_not_matter_which_of_two_types_came_first(one, other):
    assert wider(one, other) == wider(other, one)


@given(types, types)
def test_the_last_candidate_can_hold_the_values_of_both(one, other):
    last = wider(one, other)[-1]

    assert last in (TEXT, JSON) or {one, other} <= {last, NOTHING}


@pytest.mark.parametrize(
    ("one", "other", "candidates"),
    [
        (INTEGER, INTEGER, (INTEGER,)),
        (NOTHING, DATE, (DATE,)),
        (NOTHING, NOTHING, (NOTHING,)),
        (INTEGER, NUMBER, (NUMBER, *DECIMALS, TEXT)),
        (INTEGER, decimal(2), (decimal(2), *DECIMALS[:2], *DECIMALS[3:], TEXT)),
        (decimal(2), decimal(38), (decimal(38), *DECIMALS[:38], TEXT)),
        (decimal(2), NUMBER, (decimal(2), NUMBER, *DECIMALS[:2], *DECIMALS[3:], TEXT)),
        (DATE, TIMESTAMP, (TIMESTAMP, TEXT)),
        (DATE, TIME, (TEXT,)),
        (BOOLEAN, INTEGER, (TEXT,)),
        (TEXT, INTEGER, (TEXT,)),
        (JSON, INTEGER, (JSON,)),
        (TEXT, JSON, (JSON,)),
    ],
)
def test_two_types_have_the_narrowest_that_may_hold_both(one, other, candidates):
    assert wider(one, other) == candidates


def landed(**columns):
    return Landed("orders", "orders", ("id",), {said: Column(said, type) for said, type in columns.items()})


def table(key=("id",), **columns):
    return Table("orders", tuple(Column(said, type) for said, type in columns.items()), key)


def test_a_table_that_fits_does_not_grow():
    held = landed(id=INTEGER, name=TEXT)

    assert grow(held, table(name=TEXT, id=INTEGER)) == (held, Growth())
    assert grow(held, table(id=INTEGER)) == (held, Growth())
    assert grow(held, table(id=NOTHING)) == (held, Growth())


def test_new_columns_are_added_and_old_ones_stay():
    grown, growth = grow(landed(id=INTEGER, old=TEXT), table(id=INTEGER, new=DATE))

    assert growth == Growth(added=(Column("new", DATE),))
    assert list(grown.columns) == ["id", "old", "new"]


def test_a_column_that_needs_another_type_is_widened():
    _, growth = grow(landed(id=INTEGER), table(id=NUMBER))

    assert growth == Growth(widened=(Widening("id", "id", INTEGER, wider(INTEGER, NUMBER)),))


def test_a_key_that_changes_is_told():
    grown, growth = grow(landed(id=INTEGER), table(key=("id", "at"), id=INTEGER, at=DATE))

    assert growth.rekeyed
    assert grown.key == ("id", "at")


def test_columns_keep_apart_from_each_other_and_from_ours_whatever_they_are_called():
    said = ["a", "A", "a-b", "a_b", "_sdc_sequence", "_SDC_SEQUENCE", "_sdc_deleted_at"]

    grown, growth = grow(Landed("s", "s"), Table("s", tuple(Column(name, TEXT) for name in said)))

    names = [column.name.casefold() for column in growth.added]
    assert len({*names, "_sdc_sequence", "_sdc_deleted_at"}) == len(said) + 2
    assert [grown.columns[name].name for name in ("a", "a-b")] == ["a", "a_b"]


def test_a_column_keeps_the_name_it_once_got():
    first, _ = grow(Landed("s", "s"), Table("s", (Column("a", TEXT), Column("A", TEXT))))

    second, growth = grow(first, Table("s", (Column("A", TEXT), Column("a", TEXT))))

    assert second == first
    assert growth == Growth()
