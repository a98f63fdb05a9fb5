"""How a table grows: which columns come, which widen, and into what. Nothing that landed is ever narrowed or lost."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.load.naming import field_name_for, name_for
from orchestrator.load.table import OUR_NAMES, Table
from orchestrator.protocol.schemas import (
    DECIMAL_DIGITS,
    JSON,
    MOST_MEMBERS,
    NOTHING,
    NUMBER,
    TEXT,
    TIMESTAMP,
    Column,
    Kind,
    Member,
    Type,
    count_members,
    decimal,
    list_of,
    struct,
)


@dataclass(frozen=True, slots=True)
class Landed:
    """A table as a destination holds it. `columns` maps the tap's names to where and as what they landed."""

    stream: str
    name: str
    key: tuple[str, ...] = ()
    columns: Mapping[str, Column] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Widening:
    """A column must hold another type. The first of `candidates` that keeps every value is taken; the last one does."""

    said: str
    name: str
    old: Type
    candidates: tuple[Type, ...]


@dataclass(frozen=True, slots=True)
class Growth:
    """What must happen to a table before rows of another shape fit."""

    added: tuple[Column, ...] = ()
    widened: tuple[Widening, ...] = ()


def grow(landed: Landed, table: Table) -> tuple[Landed, Growth]:
    """The table once it takes rows of `table`, before its widened columns are settled, and what that asks for."""
    columns = dict(landed.columns)
    added, widened = [], []
    for said in table.columns:
        held = columns.get(said.name)
        if held is None:
            taken = [*OUR_NAMES, *(column.name for column in columns.values())]
            columns[said.name] = column = Column(name_for(said.name, taken), said.type)
            added.append(column)
        elif (candidates := wider(held.type, said.type)) != (held.type,):
            widened.append(Widening(said.name, held.name, held.type, candidates))
    grown = Landed(landed.stream, landed.name, table.key, columns)
    return grown, Growth(tuple(added), tuple(widened))


def wider(one: Type, other: Type) -> tuple[Type, ...]:
    """Types that may hold the values of both, the narrowest first. The last one always can."""
    if one == other or other == NOTHING:
        return (one,)
    if one == NOTHING:
        return (other,)
    kinds = {one.kind, other.kind}
    if kinds == {Kind.STRUCT}:
        return _structs(one, other)
    if one.item is not None and other.item is not None:
        return tuple(map(list_of, _wider_inside(one.item, other.item)))
    if kinds & {Kind.JSON, Kind.STRUCT, Kind.LIST}:
        return (JSON,)
    if kinds == {Kind.INTEGER, Kind.NUMBER}:
        return (NUMBER, *_ANY_DECIMAL, TEXT)
    if kinds <= {Kind.INTEGER, Kind.NUMBER, Kind.DECIMAL}:
        enough, doubles = decimal(max(one.scale, other.scale)), (NUMBER,) if Kind.NUMBER in kinds else ()
        return tuple(dict.fromkeys((enough, *doubles, *_ANY_DECIMAL, TEXT)))
    if kinds == {Kind.DATE, Kind.TIMESTAMP}:
        return (TIMESTAMP, TEXT)
    return (TEXT,)


# Which of them holds the values, the values tell.
_ANY_DECIMAL = tuple(map(decimal, range(DECIMAL_DIGITS + 1)))
_TEXTS = {Kind.TEXT, Kind.DATE, Kind.TIME, Kind.TIMESTAMP}


def _wider_inside(one: Type, other: Type) -> tuple[Type, ...]:
    """The same for members and items: where they would become text, but are not all texts, they are JSON."""
    *candidates, last = wider(one, other)
    return (*candidates, JSON if last == TEXT and not {one.kind, other.kind} <= _TEXTS else last)


def _structs(one: Type, other: Type) -> tuple[Type, ...]:
    """Structs with the members of both. Where there are several candidates for a member, the first go together."""
    columns = {member.said: Column(member.name, member.type) for member in one.members}
    candidates: dict[str, tuple[Type, ...]] = {member.said: (member.type,) for member in one.members}
    for member in other.members:
        if held := columns.get(member.said):
            candidates[member.said] = _wider_inside(held.type, member.type)
        else:
            name = field_name_for(member.said, (column.name for column in columns.values()))
            columns[member.said] = Column(name, member.type)
            candidates[member.said] = (member.type,)
    structs = [
        struct(Member(said, columns[said].name, each[min(place, len(each) - 1)]) for said, each in candidates.items())
        for place in range(max(map(len, candidates.values())))
    ]
    return tuple(structs) if count_members(structs[-1]) <= MOST_MEMBERS else (JSON,)
