"""The values of one column, settled: which type holds them all without losing any, and the Arrow array of it."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from orchestrator.protocol.schemas import (
    BOOLEAN,
    DATE,
    DECIMAL_DIGITS,
    INTEGER,
    JSON,
    NOTHING,
    NUMBER,
    TEXT,
    TIME,
    TIMESTAMP,
    Kind,
    Type,
    decimal,
)

_NOT_A_NUMBER = frozenset({"NaN", "Infinity", "-Infinity"})


class Misfit(Exception):
    """A value contradicts the type of its column; `index` is its place among the values."""

    def __init__(self, index: int, value: object, type: Type) -> None:
        super().__init__(index)
        self.index = index
        self.value = value
        self.type = type


def arrow_type(type: Type) -> pa.DataType:
    """The Arrow type of a column; JSON travels as its text."""
    match type.kind:
        case Kind.BOOLEAN:
            return pa.bool_()
        case Kind.INTEGER:
            return pa.int64()
        case Kind.DECIMAL:
            return pa.decimal128(DECIMAL_DIGITS, type.scale)
        case Kind.NUMBER:
            return pa.float64()
        case Kind.DATE:
            return pa.date32()
        case Kind.TIME:
            return pa.time64("us")
        case Kind.TIMESTAMP:
            return pa.timestamp("us", "UTC")
        case _:
            return pa.string()


def settle(type: Type, values: Sequence[Any]) -> tuple[pa.Array, Type]:
    """The array of values that a typed reader made for `type`, and its type: wider where they do not fit."""
    match type.kind:
        case Kind.INTEGER:
            try:
                return pa.array(values, pa.int64()), type
            except OverflowError:
                return _wide(values)
        case Kind.NUMBER:
            return pa.array(values, pa.float64()), type
        case Kind.DECIMAL:
            return _wide(values, type.scale)
        case Kind.JSON:
            texts = map(bytes, values)
            return pa.array([None if text == b"null" else text for text in texts], pa.string()), type
        case Kind.DATE | Kind.TIME | Kind.TIMESTAMP:
            return _temporal(type, pa.array(values, pa.string()))
        case _:
            return pa.array(values, arrow_type(type)), type


def settle_tokens(type: Type, tokens: Sequence[bytes | None]) -> tuple[pa.Array, Type]:
    """The same for values that are still JSON text (None where a record has no such member), exact to the digit.

    A value that is neither of the type nor of a wider one that keeps it raises Misfit.
    """
    present = [None if token is None or token == b"null" else token for token in tokens]
    match type.kind:
        case Kind.JSON:
            return pa.array(present, pa.string()), JSON
        case Kind.NOTHING:
            kept = JSON if any(token is not None for token in present) else NOTHING
            return pa.array(present, pa.string()), kept
        case Kind.TEXT:
            return pa.array([_text(token) for token in present], pa.string()), TEXT
        case Kind.BOOLEAN:
            return pa.array(_typed(type, present, bool), pa.bool_()), BOOLEAN
        case Kind.DATE | Kind.TIME | Kind.TIMESTAMP:
            return _temporal(type, pa.array(_typed(type, present, str), pa.string()))
        case _:
            return _numeric(type, present)


def _text(token: bytes | None) -> str | None:
    """A string as it is, anything else as its JSON text."""
    if token is None:
        return None
    return msgspec.json.decode(token, type=str) if token[:1] == b'"' else token.decode()


def _typed(type: Type, tokens: Iterable[bytes | None], wanted: type[Any]) -> list[Any]:
    values = []
    for index, token in enumerate(tokens):
        value = None if token is None else msgspec.json.decode(token)
        if value is not None and not isinstance(value, wanted):
            raise Misfit(index, value, type)
        values.append(value)
    return values


# ── numbers ──────────────────────────────────────────────────────────────────────────────────────


def _numeric(type: Type, tokens: Sequence[bytes | None]) -> tuple[pa.Array, Type]:
    values = [None if token is None else _number(index, token, type) for index, token in enumerate(tokens)]
    numbers = [value for value in values if value is not None]
    if type == INTEGER and all(isinstance(value, Decimal) and value % 1 == 0 for value in numbers):
        return settle(INTEGER, [None if value is None else int(value) for value in values])
    if type.kind is Kind.DECIMAL and all(isinstance(value, Decimal) for value in numbers):
        return _wide(values, type.scale)
    for index, value in enumerate(values):
        if isinstance(value, Decimal) and value.adjusted() > 308:
            raise Misfit(index, f"{value:.6g}, too large for a number", type)
    if all(_is_double(value) for value in numbers):
        return pa.array([None if value is None else float(value) for value in values], pa.float64()), NUMBER
    if all(isinstance(value, Decimal) for value in numbers):
        return _wide(values)
    return pa.array([_text(token) for token in tokens], pa.string()), TEXT


def _number(index: int, token: bytes, type: Type) -> Decimal | float:
    if token[:1] in b"-0123456789":
        return msgspec.json.decode(token, type=Decimal)
    value = msgspec.json.decode(token)
    # NaN and its like are no JSON; `messages` hands them on as strings, and a number column keeps them.
    if isinstance(value, str) and value in _NOT_A_NUMBER and type != INTEGER:
        return float(value)
    raise Misfit(index, value, type)


def _is_double(value: Decimal | float) -> bool:
    return isinstance(value, float) or Decimal(repr(float(value))) == value


def _wide(values: Sequence[Any], scale: int = 0) -> tuple[pa.Array, Type]:
    """Integers and decimals as the decimal that holds them all, or as text where 38 digits do not."""
    try:
        return pa.array(values, pa.decimal128(DECIMAL_DIGITS, scale)), decimal(scale)
    except (pa.ArrowInvalid, OverflowError):
        pass
    exact = [None if value is None else Decimal(value) for value in values]
    needed = max((-int(value.as_tuple().exponent) for value in exact if value is not None), default=0)
    if scale < needed <= DECIMAL_DIGITS:
        try:
            return pa.array(exact, pa.decimal128(DECIMAL_DIGITS, needed)), decimal(needed)
        except pa.ArrowInvalid:
            pass
    return pa.array([None if value is None else f"{value:f}" for value in exact], pa.string()), TEXT


# ── dates and times ──────────────────────────────────────────────────────────────────────────────


def _temporal(type: Type, texts: pa.Array) -> tuple[pa.Array, Type]:
    """A text that is no such date leaves the whole column text: nothing is lost and nothing is guessed."""
    readers = {
        Kind.TIMESTAMP: (_instants,),
        Kind.DATE: (_dates, _instants),
        Kind.TIME: (_times,),
    }[type.kind]
    for read in readers:
        array = read(texts)
        if array is not None:
            return array, {pa.date32(): DATE, pa.time64("us"): TIME}.get(array.type, TIMESTAMP)
    return texts, TEXT


def _dates(texts: pa.Array) -> pa.Array | None:
    try:
        return texts.cast(pa.date32())
    except pa.ArrowInvalid:
        return None


def _times(texts: pa.Array) -> pa.Array | None:
    if not all(_TIME_OF_DAY.fullmatch(text) for text in texts.drop_null().to_pylist()):
        return None
    try:
        moments = pc.binary_join_element_wise(pa.scalar("1970-01-01T"), texts, "").cast(pa.timestamp("us"))
    except pa.ArrowInvalid:
        return None
    return moments.cast(pa.time64("us"))


def _instants(texts: pa.Array) -> pa.Array | None:
    utc = pa.timestamp("us", "UTC")
    try:
        return texts.cast(utc)
    except pa.ArrowInvalid:
        pass
    try:
        return pc.assume_timezone(texts.cast(pa.timestamp("us")), "UTC")
    except pa.ArrowInvalid:
        pass
    instants = []
    for text in texts.to_pylist():
        instant = None if text is None else _instant(text)
        if instant is None and text is not None:
            return None
        instants.append(instant)
    return pa.array(instants, pa.int64()).cast(utc)


_TIME_OF_DAY = re.compile(r"\d\d:\d\d(:\d\d([.]\d{1,6})?)?")
_INSTANT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s*([Zz]|UTC|[+-]\d\d(?::?\d\d)?)?)?"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(4096)
def _instant(text: str) -> int | None:
    """Microseconds since 1970 of an ISO 8601 date-time; digits beyond microseconds are cut. None: no such instant."""
    found = _INSTANT.fullmatch(text)
    if not found:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    try:
        moment = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=UTC
        )
        instant = moment - _offset(zone)
    except (ValueError, OverflowError):
        return None
    return (instant - _EPOCH) // timedelta(microseconds=1) + int(((fraction or "") + "000000")[:6])


def _offset(zone: str | None) -> timedelta:
    if zone is None or zone in ("Z", "z", "UTC"):
        return timedelta(0)
    digits = zone[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -offset if zone[0] == "-" else offset
