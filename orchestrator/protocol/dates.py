"""Dates and times of one column, read from their texts."""

import re
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from orchestrator.protocol.arrays import INSTANT, any_of, cast
from orchestrator.protocol.schemas import DATE, TEXT, TIME, TIMESTAMP, Kind, Type


def settle_dates(type: Type, texts: pa.Array) -> tuple[pa.Array, Type]:
    """A text that is no such date leaves the whole column text: nothing is lost and nothing is guessed."""
    for read, wider in _TEMPORAL[type.kind]:
        array = read(texts)
        if array is not None:
            return array, wider
    return texts, TEXT


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
    array = cast(texts, INSTANT if found["zone"] else pa.timestamp("us")) if found else None
    if array is not None:
        return in_years(array.cast(INSTANT))
    for others, ours in _SPELLINGS:
        texts = pc.replace_substring_regex(texts, others, ours)
    return in_years(cast(texts, INSTANT))


def _dates(texts: pa.Array) -> pa.Array | None:
    return in_years(cast(texts, pa.date32()))


def _times(texts: pa.Array) -> pa.Array | None:
    if any_of(pc.invert(pc.match_substring_regex(texts, r"^\d\d:\d\d"))):
        return None
    moments = cast(pc.binary_join_element_wise("1970-01-01T", texts, ""), pa.timestamp("us"))
    return None if moments is None else moments.cast(pa.time64("us"))


# Python, and so whoever reads the rows with it, knows no year 0 or 10 000; an offset can lead into either.
_FIRST, _LAST = ((end - date(1970, 1, 1)).days for end in (date.min, date.max))
_SECONDS_A_DAY = 86_400
A_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
"""In the units of Arrow."""


def in_years(array: pa.Array | None) -> pa.Array | None:
    """The dates or instants, if all of them lie in the years 1 to 9999."""
    if array is None:
        return None
    a_day = 1 if array.type == pa.date32() else _SECONDS_A_DAY * A_SECOND[array.type.unit]
    span = pc.min_max(array)
    # As Python's own dates, those outside could not be compared.
    fits = not span["min"].is_valid or _FIRST * a_day <= span["min"].value <= span["max"].value < (_LAST + 1) * a_day
    return array if fits else None


_TEMPORAL = {
    Kind.TIMESTAMP: ((_instants, TIMESTAMP),),
    Kind.DATE: ((_dates, DATE), (_instants, TIMESTAMP)),
    Kind.TIME: ((_times, TIME),),
}
