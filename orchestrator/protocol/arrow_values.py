"""The values of one column that came as Arrow, settled: as they are where they fit, else as the JSON that says them."""

import pyarrow as pa
import pyarrow.compute as pc

from orchestrator.protocol.arrays import INSTANT, arrow_type, cast
from orchestrator.protocol.arrow_json import json_of, texts_of
from orchestrator.protocol.arrow_types import plain
from orchestrator.protocol.dates import in_years, settle_dates
from orchestrator.protocol.numbers import plainly
from orchestrator.protocol.schemas import DECIMAL_DIGITS, JSON, NUMBER, TEXT, TIMESTAMP, Kind, Type
from orchestrator.protocol.values import settle_tokens

_is = pa.types
_NUMBERS = (Kind.INTEGER, Kind.NUMBER, Kind.DECIMAL)
_DATES = (Kind.DATE, Kind.TIME, Kind.TIMESTAMP)
_LARGEST_EXACT = 2**53
"""Up to here every integer is a double, and the double is written as that integer."""
_EXACT_DIGITS = 15
"""A number of so many digits is that of its double."""


def settle_arrow(type: Type, values: pa.Array) -> tuple[pa.Array, Type]:
    """What `settle_tokens` makes of the JSON of the same values, without the detour where none is needed.

    Raises Misfit.
    """
    promised = JSON if type.is_nested else type
    values = plain(values)
    if values.null_count == len(values):
        return pa.nulls(len(values), arrow_type(promised)), promised
    array, settled = _as_they_are(promised, values)
    return _as_json(promised, values) if array is None else (array, settled)


def _as_they_are(type: Type, values: pa.Array) -> tuple[pa.Array | None, Type]:
    """None where the values are of another kind, or do not all fit."""
    held = values.type
    match type.kind:
        case Kind.BOOLEAN if _is.is_boolean(held):
            return values, type
        case Kind.TEXT if _is.is_string(held):
            return values, type
        case Kind.INTEGER if _is.is_integer(held):
            return cast(values, pa.int64()), type
        case Kind.INTEGER if _is.is_floating(held):
            return _up_to_largest_exact(cast(values, pa.int64())), type
        case Kind.NUMBER if _is.is_floating(held):
            return values.cast(pa.float64()), type
        case Kind.NUMBER if _is.is_integer(held) and (integers := _up_to_largest_exact(values)) is not None:
            return integers.cast(pa.float64()), type
        case Kind.NUMBER if _is.is_decimal(held):
            return _short(values), type
        case Kind.DECIMAL if _is.is_decimal(held) and _has_room(held, type.scale):
            return values.cast(arrow_type(type)), type
        case Kind.DATE if _is.is_date(held):
            return in_years(values), type
        case Kind.TIME if _is.is_time(held):
            return cast(values, arrow_type(type)), type
        case Kind.TIMESTAMP if _is.is_date(held):
            return in_years(cast(values, INSTANT)), type
        case Kind.TIMESTAMP | Kind.DATE if _is.is_timestamp(held):
            return in_years(_instants(values)), TIMESTAMP
        case _:
            return None, type


def _as_json(type: Type, values: pa.Array) -> tuple[pa.Array, Type]:
    if type == JSON:
        return json_of(values), JSON
    if (texts := texts_of(values)) is not None:
        if type.kind in _DATES:
            return settle_dates(type, texts)
        if type.kind in (Kind.TEXT, Kind.NOTHING):
            return texts, TEXT
    said = json_of(values)
    if type.kind in _NUMBERS and (numbers := plainly(type, said)) is not None:
        return numbers, type
    return settle_tokens(type, [token or b"null" for token in said.cast(pa.binary()).to_pylist()])


def _up_to_largest_exact(integers: pa.Array | None) -> pa.Array | None:
    """The integers, if a double holds each of them."""
    if integers is None:
        return None
    span = pc.min_max(integers)
    return integers if -_LARGEST_EXACT <= span["min"].as_py() <= span["max"].as_py() <= _LARGEST_EXACT else None


def _short(decimals: pa.Array) -> pa.Array | None:
    """The decimals as doubles, if each has so few digits, without zeros at its end, that its double is no other one."""
    texts = decimals.cast(pa.string())
    if decimals.type.precision > _EXACT_DIGITS:
        texts = pc.replace_substring_regex(texts, r"(\.\d*[1-9])0+$|\.0+$", r"\1")
    return plainly(NUMBER, texts) if pc.max(pc.binary_length(texts)).as_py() <= _EXACT_DIGITS + 1 else None


def _has_room(held: pa.DataType, scale: int) -> bool:
    """Whether all decimals of a type are such of 38 digits, `scale` of them behind the point."""
    return bool(0 <= held.scale <= scale and held.precision - held.scale <= DECIMAL_DIGITS - scale)


def _instants(values: pa.Array) -> pa.Array | None:
    # The zone only tells how to show an instant; one without is taken as UTC.
    moments = values.cast(pa.timestamp(values.type.unit))
    if values.type.unit == "ns":
        # As of a text, what is beyond microseconds is cut; a cast would refuse it.
        moments = pc.floor_temporal(moments, unit="microsecond")
    array = cast(moments, pa.timestamp("us"))
    return None if array is None else array.cast(INSTANT)
