"""What landed of objects and arrays, in structs, lists and columns of members, held against what was sent."""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from tests.load_path.faithful import holds, read_json, readable, same_moment, same_number
from tests.load_path.places import Table

_TYPES = {"boolean": "BOOLEAN", "integer": "BIGINT", "number": "DOUBLE"}


def holds_property(row: dict[str, Any], table: Table, path: tuple[str, ...], sent: Any) -> bool:
    """Whether the columns of a property, or of a member at the end of `path`, hold what was sent."""
    said = path[0] if len(path) == 1 else json.dumps(path, ensure_ascii=False)
    members = _members_below(path, table)
    below = [each for each in table.columns if each != said and _path_of(each)[: len(path)] == path]
    nothing_below = all(row[each] is None for each in below)
    if row.get(said) is not None or not members:
        kind = table.kinds[said]
        if kind == "json" or isinstance(kind, dict | list):
            # What was a text before its column was JSON stays one.
            as_text = len(path) == 1 and kind == "json" and holds(row[said], "JSON", sent)
            return nothing_below and (as_text or holds_nested(row[said], kind, sent))
        return nothing_below and holds(row[said], table.types[said], sent)
    if nothing_below:
        return sent is None
    return (
        isinstance(sent, dict)
        and sent.keys() <= members
        and all(holds_property(row, table, (*path, member), sent.get(member)) for member in members)
    )


def holds_nested(landed: Any, kind: Any, sent: Any) -> bool:
    """Whether a value of a struct, a list or a part of them is what was sent. A member that is absent is null."""
    if sent is None or landed is None:
        return sent is landed
    if isinstance(kind, dict):
        known = {readable(name): value for name, value in sent.items()} if isinstance(sent, dict) else None
        return (
            known is not None
            and known.keys() <= kind.keys()
            and all(holds_nested(landed[name], type, known.get(said)) for said, (name, type) in kind.items())
        )
    if isinstance(kind, list):
        same_length = isinstance(sent, list) and len(sent) == len(landed)
        return same_length and all(holds_nested(each, kind[0], said) for each, said in zip(landed, sent, strict=True))
    if kind == "json":
        return _same(sent, read_json(landed))
    if kind in ("text", "nothing"):
        return isinstance(sent, str) and (landed == readable(sent) or same_moment(landed, sent))
    if kind == "number" and sent == "NaN":
        # What is no JSON stands as a text where it is not known to be a number.
        return bool(landed != landed)
    return holds(landed, _TYPES.get(kind, "DECIMAL" if kind.startswith("decimal") else kind), sent)


def _same(one: Any, other: Any) -> bool:
    """Whether JSON is the same, but for members that are null and for the spelling of instants."""
    if isinstance(one, Decimal) and isinstance(other, Decimal):
        return same_number(one, other)
    if isinstance(one, Decimal) and not one.is_finite():
        return bool(str(one) == other)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        one = {readable(name): value for name, value in one.items() if value is not None}
        other = {name: value for name, value in other.items() if value is not None}
        return one.keys() == other.keys() and all(_same(value, other[name]) for name, value in one.items())
    if isinstance(one, str) and isinstance(other, str):
        return bool(readable(one) == other or same_moment(one, other))
    return type(one) is type(other) and bool(one == other)


def _path_of(said: str) -> tuple[str, ...]:
    return tuple(json.loads(said)) if said.startswith('["') else (said,)


def _members_below(path: Sequence[str], table: Table) -> set[str]:
    """The members that have columns of their own."""
    known = map(_path_of, table.columns)
    return {each[len(path)] for each in known if each[: len(path)] == tuple(path) and len(each) > len(path)}
