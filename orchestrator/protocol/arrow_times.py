"""Dates, times and durations of Arrow as ISO 8601 writes them, in whatever year."""

from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from orchestrator.protocol.arrays import each_as_text
from orchestrator.protocol.dates import A_SECOND, in_years

_DAYS_TO_1970 = date(1970, 1, 1).toordinal() - 1
# After so many years the calendar begins anew.
_CYCLE_YEARS, _CYCLE_DAYS = 400, 146_097
_SECONDS_A_DAY = 86_400


def dates(values: pa.Array) -> pa.Array:
    """Days as texts."""
    if in_years(values) is not None:
        return values.cast(pa.string())
    return each_as_text(_date, values.cast(pa.int32()))


def instants(values: pa.Array) -> pa.Array:
    """Instants as texts, in UTC; those without a zone without one."""
    unit, zone = values.type.unit, "Z" if values.type.tz else ""
    values = values.cast(pa.timestamp(unit))
    if in_years(values) is not None:
        return _without_zeros(pc.strftime(values, f"%Y-%m-%dT%H:%M:%S{zone}"))
    return each_as_text(lambda value: _moment(value, A_SECOND[unit]) + zone, values.cast(pa.int64()))


def times(values: pa.Array) -> pa.Array:
    """Times of day as texts."""
    return _without_zeros(values.cast(pa.string()))


def _without_zeros(texts: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(texts, r"\.0+(Z?)$", r"\1")


def durations(values: pa.Array) -> pa.Array:
    """Durations as texts, in seconds."""
    a_second = A_SECOND[values.type.unit]
    return each_as_text(lambda value: _duration(value, a_second), values.cast(pa.int64()))


def _date(days: int) -> str:
    cycles, days = divmod(days + _DAYS_TO_1970, _CYCLE_DAYS)
    within = date.fromordinal(days + 1)
    year = within.year + cycles * _CYCLE_YEARS
    return f"{year:0{4 + (year < 0)}d}-{within.month:02d}-{within.day:02d}"


def _moment(value: int, a_second: int) -> str:
    seconds, fraction = divmod(value, a_second)
    days, seconds = divmod(seconds, _SECONDS_A_DAY)
    time = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{_fraction(fraction, a_second)}"
    return f"{_date(days)}T{time}"


def _duration(value: int, a_second: int) -> str:
    seconds, fraction = divmod(abs(value), a_second)
    return f"{'-' if value < 0 else ''}PT{seconds}{_fraction(fraction, a_second)}S"


def _fraction(fraction: int, a_second: int) -> str:
    return f".{fraction:0{len(str(a_second)) - 1}d}" if fraction else ""
