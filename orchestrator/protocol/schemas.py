"""JSON schemas read as columns: each property of a stream gets the narrowest type that its schema promises."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from orchestrator.errors import BrokenSchema

DELETED_AT = "_sdc_deleted_at"
"""The one column that a tap and we share: set in a record, it says that the row is gone at the source."""

DECIMAL_DIGITS = 38
_DEEPEST_REFERENCE = 32


class Kind(StrEnum):
    """What a column holds."""

    NOTHING = "nothing"
    """Only nulls so far; whatever comes first decides."""
    BOOLEAN = "boolean"
    INTEGER = "integer"
    """64 bits, signed."""
    DECIMAL = "decimal"
    """Exact, 38 digits, `scale` of them behind the point."""
    NUMBER = "number"
    """A double."""
    DATE = "date"
    TIME = "time"
    """Time of day, in microseconds."""
    TIMESTAMP = "timestamp"
    """An instant, in microseconds; a time without a zone is taken as UTC."""
    TEXT = "text"
    JSON = "json"
    """The JSON text as the tap wrote it."""


@dataclass(frozen=True, slots=True)
class Type:
    """The type of a column. `scale` counts only for decimals."""

    kind: Kind
    scale: int = 0

    def __str__(self) -> str:
        return f"decimal({DECIMAL_DIGITS},{self.scale})" if self.kind is Kind.DECIMAL else self.kind.value

    @classmethod
    def parse(cls, text: str) -> "Type":
        """The inverse of `str`."""
        if text.startswith("decimal("):
            return cls(Kind.DECIMAL, int(text.partition(",")[2].rstrip(")")))
        return cls(Kind(text))


NOTHING, BOOLEAN, INTEGER = Type(Kind.NOTHING), Type(Kind.BOOLEAN), Type(Kind.INTEGER)
NUMBER, DATE, TIME = Type(Kind.NUMBER), Type(Kind.DATE), Type(Kind.TIME)
TIMESTAMP, TEXT, JSON = Type(Kind.TIMESTAMP), Type(Kind.TEXT), Type(Kind.JSON)


def decimal(scale: int) -> Type:
    return Type(Kind.DECIMAL, scale)


@dataclass(frozen=True, slots=True)
class Column:
    """One property of a stream, under the name the tap gives it."""

    name: str
    type: Type


def columns_of(schema: Mapping[str, Any]) -> tuple[Column, ...]:
    """The columns of a stream's schema, in its order. A schema without properties has none."""
    return tuple(
        Column(name, TIMESTAMP if name == DELETED_AT else type_of(property, schema))
        for name, property in _properties(schema, schema, 0).items()
    )


def _properties(schema: Any, root: Mapping[str, Any], depth: int) -> dict[str, Any]:
    if not isinstance(schema, Mapping) or depth > _DEEPEST_REFERENCE:
        return {}
    found: dict[str, Any] = {}
    if isinstance(schema.get("$ref"), str):
        found.update(_properties(_resolve(schema["$ref"], root), root, depth + 1))
    for word in ("allOf", "anyOf", "oneOf"):
        for branch in _list(schema.get(word)):
            for name, property in _properties(branch, root, depth + 1).items():
                found.setdefault(name, property)
    own = schema.get("properties")
    if own is not None and not isinstance(own, Mapping):
        raise BrokenSchema("the properties of a schema are not an object", cause=f"they are {own!r:.80}")
    found.update(own or {})
    return found


def type_of(schema: Any, root: Mapping[str, Any]) -> Type:
    """The type of values that `schema` allows; `root` is where its references point into."""
    promise = _promise(schema, root, 0)
    if promise.types is None:
        return JSON
    types = promise.types - {"null"}
    if not types:
        return NOTHING
    if types == {"string"}:
        return promise.text
    if types == {"boolean"}:
        return BOOLEAN
    if types == {"integer"}:
        return INTEGER
    if types <= {"integer", "number"}:
        return NUMBER if promise.scale is None else decimal(promise.scale)
    if "string" in types and not types & {"object", "array"}:
        return TEXT
    return JSON


@dataclass(frozen=True, slots=True)
class _Promise:
    """What a schema says of a value: its JSON types (None: any), what its text means, digits behind the point."""

    types: frozenset[str] | None = None
    text: Type = TEXT
    scale: int | None = None


_TYPES = frozenset({"null", "boolean", "integer", "number", "string", "object", "array"})
_FORMATS = {"date-time": TIMESTAMP, "date": DATE, "time": TIME}


def _promise(schema: Any, root: Mapping[str, Any], depth: int) -> _Promise:
    if not isinstance(schema, Mapping) or depth > _DEEPEST_REFERENCE:
        return _Promise()
    promise = _Promise(_own_types(schema), _FORMATS.get(str(schema.get("format")), TEXT), _scale(schema))
    if isinstance(schema.get("$ref"), str):
        promise = _both(promise, _promise(_resolve(schema["$ref"], root), root, depth + 1))
    for branch in _list(schema.get("allOf")):
        promise = _both(promise, _promise(branch, root, depth + 1))
    for word in ("anyOf", "oneOf"):
        if branches := [_promise(branch, root, depth + 1) for branch in _list(schema.get(word))]:
            promise = _both(promise, _either(branches))
    return promise


def _own_types(schema: Mapping[str, Any]) -> frozenset[str] | None:
    named = schema.get("type")
    if isinstance(named, str):
        named = [named]
    if isinstance(named, list) and named:
        types = frozenset(name for name in named if isinstance(name, str))
        return types if types <= _TYPES and len(types) == len(set(map(str, named))) else None
    if "properties" in schema:
        return frozenset({"object"})
    if "items" in schema:
        return frozenset({"array"})
    values = schema["enum"] if isinstance(schema.get("enum"), list) else None
    if "const" in schema:
        values = [schema["const"]]
    return None if values is None else frozenset(map(_type_of_value, values))


def _type_of_value(value: Any) -> str:
    if value is None:
        return "null"
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}
    return names.get(type(value), "object")


def _scale(schema: Mapping[str, Any]) -> int | None:
    """Digits behind the point that `multipleOf` asks for; None where it does not ask, or for more than fit."""
    try:
        exponent = Decimal(str(schema["multipleOf"])).normalize().as_tuple().exponent
    except (KeyError, InvalidOperation, ValueError):
        return None
    if not isinstance(exponent, int):
        return None
    scale = max(0, -exponent)
    # Half of the digits stay in front of the point: a finer step comes from float noise, not from money.
    return scale if scale <= DECIMAL_DIGITS // 2 else None


def _both(one: _Promise, other: _Promise) -> _Promise:
    """Both hold (allOf, or a reference beside other words)."""
    if one.types is None or other.types is None:
        types = one.types if other.types is None else other.types
    else:
        types = (one.types & other.types) or one.types | other.types
    return _Promise(
        types,
        one.text if one.text != TEXT else other.text,
        other.scale if one.scale is None else one.scale,
    )


def _either(branches: list[_Promise]) -> _Promise:
    """One of them holds. A date-time or plain text is read as a date-time: that is how taps write
    "a date-time, we hope"; a text that is no date then widens the column to text."""
    types: frozenset[str] | None = frozenset()
    for branch in branches:
        types = None if types is None or branch.types is None else types | branch.types
    formats = {branch.text for branch in branches if branch.text != TEXT}
    scales = {branch.scale for branch in branches if branch.types and branch.types & {"number", "integer"}}
    return _Promise(
        types,
        formats.pop() if len(formats) == 1 else TEXT,
        max((scale for scale in scales if scale is not None), default=None) if None not in scales else None,
    )


def _list(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else ()


def _resolve(reference: str, root: Mapping[str, Any]) -> Any:
    """What a local JSON pointer (`#/definitions/x`) points to; None for anything else."""
    if not reference.startswith("#"):
        return None
    place: Any = root
    for part in reference[1:].split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(place, Mapping):
            place = place.get(name)
        elif isinstance(place, list) and name.isdigit() and int(name) < len(place):
            place = place[int(name)]
        else:
            return None
    return place
