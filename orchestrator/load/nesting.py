"""What becomes of nested values: members get columns of their own, structs and lists are made of the rest."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, reduce
from itertools import compress
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from orchestrator.config import Nested, Nesting
from orchestrator.load.naming import path_of, said_of
from orchestrator.load.structs import among_nulls, named, settle_nested
from orchestrator.protocol.records import Field, Shape
from orchestrator.protocol.schemas import JSON, Column, Kind, Type
from orchestrator.protocol.tokens import Misfit
from orchestrator.protocol.values import settle_tokens

Settled = tuple[Column, pa.Array]


def landing_columns(columns: Iterable[Column], nesting: Nesting, key: Sequence[str]) -> tuple[Column, ...]:
    """The columns in which properties land. Those of the key hold what a row is known by, as one value."""
    columns = tuple(columns)
    # A property may be called as a member is told: then objects stay whole.
    flatten = 0 if any(len(path_of(column.name)) > 1 for column in columns) else nesting.flatten
    landing: list[Column] = []
    for column in columns:
        if column.name in key and column.type.is_nested:
            landing.append(Column(column.name, JSON))
        else:
            landing += _landing((column.name,), column.type, replace(nesting, flatten=flatten))
    return tuple(landing)


def _landing(path: tuple[str, ...], type: Type, nesting: Nesting) -> Iterator[Column]:
    if type.kind is Kind.STRUCT and nesting.flatten:
        below = replace(nesting, flatten=nesting.flatten - 1)
        for member in type.members:
            yield from _landing((*path, member.said), member.type, below)
    elif type.is_nested:
        yield Column(said_of(path), named(type) if nesting.nested is Nested.STRUCT else JSON)
    else:
        yield Column(said_of(path), type)


# ── values ───────────────────────────────────────────────────────────────────────────────────────


def unfolded(columns: Sequence[Column], settled: Sequence[Settled]) -> list[Settled]:
    """The values of a stream in the `columns` of its table. What is nested came as JSON, under the name of its
    property."""
    promised = {column.name: column.type for column in columns}
    # An undeclared property may be called as a member is told: then objects stay whole.
    ambiguous = any(len(path_of(column.name)) > 1 for column, _ in settled)
    unfolding = _Unfolding(promised, {} if ambiguous else _members_by_object(promised))
    return [each for column, values in settled for each in unfolding.of(column, values)]


def remembered(columns: Sequence[Column], settled: Sequence[Column]) -> tuple[Column, ...]:
    """The columns of a table once it is known what stands in them: later rows are read with what nested values grew to,
    and so come as columns of the same types."""
    promised = {column.name: column for column in columns if not column.type.is_nested}
    return tuple(({column.name: column for column in settled} | promised).values())


@dataclass(frozen=True, slots=True)
class _Unfolding:
    """The columns of a table, and the members of each object that has columns for them."""

    columns: Mapping[str, Type]
    members: Mapping[str, Mapping[str, Type]]

    def of(self, column: Column, values: pa.Array) -> Iterator[Settled]:
        """The values of a property or a member in all columns that it gives."""
        said, promised = column.name, self.columns.get(column.name, JSON)
        if said in self.members:
            members, rest = _opened(tuple(Column(*member) for member in self.members[said].items()), values)
            for member, array in members:
                yield from self.of(Column(said_of((*path_of(said), member.name)), member.type), array)
            if said in self.columns or rest.null_count < len(rest):
                yield Column(said, JSON), rest
        elif promised.is_nested:
            array, type = settle_nested(promised, values)
            yield Column(said, type), array
        else:
            yield column, values


def _members_by_object(columns: Mapping[str, Type]) -> dict[str, dict[str, Type]]:
    members: dict[str, dict[str, Type]] = {}
    for said, type in columns.items():
        path = path_of(said)
        for length in range(1, len(path)):
            known = members.setdefault(said_of(path[:length]), {})
            known.setdefault(path[length], type if length + 1 == len(path) else JSON)
    return members


def _opened(members: tuple[Column, ...], texts: pa.Array) -> tuple[list[Settled], pa.Array]:
    """The members of objects, undeclared ones among them, and what they do not tell: values that are no object, and
    objects that hold nothing but nulls."""
    tokens = texts.cast(pa.binary()).to_pylist()
    are_objects = [token is not None and token[:1] == b"{" for token in tokens]
    objects = [msgspec.Raw(token) for token in compress(tokens, are_objects)]
    shape = _shape(members)
    fields, rows, _ = shape.records(objects)
    if len(rows) < len(objects) or not fields.fields:
        rows = [shape.members(object) for object in objects]
        shape = shape.with_members(shape.undeclared(rows))
        fields = shape.by_member
    settled = [_settled(field, values) for field, values in fields.columns_of(rows)]
    tell = among_nulls(reduce(pc.or_, (values.is_valid() for _, values in settled)), are_objects)
    rest = [None if told else token for told, token in zip(tell.to_pylist(), tokens, strict=True)]
    return [(column, among_nulls(values, are_objects)) for column, values in settled], pa.array(rest, pa.string())


def _settled(field: Field, values: Sequence[Any]) -> Settled:
    """A member as a column of its own, JSON where a column of the tap's would be refused."""
    try:
        array, type = field.settle(field.column.type, values)
    except Misfit:
        array, type = settle_tokens(JSON, values)
    return Column(field.column.name, type), array


@lru_cache(maxsize=500)
def _shape(members: tuple[Column, ...]) -> Shape:
    return Shape("", members)
