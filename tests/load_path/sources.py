"""Sources made up by hypothesis: streams whose schemas and rows belong together, over several runs of a tap."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from tests.load_path.spelling import Manner, Number

Message = dict[str, Any]
Draw = Callable[..., Any]


# ── values ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Kind:
    """What a property may be: its JSON schema, the values that fit it, and those that it must grow for."""

    schema: dict[str, Any]
    fitting: st.SearchStrategy[Any]
    growing: st.SearchStrategy[Any] | None = None
    key: st.SearchStrategy[Any] | None = None
    """Few values, so that rows meet."""


def numbers(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Number]:
    return values.map(lambda value: Number(value if isinstance(value, str) else f"{value}"))


_ODD_TEXTS = (
    "",
    " ",
    "NULL",
    "null",
    "NaN",
    "true",
    "1",
    "a,b",
    'a"b',
    "it's",
    "\\",
    "\\ud800",
    "\x00",
    "\n\r\t\u2028",
    "𝒳é",
)
_texts = st.sampled_from(_ODD_TEXTS) | st.text(max_size=8)
_integers = numbers(st.integers(-3, 3) | st.sampled_from([2**31, 2**53 + 1, -(2**63), 2**63 - 1])) | st.sampled_from(
    [Number("1.0"), Number("-2.50e1"), Number("1e3")]
)
_wide_integers = numbers(st.sampled_from([2**63, -(2**63) - 1, 2**64, 10**37, -(10**38) + 1, 10**38, 10**60]))
_floats = numbers(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-1000, 1000))
_money = numbers(st.decimals(-(10**12), 10**12, places=2) | st.decimals(-1, 1, places=9))
_long_decimals = numbers(st.decimals(-(10**9), 10**9, places=18)) | st.sampled_from(
    [Number("0.123456789012345678901"), Number("12345678901234567890.5")]
)
_no_numbers = st.sampled_from([Number("NaN"), Number("Infinity"), Number("-Infinity")])
_zones = st.none() | st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
_instants = st.datetimes(timezones=_zones).map(lambda at: at.isoformat()) | st.sampled_from(
    [
        "2024-02-29T12:00:00Z",
        "2024-02-29 12:00:00+02:00",
        "2024-02-29T12:00:00.123456789Z",
        "1969-12-31T23:59:59.999999-00:30",
    ]
)
_no_instants = st.sampled_from(["0000-00-00 00:00:00", "2023-02-30T00:00:00Z", "", "soon", "24.12.2023"])
_json = st.recursive(
    st.none() | st.booleans() | _texts | _integers | _wide_integers | _long_decimals,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
_objects = st.dictionaries(st.text(max_size=3), _json, max_size=3)

_MIXED = Kind({"type": ["integer", "string"]}, _integers | _texts, _json, st.sampled_from([Number("1"), "1", "a"]))
KINDS = (
    Kind({"type": "integer"}, _integers, _wide_integers | _floats, numbers(st.integers(0, 2))),
    Kind({"type": "number"}, _floats, _long_decimals | _wide_integers | _no_numbers, numbers(st.integers(0, 2))),
    Kind({"type": "number", "multipleOf": 0.01}, _money, _long_decimals | _wide_integers),
    Kind({"type": "boolean"}, st.booleans(), key=st.booleans()),
    Kind({"type": "string"}, _texts, _json, st.sampled_from(["", "a", "A", "0"])),
    Kind(
        {"type": "string", "format": "date-time"},
        _instants,
        _no_instants,
        st.sampled_from(["2024-01-01T00:00:00Z", "2024-01-01T01:00:00+01:00", "2024-01-01", "2024-01-01T00:00:01Z"]),
    ),
    Kind({"type": "string", "format": "date"}, st.dates().map(str), _no_instants | _instants),
    Kind({"type": "string", "format": "time"}, st.times().map(str), st.sampled_from(["noon", "25:00:00", "10:00:00Z"])),
    Kind({"type": "object"}, _objects, _json),
    Kind({"type": "array", "items": {}}, st.lists(_json, max_size=3)),
    Kind({}, _json, key=st.sampled_from(["a", "A", Number("1"), "1", True])),
    _MIXED,
    Kind({"type": ["object", "string"]}, _objects | _texts),
)
_NOTHING = Kind({"type": "null"}, st.none(), _json)

_MEMBERS = ("a", "A", "b", "a b", "", "_", 'q"\\', "\x00", "é", "a__b", "select")


@st.composite
def nested_kinds(draw: Draw, levels: int = 3) -> Kind:
    """Objects and arrays that their schema tells, in one another and with values of all other kinds in them."""
    inner = st.sampled_from((*KINDS, _NOTHING)) | nested_kinds(levels - 1) if levels > 1 else st.sampled_from(KINDS)
    if draw(st.booleans()):
        return _list_of(draw(inner))
    names = draw(st.lists(st.sampled_from(_MEMBERS), unique=True, min_size=1, max_size=3))
    return _object_of({name: draw(inner) for name in names}, alternatives=draw(st.booleans()))


def _growing(kind: Kind) -> st.SearchStrategy[Any]:
    return _json if kind.growing is None else kind.growing | _json


def _list_of(kind: Kind) -> Kind:
    items = st.none() | kind.fitting
    return Kind(
        {"type": "array", "items": _nullable(kind.schema)},
        st.lists(items, max_size=3),
        st.lists(items | _growing(kind), max_size=3) | _json,
    )


def _object_of(members: dict[str, Kind], *, alternatives: bool) -> Kind:
    schema = {"type": "object", "properties": {name: _nullable(kind.schema) for name, kind in members.items()}}
    fitting = {name: st.none() | kind.fitting for name, kind in members.items()}
    growing = {name: each | _growing(members[name]) for name, each in fitting.items()}
    undeclared = dict.fromkeys(_MEMBERS, _json)
    return Kind(
        {"anyOf": [schema, {"type": "null"}]} if alternatives else schema,
        st.fixed_dictionaries({}, optional=fitting),
        st.fixed_dictionaries({}, optional=growing) | st.fixed_dictionaries({}, optional=undeclared | fitting) | _json,
    )


# Numbers that together ask for another type than each of them does.
_FEW_DIGITS = ("-0", "7", "0.5", "-1.25", "1e20", "1E50", "-2e300", "1e-30", "0.10000000000000001", "0.0", "1e3")
_MANY_DIGITS = (2**53, 2**53 + 1, 2**60, 2**64 + 1, "12345678901234567e3", "0.1234567890123456789", "0." + "7" * 38)
_literals = numbers(
    st.sampled_from([*_FEW_DIGITS, *_MANY_DIGITS, 10**37 + 1, 10**40, "12345678901234567890.5"])
    | st.tuples(st.integers(-(10**20), 10**20), st.integers(-40, 20)).map(lambda parts: "{}e{}".format(*parts))
)


# ── streams ──────────────────────────────────────────────────────────────────────────────────────

_STREAMS = ("issues", "Issues", "a-b", "a_b", "../a", "select", "_x", "日本", "x" * 300)
_PROPERTIES = (
    "n",
    "N",
    "a b",
    "a_b",
    "a.b",
    'q"\\',
    "select",
    "_sdc_sequence",
    "_sdc_received_at",
    "",
    "y" * 300,
    "é",
    "2",
)
_PATHS = ("n__a", "N__a")
"""As members are called that have columns of their own."""
_KEYS = ("id", "ID")
_UNDECLARED = ("extra", "Extra", "n")


@dataclass(slots=True)
class _Stream:
    """A stream while its messages are made up."""

    name: str
    key: dict[str, Kind]
    properties: dict[str, Kind]
    keyed: bool
    rekeys: bool
    """Whether its key comes and goes."""
    odd: bool
    nested: bool

    def schema(self) -> Message:
        declared = {name: kind.schema for name, kind in (self.key | self.properties).items()}
        schema = {"type": "object", "properties": {name: _nullable(said) for name, said in declared.items()}}
        return {"type": "SCHEMA", "stream": self.name, "schema": schema, "key_properties": [*self.key] * self.keyed}

    def record(self, draw: Draw, version: int | None) -> Message:
        record = {name: draw(kind.key) for name, kind in self.key.items()}
        for name, kind in self.properties.items():
            chance = draw(st.integers(0, 19))
            if chance >= 3:
                grows = self.odd and kind.growing is not None and chance == 3
                record[name] = draw(kind.growing if grows and kind.growing is not None else kind.fitting)
            elif chance:
                record[name] = None
        if self.odd and draw(st.integers(0, 19)) == 19:
            record.setdefault(draw(st.sampled_from(_UNDECLARED)), draw(_json))
        if draw(st.integers(0, 9)) == 9:
            record["_sdc_deleted_at"] = draw(st.sampled_from([None, "2024-01-01T00:00:00Z", "yesterday"]))
        message: Message = {"type": "RECORD", "stream": self.name, "record": record}
        return message if version is None else {**message, "version": version}


def _nullable(schema: Message) -> Message:
    said = schema.get("type")
    return schema if said is None else {**schema, "type": ["null", *([said] if isinstance(said, str) else said)]}


def _properties(draw: Draw, nested: bool) -> dict[str, Kind]:
    names = draw(st.lists(st.sampled_from((*_PROPERTIES, *_PATHS) if nested else _PROPERTIES), unique=True, max_size=4))
    kinds = st.sampled_from((*KINDS, _NOTHING))
    return {name: draw(kinds | nested_kinds() if nested else kinds) for name in names}


@st.composite
def source(draw: Draw, odd: bool = True, nested: bool = False) -> list[dict[str, list[Message]]]:
    """What a tap says of each stream in one to three runs, without its STATEs.

    Where it may be `odd`, values come that do not fit their schema, and members that it does not declare. Where it is
    `nested`, schemas tell the members of objects and the items of arrays.
    """
    names = draw(st.lists(st.sampled_from(_STREAMS), unique=True, min_size=1, max_size=3))
    streams = [_stream(draw, name, odd=odd and draw(st.booleans()), nested=nested) for name in names]
    return [{stream.name: _run_of(draw, stream) for stream in streams} for _ in range(draw(st.integers(1, 3)))]


def _stream(draw: Draw, name: str, *, odd: bool, nested: bool) -> _Stream:
    rekeys = draw(st.integers(0, 3)) == 3
    # Outside of a key 1 and "1" may become one text, and cannot be told apart again.
    kinds = [kind for kind in KINDS if kind.key is not None and not (rekeys and kind is _MIXED)]
    key = draw(st.lists(st.sampled_from(_KEYS), unique=True, min_size=1))
    return _Stream(
        name,
        {each: draw(st.sampled_from(kinds)) for each in key},
        _properties(draw, nested),
        keyed=draw(st.integers(0, 3)) > 0,
        rekeys=rekeys,
        odd=odd,
        nested=nested,
    )


def _run_of(draw: Draw, stream: _Stream) -> list[Message]:
    versioned = draw(st.integers(0, 2)) == 2
    said: list[Message] = []
    if versioned and draw(st.booleans()):
        said.append({"type": "ACTIVATE_VERSION", "stream": stream.name, "version": draw(st.integers(1, 2))})
        if draw(st.integers(0, 3)) == 3:
            # A run that says no more of the stream.
            return said
    said.append(stream.schema())
    for _ in range(draw(st.integers(0, 8))):
        happens = draw(st.integers(0, 19))
        if happens >= 3:
            said.append(stream.record(draw, draw(st.integers(1, 2)) if versioned else None))
        elif happens == 2 and versioned:
            said.append({"type": "ACTIVATE_VERSION", "stream": stream.name, "version": draw(st.integers(1, 2))})
        else:
            if happens == 1:
                stream.properties = _properties(draw, stream.nested)
            elif stream.rekeys:
                stream.keyed = not stream.keyed
            said.append(stream.schema())
    return said


@st.composite
def growing(draw: Draw) -> tuple[Message, list[Message]]:
    """A SCHEMA and records of one stream whose columns grow more often than not."""
    kinds = {"n": draw(st.sampled_from(KINDS[:3])), "a": draw(st.sampled_from((*KINDS, _NOTHING)))}
    # A decimal column that gets a NaN becomes one of doubles where these keep what came so far, and text elsewhere.
    no_numbers = st.nothing() if "multipleOf" in kinds["n"].schema else _no_numbers
    values = {"n": _literals | st.none() | no_numbers, "a": st.none() | kinds["a"].fitting}
    values |= {"a": values["a"] | kinds["a"].growing} if kinds["a"].growing is not None else {}
    rows = draw(st.lists(st.fixed_dictionaries(values, optional={"new": _json}), min_size=2, max_size=6))
    schema = {"properties": {name: _nullable(kind.schema) for name, kind in kinds.items()}}
    records = [{"type": "RECORD", "stream": "s", "record": row} for row in rows]
    return {"type": "SCHEMA", "stream": "s", "schema": schema, "key_properties": []}, records


# ── arrangements ─────────────────────────────────────────────────────────────────────────────────


@st.composite
def manners(draw: Draw) -> Manner:
    return Manner(
        spaced=draw(st.booleans()),
        ascii=draw(st.booleans()),
        shuffled=draw(st.none() | st.randoms()),
        line_end=draw(st.sampled_from([b"\n", b"\r\n", b"\n\n"])),
        ends=draw(st.booleans()),
        batched=draw(st.booleans()),
        sizes=tuple(draw(st.lists(st.integers(1, 300), min_size=1, max_size=3) | st.just([1 << 20]))),
    )


def arranged(said: dict[str, list[Message]], chance: random.Random, *, first_state: int = 1) -> list[Message]:
    """The messages of all streams with STATEs among them; those of one stream stay in order."""
    waiting = {name: list(reversed(messages)) for name, messages in said.items() if messages}
    together: list[Message] = []
    states = 0
    while waiting:
        name = chance.choice(sorted(waiting))
        together.append(waiting[name].pop())
        if not waiting[name]:
            del waiting[name]
        if chance.random() < 0.2:
            together.append({"type": "STATE", "value": {"bookmarks": {"n": Number(first_state + states)}}})
            states += 1
    return together
