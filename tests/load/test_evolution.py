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
    MOST_MEMBERS,
    NOTHING,
    NUMBER,
    TEXT,
    TIME,
    TIMESTAMP,
    Column,
    Member,
    decimal,
    list_of,
    struct,
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


def struct_type(**members):
    return struct(Member(said, said, type) for said, type in members.items())


@pytest.mark.parametrize(
    ("one", "other", "candidates"),
    [
        (struct_type(a=TEXT, b=DATE), struct_type(b=DATE), (struct_type(a=TEXT, b=DATE),)),
        (struct_type(a=TEXT), struct_type(b=DATE), (struct_type(a=TEXT, b=DATE),)),
        (struct_type(a=NOTHING), struct_type(a=INTEGER), (struct_type(a=INTEGER),)),
        (struct_type(a=DATE), struct_type(a=TIMESTAMP), (struct_type(a=TIMESTAMP), struct_type(a=TEXT))),
        # Only texts become text inside of a struct.
        (struct_type(a=TEXT), struct_type(a=INTEGER), (struct_type(a=JSON),)),
        (struct_type(a=BOOLEAN), struct_type(a=DATE), (struct_type(a=JSON),)),
        (list_of(DATE), list_of(TIME), (list_of(TEXT),)),
        (list_of(TEXT), list_of(BOOLEAN), (list_of(JSON),)),
        (struct_type(a=struct_type(b=TEXT)), struct_type(a=list_of(TEXT)), (struct_type(a=JSON),)),
        (list_of(struct_type(a=TEXT)), list_of(struct_type(b=TEXT)), (list_of(struct_type(a=TEXT, b=TEXT)),)),
        (struct_type(a=TEXT), list_of(TEXT), (JSON,)),
        (struct_type(a=TEXT), TEXT, (JSON,)),
        (list_of(TEXT), JSON, (JSON,)),
        (struct_type(a=TEXT), NOTHING, (struct_type(a=TEXT),)),
    ],
)
def test_structs_have_the_members_of_both_each_as_wide_as_it_must_be(one, other, candidates):
    assert wider(one, other) == candidates


def test_a_struct_tries_a_candidate_of_each_member_at_a_time():
    one, other = struct_type(a=INTEGER, b=DATE), struct_type(a=NUMBER, b=TIMESTAMP)

    first, *_, last = wider(one, other)

    assert first == struct_type(a=NUMBER, b=TIMESTAMP)
    assert last == struct_type(a=JSON, b=TEXT)


def test_a_field_keeps_the_name_it_once_got():
    held = struct([Member("A", "A", TEXT), Member("a", "a_1", TEXT)])

    (grown,) = wider(held, struct([Member("a", "a", TEXT), Member("Ä", "Ä", TEXT), Member("ä", "ä", TEXT)]))

    assert [(member.said, member.name) for member in grown.members[:3]] == [("A", "A"), ("a", "a_1"), ("Ä", "Ä")]
    assert grown.members[3].name.startswith("ä_")


def test_structs_that_have_too_many_members_together_are_json():
    one, other = (struct_type(**{f"{side}{n}": TEXT for n in range(MOST_MEMBERS // 2 + 1)}) for side in "ab")

    assert wider(one, other) == (JSON,)


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


def test_a_key_that_changes_is_the_new_one():
    grown, _ = grow(landed(id=INTEGER), table(key=("id", "at"), id=INTEGER, at=DATE))

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
