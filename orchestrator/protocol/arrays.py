"""Arrow arrays: of which type a column's is, and casts that give None where they fail."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from orchestrator.protocol.schemas import DECIMAL_DIGITS, Kind, Type

INSTANT = pa.timestamp("us", "UTC")
_NULL = pa.scalar("null")
_LENGTH_OF_NULL = pa.scalar(4, pa.int32())


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
            return INSTANT
        case Kind.STRUCT:
            return pa.struct([(member.name, arrow_type(member.type)) for member in type.members])
        case Kind.LIST if type.item is not None:
            return pa.list_(arrow_type(type.item))
        case _:
            return pa.string()


def scalar(value: Any, type: pa.DataType) -> pa.Scalar:
    """A value as `pa.scalar` makes it, which looks each time whether dateutil is installed."""
    return pa.array([value], type)[0]


def json_texts(values: Sequence[msgspec.Raw | bytes]) -> pa.Array:
    """JSON texts, known to be UTF-8, as one array of strings; a text that says `null` is none."""
    ends = pc.cumulative_sum(pa.array([0, *map(len, values)], pa.int32()))
    text = pa.py_buffer(b"".join(values))
    array = pa.Array.from_buffers(pa.string(), len(values), [None, ends.buffers()[1], text])
    short = pc.equal(pc.subtract(ends.slice(1), ends.slice(0, len(values))), _LENGTH_OF_NULL)
    if not any_of(short):
        return array
    # To compare the short ones alone is quicker, and most often they are alike.
    null = short if _all_null(array.filter(short)) else pc.equal(array, _NULL)
    return pa.Array.from_buffers(pa.string(), len(values), [pc.invert(null).buffers()[1], ends.buffers()[1], text])


def _all_null(texts: pa.Array) -> bool:
    return pc.all(pc.equal(texts, _NULL)).as_py() is True


def cast(texts: pa.Array, type: pa.DataType) -> pa.Array | None:
    """Texts as values of another type; None unless each of them is one."""
    try:
        return texts.cast(type)
    except pa.ArrowInvalid:
        return None


def each_as_text(said: Callable[[Any], str | bytes | None], values: pa.Array) -> pa.Array:
    """What `said` makes of each value; a null stays one."""
    return pa.array([None if value is None else said(value) for value in values.to_pylist()], pa.string())


def any_of(conditions: pa.Array) -> bool:
    """Whether one of them is known to hold."""
    return pc.any(conditions).as_py() is True
