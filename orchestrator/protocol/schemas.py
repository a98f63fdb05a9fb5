"""JSON schemas read as columns: each property of a stream gets the narrowest type that its schema promises."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any
from urllib.parse import unquote

DELETED_AT = "_sdc_deleted_at"
"""The one column that a tap and we share: set in a record, to whatever, it says that the row is gone at the source."""

DECIMAL_DIGITS = 38
MOST_MEMBERS = 2000
"""A column whose objects have more members, all levels taken together, is JSON: as a struct nobody could use it."""
DEEPEST = 12
"""What stands in so many objects and arrays is JSON. For each array in another DuckDB takes twice as long to understand
what is to be done with the items."""


class Kind(StrEnum):
    """What a column holds."""

    NOTHING = "nothing"
    """Only nulls so far; whatever comes first decides: text where that is all, else JSON."""
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
    STRUCT = "struct"
    """An object whose members are known."""
    LIST = "list"
    """An array whose items are of one type."""


@dataclass(frozen=True, slots=True)
class Type:
    """The type of a column. `scale` counts only for decimals, `members` for structs, `item` for lists."""

    kind: Kind
    scale: int = 0
    members: tuple["Member", ...] = ()
    item: "Type | None" = None

    def __str__(self) -> str:
        said = _written(self)
        return said if isinstance(said, str) else json.dumps(said, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def parse(cls, text: str) -> "Type":
        """The inverse of `str`."""
        return _read(json.loads(text) if text[:1] in ("{", "[") else text)

    @property
    def is_nested(self) -> bool:
        return self.kind is Kind.STRUCT or self.kind is Kind.LIST


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a struct: the tap's name of it, and the name and type of the field that holds it."""

    said: str
    name: str
    type: Type


def _written(type: Type) -> Any:
    """A struct as the columns of a table are written, `{"said": ["name", "type"]}`; a list as `["type"]`."""
    match type:
        case Type(Kind.DECIMAL, scale):
            return f"decimal({DECIMAL_DIGITS},{scale})"
        case Type(Kind.STRUCT, members=members):
            return {member.said: [member.name, _written(member.type)] for member in members}
        case Type(Kind.LIST, item=Type() as item):
            return [_written(item)]
        case _:
            return type.kind.value


def _read(said: Any) -> Type:
    match said:
        case dict():
            return struct(Member(each, name, _read(type)) for each, (name, type) in said.items())
        case [item]:
            return list_of(_read(item))
        case str() if said.startswith("decimal("):
            return decimal(int(said.partition(",")[2].rstrip(")")))
        case _:
            return Type(Kind(said))


NOTHING, BOOLEAN, INTEGER = Type(Kind.NOTHING), Type(Kind.BOOLEAN), Type(Kind.INTEGER)
NUMBER, DATE, TIME = Type(Kind.NUMBER), Type(Kind.DATE), Type(Kind.TIME)
TIMESTAMP, TEXT, JSON = Type(Kind.TIMESTAMP), Type(Kind.TEXT), Type(Kind.JSON)


def decimal(scale: int) -> Type:
    return Type(Kind.DECIMAL, scale)


def struct(members: Iterable[Member]) -> Type:
    return Type(Kind.STRUCT, members=tuple(members))


def list_of(item: Type) -> Type:
    return Type(Kind.LIST, item=item)


def count_members(type: Type) -> int:
    """The members of a type, those of its members among them."""
    if type.item is not None:
        return count_members(type.item)
    return len(type.members) + sum(count_members(member.type) for member in type.members)


@dataclass(frozen=True, slots=True)
class Column:
    """One property of a stream, under the name the tap gives it."""

    name: str
    type: Type


def columns_of(schema: Mapping[str, Any], key: Iterable[str] = ()) -> tuple[Column, ...]:
    """The columns of a stream's schema, in its order. A schema without properties has none.

    Raises ValueError where a part of it cannot be followed.
    """
    document, key = _Document(schema), frozenset(key)

    def type_of(name: str, property: Any) -> Type:
        if name == DELETED_AT:
            return TEXT
        type = _scalar(document.promise(property), in_key=name in key)
        return _Nested(document).type_of(property) if type == JSON and name not in key else type

    return tuple(Column(name, type_of(name, property)) for name, property in document.properties(schema).items())


@dataclass(frozen=True, slots=True)
class _Promise:
    """What a schema says of a value: its JSON types (None: any), what its text means, digits behind the point."""

    types: frozenset[str] | None = None
    text: Type = TEXT
    scale: int | None = None


def _scalar(promise: _Promise, *, in_key: bool = False) -> Type:
    """The type that a promise asks for; JSON where that is none of a single value."""
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
        # As texts, 1 and "1" would be one key: here the values decide.
        return NOTHING if in_key else TEXT
    return JSON


_TYPES = frozenset({"null", "boolean", "integer", "number", "string", "object", "array"})
_FORMATS = {"date-time": TIMESTAMP, "date": DATE, "time": TIME}


class _Document:
    """A whole schema, in which references point to its parts. One that leads back to itself promises nothing more."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._promises: dict[str, _Promise] = {}

    def promise(self, schema: Any) -> _Promise:
        """What a part of the document says of a value."""
        if not isinstance(schema, Mapping):
            return _Promise()
        promise = _Promise(_own_types(schema), _FORMATS.get(str(schema.get("format")), TEXT), _scale(schema))
        if isinstance(reference := schema.get("$ref"), str):
            promise = _both(promise, self._promise_of(reference))
        for branch in _list(schema.get("allOf")):
            promise = _both(promise, self.promise(branch))
        for word in ("anyOf", "oneOf"):
            if branches := [self.promise(branch) for branch in _list(schema.get(word))]:
                promise = _both(promise, _either(branches))
        return promise

    def _promise_of(self, reference: str) -> _Promise:
        if reference not in self._promises:
            self._promises[reference] = _Promise()
            self._promises[reference] = self.promise(_resolve(reference, self._root))
        return self._promises[reference]

    def properties(self, schema: Any, seen: frozenset[str] = frozenset()) -> dict[str, Any]:
        """The properties that a part of the document declares, itself or through other parts."""
        if not isinstance(schema, Mapping):
            return {}
        parts = []
        if isinstance(reference := schema.get("$ref"), str) and reference not in seen:
            parts.append(self.properties(_resolve(reference, self._root), seen | {reference}))
        parts += [self.properties(branch, seen) for branch in _list(schema.get("allOf"))]
        for word in ("anyOf", "oneOf"):
            parts.append(_combined("anyOf", [self.properties(branch, seen) for branch in _list(schema.get(word))]))
        own = schema.get("properties")
        if own is not None and not isinstance(own, Mapping):
            raise ValueError(f"its properties are {own!r:.80}, not an object")
        return _combined("allOf", [*parts, own or {}])

    def parts(self, schema: Any, seen: frozenset[str] = frozenset()) -> Iterator[Mapping[str, Any]]:
        """A part of the document, and all others that it says to hold beside it."""
        if not isinstance(schema, Mapping):
            return
        yield schema
        if isinstance(reference := schema.get("$ref"), str) and reference not in seen:
            yield from self.parts(_resolve(reference, self._root), seen | {reference})
        for word in ("allOf", "anyOf", "oneOf"):
            for branch in _list(schema.get(word)):
                yield from self.parts(branch, seen)


class _Nested:
    """The structs and lists of one column."""

    def __init__(self, document: _Document) -> None:
        self._document = document
        self._members = 0

    def type_of(self, schema: Any) -> Type:
        """The type of a property; JSON where its objects have no known members, or too many."""
        try:
            return self._type(schema, ())
        except _TooMany:
            return JSON

    def _type(self, schema: Any, outer: tuple[Any, ...]) -> Type:
        promise = self._document.promise(schema)
        types = (promise.types or frozenset()) - {"null"}
        # A schema that stands within itself goes on for ever.
        if len(outer) == DEEPEST or schema in outer:
            return _scalar(promise)
        if types == {"object"} and (properties := self._known_members(schema)):
            self._members += len(properties)
            if self._members > MOST_MEMBERS:
                raise _TooMany
            outer = (*outer, schema)
            return struct(Member(name, name, self._type(each, outer)) for name, each in properties.items())
        if types == {"array"} and (items := self._items(schema)) and self._document.promise(items).types:
            return list_of(self._type(items, (*outer, schema)))
        return _scalar(promise)

    def _known_members(self, schema: Any) -> dict[str, Any]:
        """The properties of an object; none where it may have any other, as a map from one thing to another has."""
        for part in self._document.parts(schema):
            others = part.get("additionalProperties")
            if part.get("patternProperties") or (others and isinstance(others, Mapping)):
                return {}
        try:
            return self._document.properties(schema)
        except ValueError:
            return {}

    def _items(self, schema: Any) -> Any:
        """What is said of every item of an array; None where items differ by their place, or nothing is said."""
        parts = list(self._document.parts(schema))
        if any("prefixItems" in part or isinstance(part.get("items"), list) for part in parts):
            return None
        said = [part["items"] for part in parts if isinstance(part.get("items"), Mapping)]
        return {"anyOf": said} if len(said) > 1 else next(iter(said), None)


class _TooMany(Exception):
    """A column has more than MOST_MEMBERS."""


def _combined(word: str, parts: list[Mapping[str, Any]]) -> dict[str, Any]:
    """The properties of all parts; one that several declare is joined by `word`."""
    found: dict[str, list[Any]] = {}
    for part in parts:
        for name, property in part.items():
            found.setdefault(name, []).append(property)
    return {name: said[0] if len(said) == 1 else {word: said} for name, said in found.items()}


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


def _resolve(reference: str, root: Any) -> Any:
    """What a local JSON pointer (`#/definitions/x`) points to; None for anything else."""
    head, slash, pointer = unquote(reference).partition("/")
    if head != "#":
        return None
    place: Any = root
    for part in pointer.split("/") if slash else ():
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(place, Mapping):
            place = place.get(name)
        elif isinstance(place, list) and name.isdecimal() and int(name) < len(place):
            place = place[int(name)]
        else:
            return None
    return place
