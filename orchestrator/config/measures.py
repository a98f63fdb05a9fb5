"""Sizes and durations as people write them: `1 GB`, `512 MiB`, `15 min`."""

import math
import re
from collections.abc import Mapping
from typing import Any

_SIZES = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_BINARY_SIZES = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_TIMES = {"s": 1, "min": 60, "h": 3600, "d": 86400}

_TIMES_AS_SAID = {
    **dict.fromkeys(("sec", "second", "seconds"), 1),
    **dict.fromkeys(("m", "minute", "minutes"), 60),
    **dict.fromkeys(("hour", "hours"), 3600),
    **dict.fromkeys(("day", "days"), 86400),
    **dict.fromkeys(("w", "week", "weeks"), 604800),
}

_NAMED_SIZES = {unit.lower(): factor for unit, factor in (_SIZES | _BINARY_SIZES).items()}
_NAMED_TIMES = {unit.lower(): factor for unit, factor in (_TIMES | _TIMES_AS_SAID).items()}

_WRITTEN = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)")


def bytes_of(value: Any) -> int | None:
    """`64 MB`, or a whole number of bytes; None for anything else, and for nothing."""
    if isinstance(value, float):
        return None
    found = _measured(value, _NAMED_SIZES)
    return None if found is None else int(found)


def seconds_of(value: Any) -> float | None:
    """`15 min`, `15m`, `15 minutes`, or a number of seconds; None for anything else, and for none."""
    return _measured(value, _NAMED_TIMES)


def size(count: float) -> str:
    """`64 MB`."""
    return _in_units(count, _SIZES)


def duration(seconds: float) -> str:
    """`15 min`."""
    return _in_units(seconds, _TIMES)


def _measured(value: Any, by_name: Mapping[str, int]) -> float | None:
    if isinstance(value, str) and (written := _WRITTEN.fullmatch(value.strip())):
        factor = by_name.get(written[2].lower())
        value = float(written[1]) * factor if factor else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if math.isfinite(value) and value > 0 else None


def _in_units(count: float, units: Mapping[str, int]) -> str:
    unit, factor = max((each for each in units.items() if each[1] <= count), key=lambda each: each[1], default=("", 1))
    return f"{count / factor:.3g} {unit or next(iter(units))}"
