"""Numbers of one column: integers, doubles and decimals, exact to the digit or as text."""

import math
import re
from collections.abc import Sequence
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal, InvalidOperation

import pyarrow as pa
import pyarrow.compute as pc

from orchestrator.protocol.arrays import any_of, arrow_type, cast
from orchestrator.protocol.schemas import DECIMAL_DIGITS, INTEGER, NUMBER, TEXT, Kind, Type, decimal
from orchestrator.protocol.tokens import each, text

# A literal of 18 digits or more, or an integer of 16 or more: a double may not keep it.
_LONG = r"-?(?:0[.]0*[1-9]\d{17}|[1-9][\d.]{18}|[1-9]\d{15,}(?:[^\d.eE]|$))"
_LONG_TOKEN = re.compile(_LONG.encode())
_DIGITS = bytes(48 if character in b"0123456789." else 32 for character in range(256))
_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
_LARGEST_EXPONENT = 308
_NOT_A_NUMBER = {b'"NaN"': float("nan"), b'"Infinity"': float("inf"), b'"-Infinity"': float("-inf")}


def has_long_number(lines: bytes) -> bool:
    """Whether a number in a JSON text, or what looks like one, may be too long for a double."""
    # A long run of digits is seldom, and faster to find; Python looks for it in larger steps from the end.
    if lines.translate(_DIGITS).rfind(b"0" * 16) < 0:
        return False
    return any_of(pc.match_substring_regex(pa.array([lines], pa.binary()), r"[:,\[]\s*" + _LONG))


def settle_numbers(type: Type, tokens: Sequence[bytes | None]) -> tuple[pa.Array, Type]:
    """Numbers as their JSON text: as what they were promised to be, or else as doubles, decimals or text, whichever
    keeps every digit. Raises Misfit.

    The rows of a column may come together or one by one and widen it later (`load.evolution`): both must end with the
    same type.
    """
    array = plainly(type, pa.array(tokens, pa.string()))
    if array is not None:
        return array, type
    values = each(_number if type.kind is Kind.DECIMAL else _double_or_longer, tokens)
    exact = [value for value in values if not isinstance(value, float)]
    all_exact = len(exact) == len(values)
    fitting = None
    if type == INTEGER and all_exact and all(map(_is_whole, exact)):
        fitting = _integers(exact)
    elif type.kind is Kind.DECIMAL:
        fitting = _decimals(exact, type.scale)
        fitting = fitting if all_exact or fitting is None else _doubles(values)
    elif type != INTEGER or not any(map(_is_too_wide, exact)):
        fitting = _doubles(values) or (_decimals(exact) if all_exact else None)
    return fitting or (pa.array([None if token is None else text(token) for token in tokens], pa.string()), TEXT)


def plainly(type: Type, texts: pa.Array) -> pa.Array | None:
    """Numbers that Arrow reads as they stand; None where it does not, or may not do it exactly."""
    match type.kind:
        case Kind.INTEGER:
            return cast(pc.replace_substring_regex(texts, r"\.0+$", ""), pa.int64())
        case Kind.NUMBER if not any_of(pc.match_substring_regex(texts, "^" + _LONG)):
            doubles = cast(texts, pa.float64())
            # A literal that is too large becomes an infinity.
            return None if doubles is None or any_of(pc.is_inf(doubles)) else doubles
        case Kind.DECIMAL if not any_of(pc.match_substring_regex(texts, "[eE]")):
            # Arrow makes another number of a decimal that does not fit, without a word.
            longest = pc.max(pc.binary_length(texts)).as_py() or 0
            return cast(texts, arrow_type(type)) if longest + type.scale <= DECIMAL_DIGITS else None
        case _:
            return None


def _number(token: bytes) -> Decimal | float | None:
    # NaN and its like are no JSON; `lines` hands them on as strings, and a column of numbers keeps them.
    if token in _NOT_A_NUMBER:
        return _NOT_A_NUMBER[token]
    try:
        value = Decimal(token.decode())
    except InvalidOperation:
        return None
    # An integer may be as long as it likes; 1e400 is rather a mistake, and 1e999999999 would fill the memory.
    return value if _exponent(value) <= 0 or math.isfinite(float(value)) else None


def _double_or_longer(token: bytes) -> Decimal | float | None:
    """A number of no more digits than a double has is the double that it names."""
    value = _number(token)
    return value if not isinstance(value, Decimal) or _LONG_TOKEN.match(token) else Decimal(repr(float(value)))


def _exponent(value: Decimal) -> int:
    return int(value.as_tuple().exponent)


def _is_whole(value: Decimal | None) -> bool:
    return value is None or value == value.to_integral_value()


def _is_too_wide(value: Decimal | None) -> bool:
    return value is not None and value.adjusted() >= DECIMAL_DIGITS


def settle_integers(values: Sequence[Decimal | None]) -> tuple[pa.Array, Type]:
    """Whole numbers, however long: as integers, decimals or text."""
    texts = [None if value is None else f"{value:f}" for value in values]
    return _integers(values) or (pa.array(texts, pa.string()), TEXT)


def _integers(values: Sequence[Decimal | None]) -> tuple[pa.Array, Type] | None:
    try:
        return pa.array([None if value is None else int(value) for value in values], pa.int64()), INTEGER
    except OverflowError:
        return _decimals(values)


def _doubles(values: Sequence[Decimal | float | None]) -> tuple[pa.Array, Type] | None:
    """The values as doubles, if each is one: that is what it is written as again."""
    doubles = [None if value is None else float(value) for value in values]
    for value, double in zip(values, doubles, strict=True):
        if isinstance(value, Decimal) and Decimal(repr(double)) != value:
            return None
    return pa.array(doubles, pa.float64()), NUMBER


def _decimals(values: Sequence[Decimal | None], scale: int = 0) -> tuple[pa.Array, Type] | None:
    """The values as the decimal that holds them all, if 38 digits do."""
    # Arrow makes another number of one whose zeros reach beyond its 38 digits.
    shortest = [None if value is None else value.normalize(_EXACT) for value in values]
    places = max((-_exponent(value) for value in shortest if value is not None), default=0)
    digits = max((value.adjusted() + 1 for value in shortest if value), default=0)
    for behind in (max(scale, places), max(0, places)):
        if behind + max(0, digits) <= DECIMAL_DIGITS:
            return pa.array(shortest, pa.decimal128(DECIMAL_DIGITS, behind)), decimal(behind)
    return None


def as_one(literal: str) -> Decimal | int:
    """The number that all literals of the same value share."""
    value = Decimal(literal).normalize(_EXACT)
    return int(value) if 0 <= value.adjusted() <= _LARGEST_EXPONENT and _is_whole(value) else value
