"""The values of one column, settled: which type holds them all without losing any, and the Arrow array of it."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal, InvalidOperation
from typing import Any, TypeVar

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

T = TypeVar("T")


class Misfit(Exception):
    """A value contradicts the type of its column; `index` is its place among the values, `text` its JSON."""

    def __init__(self, index: int, token: bytes) -> None:
        super().__init__(index)
        self.index = index
        self.text = token.decode()


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
    """The array of values that were read as `type` (dates and times as text), and its type: wider where they do not
    fit."""
    match type.kind:
        case Kind.INTEGER:
            try:
                return pa.array(values, pa.int64()), type
            except OverflowError:
                return _integers([None if value is None else Decimal(value) for value in values])
        case Kind.DATE | Kind.TIME | Kind.TIMESTAMP:
            return _temporal(type, pa.array(values, pa.string()))
        case _:
            return pa.array(values, arrow_type(type)), type


def settle_tokens(type: Type, values: Sequence[msgspec.Raw | None]) -> tuple[pa.Array, Type]:
    """The same for values that are still JSON text (None where a record has no such member), exact to the digit.

    A value that is neither of the type nor of a wider one that keeps it raises Misfit.
    """
    tokens = [None if value is None or (token := bytes(value)) == b"null" else token for value in values]
    match type.kind:
        case Kind.JSON:
            return pa.array(tokens, pa.string()), JSON
        case Kind.NOTHING:
            return _whatever(tokens)
        case Kind.TEXT:
            return pa.array([None if token is None else _text(token) for token in tokens], pa.string()), TEXT
        case Kind.BOOLEAN:
            return pa.array(_each(_boolean, tokens), pa.bool_()), BOOLEAN
        case Kind.DATE | Kind.TIME | Kind.TIMESTAMP:
            return _temporal(type, pa.array(_each(_string, tokens), pa.string()))
        case _:
            return _numeric(type, tokens)


def _whatever(tokens: Sequence[bytes | None]) -> tuple[pa.Array, Type]:
    texts = [None if token is None else _string(token) for token in tokens]
    if texts.count(None) > tokens.count(None):
        return pa.array(tokens, pa.string()), JSON
    return pa.array(texts, pa.string()), NOTHING if texts.count(None) == len(texts) else TEXT


def _each(read: Callable[[bytes], T], tokens: Sequence[bytes | None]) -> list[T | None]:
    """What `read` makes of each token; where it makes nothing of it, a Misfit."""
    values: list[T | None] = []
    for index, token in enumerate(tokens):
        value = None if token is None else read(token)
        if value is None and token is not None:
            raise Misfit(index, token)
        values.append(value)
    return values


def _text(token: bytes) -> str:
    """A string as it is, anything else as its JSON text."""
    string = _string(token)
    return token.decode() if string is None else string


def _string(token: bytes) -> str | None:
    return msgspec.json.decode(token, type=str) if token[:1] == b'"' else None


def _boolean(token: bytes) -> bool | None:
    return {b"true": True, b"false": False}.get(token)


# ── numbers ──────────────────────────────────────────────────────────────────────────────────────

# A literal of 18 digits or more, or an integer of 16 or more: a double may not keep it.
_LONG = r"-?(?:0[.]0*[1-9]\d{17}|[1-9][\d.]{18}|[1-9]\d{15,}(?:[^\d.eE]|$))"
_LONG_TOKEN = re.compile(_LONG.encode())
_DIGITS = bytes(48 if character in b"0123456789." else 32 for character in range(256))
_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
_LARGEST_EXPONENT = 308
_NOT_A_NUMBER = {b'"NaN"': float("nan"), b'"Infinity"': float("inf"), b'"-Infinity"': float("-inf")}


def has_long_number(text: bytes) -> bool:
    """Whether a number in a JSON text, or what looks like one, may be too long for a double."""
    # A long run of digits is seldom, and faster to find.
    if b"0" * 16 not in text.translate(_DIGITS):
        return False
    return _any(pc.match_substring_regex(pa.array([text], pa.binary()), r"[:,\[]\s*" + _LONG))


def _numeric(type: Type, tokens: Sequence[bytes | None]) -> tuple[pa.Array, Type]:
    array = _plain(type, pa.array(tokens, pa.string()))
    if array is not None:
        return array, type
    values = _each(_number, tokens)
    exact = [value for value in values if not isinstance(value, float)]
    all_exact = len(exact) == len(values)
    if type == INTEGER and all_exact and all(map(_is_whole, exact)):
        return _integers(exact)
    if not (type.kind is Kind.DECIMAL and all_exact) and all(map(_is_double, tokens, values)):
        return pa.array([None if value is None else float(value) for value in values], pa.float64()), NUMBER
    fitting = _decimals(exact, type.scale) if all_exact else None
    return fitting or (pa.array([None if token is None else _text(token) for token in tokens], pa.string()), TEXT)


def _plain(type: Type, texts: pa.Array) -> pa.Array | None:
    """Numbers that Arrow reads as they stand; None where it does not, or not as exactly as it should."""
    if type == NUMBER and _any(pc.match_substring_regex(texts, "^" + _LONG)):
        return None
    # Arrow makes another number of a decimal that does not fit, and 0 of 1e-99, without a word.
    if type.kind is Kind.DECIMAL and (
        (pc.max(pc.binary_length(texts)).as_py() or 0) + type.scale > DECIMAL_DIGITS
        or _any(pc.match_substring_regex(texts, "[eE]"))
    ):
        return None
    if type == INTEGER:
        texts = pc.replace_substring_regex(texts, r"\.0+$", "")
    array = _cast(texts, arrow_type(type))
    # A literal that is too large for a double becomes an infinity.
    return None if array is None or (type == NUMBER and _any(pc.is_inf(array))) else array


def _number(token: bytes) -> Decimal | float | None:
    # NaN and its like are no JSON; `lines` hands them on as strings, and a column of numbers keeps them.
    if token in _NOT_A_NUMBER:
        return _NOT_A_NUMBER[token]
    try:
        value = Decimal(token.decode())
    except InvalidOperation:
        return None
    # An integer may be as long as it likes; 1e400 is rather a mistake, and 1e999999999 would fill the memory.
    return value if _exponent(value) <= 0 or value.adjusted() <= _LARGEST_EXPONENT else None


def _exponent(value: Decimal) -> int:
    return int(value.as_tuple().exponent)


def _is_whole(value: Decimal | None) -> bool:
    return value is None or value == value.to_integral_value()


def _is_double(token: bytes | None, value: Decimal | float | None) -> bool:
    if token is None or not isinstance(value, Decimal) or not _LONG_TOKEN.match(token):
        return True
    return Decimal(repr(float(value))) == value


def _integers(values: Sequence[Decimal | None]) -> tuple[pa.Array, Type]:
    """Whole numbers, of whatever length."""
    try:
        return pa.array([None if value is None else int(value) for value in values], pa.int64()), INTEGER
    except OverflowError:
        texts = [None if value is None else f"{value:f}" for value in values]
        return _decimals(values) or (pa.array(texts, pa.string()), TEXT)


def _decimals(values: Sequence[Decimal | None], scale: int = 0) -> tuple[pa.Array, Type] | None:
    """The values as the decimal that holds them all, if 38 digits do."""
    # Arrow loses values whose zeros at the end lie beyond its 38 digits.
    shortest = [None if value is None else value.normalize(_EXACT) for value in values]
    places = max((-_exponent(value) for value in shortest if value is not None), default=0)
    digits = max((value.adjusted() + 1 for value in shortest if value is not None), default=0)
    for behind in (max(scale, places), max(0, places)):
        if behind + max(0, digits) <= DECIMAL_DIGITS:
            return pa.array(shortest, pa.decimal128(DECIMAL_DIGITS, behind)), decimal(behind)
    return None


def _shortest(number: str) -> Decimal | int:
    value = Decimal(number).normalize(_EXACT)
    return int(value) if 0 <= value.adjusted() <= _LARGEST_EXPONENT and _is_whole(value) else value


_COMPARED = msgspec.json.Decoder(float_hook=_shortest)
_COMPARABLE = msgspec.json.Encoder(decimal_format="number", order="sorted")


def comparable(texts: pa.Array) -> pa.Array:
    """JSON texts, each as the one text that all texts of the same value share."""
    return pa.array([None if text is None else _comparable(text) for text in texts.to_pylist()], pa.string())


def _comparable(text: str) -> bytes | str:
    try:
        return _COMPARABLE.encode(_COMPARED.decode(text))
    except msgspec.ValidationError:
        # An integer of thousands of digits: nobody writes it in two ways.
        return text


# ── dates and times ──────────────────────────────────────────────────────────────────────────────


def _temporal(type: Type, texts: pa.Array) -> tuple[pa.Array, Type]:
    """A text that is no such date leaves the whole column text: nothing is lost and nothing is guessed."""
    for read, wider in _TEMPORAL[type.kind]:
        array = read(texts)
        if array is not None:
            return array, wider
    return texts, TEXT


_UTC = pa.timestamp("us", "UTC")
# Python, and so whoever reads the rows with it, knows no year 0 or 10 000; an offset can lead into either.
_YEARS = {
    pa.date32(): (pa.scalar(date.min), pa.scalar(date.max)),
    _UTC: (
        pa.scalar(datetime.min.replace(tzinfo=UTC), _UTC),
        pa.scalar(datetime.max.replace(tzinfo=UTC), _UTC),
    ),
}
_AS_ARROW_READS = re.compile(r"[-\d]{10}(?:[T ][:\d]{2,8}(?:[.]\d{1,6})?(?P<zone>Z|[-+][:\d]{2,5})?)?")
# How others write an instant, and how Arrow reads it. What fits neither stays as it is, and Arrow refuses it.
_SPELLINGS = (
    (r"^(\d{4}-\d\d-\d\d)$", r"\1T00"),
    (r"^(\d{4}-\d\d-\d\d)t", r"\1T"),
    # Digits beyond microseconds are cut.
    (r"(:\d\d)[.,](\d{1,6})\d*", r"\1.\2"),
    (r"\s*(?:z|Z|UTC)$", "Z"),
    (r"\s+([+-]\d\d(?::?\d\d)?)$", r"\1"),
    (r"([T ]\d\d(?::\d\d){0,2}(?:\.\d+)?)$", r"\1Z"),
)


def _instants(texts: pa.Array) -> pa.Array | None:
    # A cast that fails costs ten times one that does not: the first text tells whether and which to try.
    found = _AS_ARROW_READS.fullmatch(pc.first(texts).as_py() or "")
    array = _cast(texts, _UTC if found["zone"] else pa.timestamp("us")) if found else None
    if array is not None:
        return _in_years(array.cast(_UTC))
    for others, ours in _SPELLINGS:
        texts = pc.replace_substring_regex(texts, others, ours)
    return _in_years(_cast(texts, _UTC))


def _dates(texts: pa.Array) -> pa.Array | None:
    return _in_years(_cast(texts, pa.date32()))


def _times(texts: pa.Array) -> pa.Array | None:
    if _any(pc.invert(pc.match_substring_regex(texts, r"^\d\d:\d\d"))):
        return None
    moments = _cast(pc.binary_join_element_wise("1970-01-01T", texts, ""), pa.timestamp("us"))
    return None if moments is None else moments.cast(pa.time64("us"))


def _any(conditions: pa.Array) -> bool:
    return pc.any(conditions).as_py() is True


def _cast(texts: pa.Array, type: pa.DataType) -> pa.Array | None:
    try:
        return texts.cast(type)
    except pa.ArrowInvalid:
        return None


def _in_years(array: pa.Array | None) -> pa.Array | None:
    """The dates or instants, if all of them lie in the years 1 to 9999."""
    if array is None:
        return None
    first, last = _YEARS[array.type]
    outside = pc.or_(pc.less(array, first), pc.greater(array, last))
    return None if _any(outside) else array


_TEMPORAL = {
    Kind.TIMESTAMP: ((_instants, TIMESTAMP),),
    Kind.DATE: ((_dates, DATE), (_instants, TIMESTAMP)),
    Kind.TIME: ((_times, TIME),),
}
