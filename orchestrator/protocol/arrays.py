"""Arrow arrays: of which type a column's is, and casts that give None where they fail."""

import pyarrow as pa
import pyarrow.compute as pc

from orchestrator.protocol.schemas import DECIMAL_DIGITS, Kind, Type


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


def cast(texts: pa.Array, type: pa.DataType) -> pa.Array | None:
    """Texts as values of another type; None unless each of them is one."""
    try:
        return texts.cast(type)
    except pa.ArrowInvalid:
        return None


def any_of(conditions: pa.Array) -> bool:
    """Whether one of them is known to hold."""
    return pc.any(conditions).as_py() is True
