"""JSON texts as structs and lists. A value that does not fit is never lost: the member that holds it grows.

Many values are read in one call, by structs (of msgspec) made for their type. Where one of them does not fit, they are
taken apart level by level, and only the member that it is about is looked at value by value.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate, chain, compress, count, repeat
from typing import Any

import msgspec
import pyarrow as pa

from orchestrator.load.naming import field_name_for
from orchestrator.protocol.lines import decoded_lines, read_json
from orchestrator.protocol.numbers import has_long_number
from orchestrator.protocol.records import is_unusual
from orchestrator.protocol.schemas import (
    JSON,
    MOST_MEMBERS,
    TEXT,
    Kind,
    Member,
    Type,
    count_members,
    list_of,
    struct,
)
from orchestrator.protocol.tokens import Misfit
from orchestrator.protocol.values import NULL, reader_of, settle_tokens

Settled = tuple[pa.Array, Type]
Token = msgspec.Raw | bytes


def named(type: Type) -> Type:
    """The type with a name for each of its fields."""
    if type.item is not None:
        return list_of(named(type.item))
    members: list[Member] = []
    for member in type.members:
        name = field_name_for(member.said, (other.name for other in members))
        members.append(Member(member.said, name, named(member.type)))
    return struct(members) if members else type


def settle_nested(type: Type, texts: pa.Array) -> Settled:
    """JSON texts as values of a struct or list, and its type: grown where they do not fit, JSON where nothing else
    holds them.

    A member that is not declared becomes a field of JSON. A declared one gets a wider type as a column does; but where
    a column would refuse its values, or make texts of values that are none, it is JSON.
    """
    array, settled = _settle(type, texts.fill_null("null").cast(pa.binary()).to_pylist())
    return (texts, JSON) if count_members(settled) > MOST_MEMBERS else (array, settled)


def _settle(type: Type, tokens: Sequence[Token]) -> Settled:
    if not type.is_nested:
        return _settle_exactly(type, tokens)
    texts = list(map(bytes, tokens))
    present = [text != b"null" for text in texts]
    known = list(compress(texts, present))
    if settled := _all_at_once(type, known) or _taken_apart(type, known):
        return among_nulls(settled[0], present), settled[1]
    return settle_tokens(JSON, tokens)


def _settle_exactly(type: Type, tokens: Sequence[Token]) -> Settled:
    """Values that are not nested; JSON where they are not what they were promised to be."""
    try:
        array, settled = settle_tokens(type, tokens)
    except Misfit:
        return settle_tokens(JSON, tokens)
    if settled == TEXT and not all(bytes(token)[:1] in b'"n' for token in tokens):
        return settle_tokens(JSON, tokens)
    return array, settled


# ── all at once ──────────────────────────────────────────────────────────────────────────────────


def _all_at_once(type: Type, tokens: Sequence[bytes]) -> Settled | None:
    """None where one of the values does not fit."""
    text = b"\n".join(tokens)
    exact = _holds_numbers(type) and has_long_number(text)
    decoder = _decoder(type, exact=exact)
    values, _ = decoded_lines(decoder, text) if decoder else ([], 0)
    return _arrays(type, values, exact=exact) if len(values) == len(tokens) else None


def _holds_numbers(type: Type) -> bool:
    return type.kind is Kind.NUMBER or any(map(_holds_numbers, _below(type)))


def _holds_unusual_names(type: Type) -> bool:
    return any(is_unusual(member.said) for member in type.members) or any(map(_holds_unusual_names, _below(type)))


def _below(type: Type) -> Iterable[Type]:
    return [type.item] if type.item is not None else [member.type for member in type.members]


@lru_cache(maxsize=500)
def _decoder(type: Type, *, exact: bool) -> "msgspec.json.Decoder[Any] | None":
    """What reads values of the type; None where a name in it is none that msgspec takes."""
    return None if _holds_unusual_names(type) else msgspec.json.Decoder(_read_as(type, exact=exact)[0])


def _read_as(type: Type, *, exact: bool) -> tuple[Any, Any]:
    """The type of msgspec that reads such values, and what it gives in place of one that is missing."""
    if not type.is_nested:
        reader = reader_of(type.kind, exact=exact)
        return reader.type, reader.default
    if type.item is not None:
        item, _ = _read_as(type.item, exact=exact)
        return list[item] | None, None  # type: ignore[valid-type]
    fields = {f"f{index}": member for index, member in enumerate(type.members)}
    object = msgspec.defstruct(
        "Object",
        [(field, *_read_as(member.type, exact=exact)) for field, member in fields.items()],
        rename={field: member.said for field, member in fields.items()},
        forbid_unknown_fields=True,
        gc=False,
    )
    return object | None, None


def _arrays(type: Type, values: Sequence[Any], *, exact: bool) -> Settled:
    """Values as they were read, settled."""
    if not type.is_nested:
        reader = reader_of(type.kind, exact=exact)
        if reader.settle is settle_tokens:
            return _settle_exactly(type, values)
        array, settled = reader.settle(type, values)
        # An integer beyond all digits.
        return array, JSON if settled == TEXT and type.kind is Kind.INTEGER else settled
    present = [value is not None for value in values]
    known = list(compress(values, present))
    if type.item is not None:
        array, settled = _lists(_arrays(type.item, list(chain.from_iterable(known)), exact=exact), known)
    else:
        columns = zip(*map(msgspec.structs.astuple, known), strict=True) if known else repeat(())
        members = [_arrays(each.type, column, exact=exact) for each, column in zip(type.members, columns, strict=False)]
        array, settled = _structs(type.members, members)
    return among_nulls(array, present), settled


# ── taken apart ──────────────────────────────────────────────────────────────────────────────────

_OBJECTS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ARRAYS = msgspec.json.Decoder(list[msgspec.Raw])


def _taken_apart(type: Type, tokens: Sequence[bytes]) -> Settled | None:
    """None where one of the values is no object, or no array, at all."""
    if any(token[:1] != (b"[" if type.item else b"{") for token in tokens):
        return None
    if type.item is not None:
        rows = [read_json(_ARRAYS, token) for token in tokens]
        return _lists(_settle(type.item, list(chain.from_iterable(rows))), rows)
    objects = [read_json(_OBJECTS, token) for token in tokens]
    members = _with_undeclared(type.members, dict.fromkeys(chain.from_iterable(objects)))
    columns = ([object.get(member.said, NULL) for object in objects] for member in members)
    return _structs(members, [_settle(each.type, column) for each, column in zip(members, columns, strict=True)])


def _with_undeclared(members: tuple[Member, ...], said: Iterable[str]) -> tuple[Member, ...]:
    names = {member.said: member.name for member in members}
    undeclared = [name for name in said if name not in names]
    for name in undeclared:
        names[name] = field_name_for(name, names.values())
    return (*members, *(Member(name, names[name], JSON) for name in undeclared))


# ── put together ─────────────────────────────────────────────────────────────────────────────────


def _structs(members: Sequence[Member], settled: Sequence[Settled]) -> Settled:
    names = [member.name for member in members]
    grown = [Member(member.said, member.name, type) for member, (_, type) in zip(members, settled, strict=True)]
    return pa.StructArray.from_arrays([array for array, _ in settled], names=names), struct(grown)


def _lists(items: Settled, rows: Sequence[Sequence[Any]]) -> Settled:
    array, type = items
    offsets = pa.array(accumulate(map(len, rows), initial=0), pa.int32())
    return pa.ListArray.from_arrays(offsets, array), list_of(type)


def among_nulls(values: pa.Array, present: Sequence[bool]) -> pa.Array:
    """The values in their places, those that are `present`, and nulls in all others."""
    if len(values) == len(present):
        return values
    places = count()
    return values.take(pa.array([next(places) if here else None for here in present], pa.int64()))
