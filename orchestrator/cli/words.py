"""Values in words: numbers, times, durations and sizes as people read them, and as machines do."""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from orchestrator.cli.plain import plain_json

NOTHING = "–"
SCHEMA = 1
"""The version of what `document` writes: it grows with every change that a reader would stumble over."""


class Moment(str):
    """A point in time, in RFC 3339."""


class Seconds(float):
    """A duration."""


class Size(int):
    """So many bytes."""


class Rate(int):
    """So many a second."""


def in_words(value: Any) -> str:
    """A value as a person reads it."""
    match value:
        case None | "" | ():
            return NOTHING
        case Moment():
            return moment(value)
        case Seconds():
            return duration(value)
        case Size():
            return size(value)
        case Rate():
            return f"{number(value)}/s" if value else NOTHING
        case bool():
            return "✓" if value else NOTHING
        case int():
            return number(value)
        case list() | tuple():
            return ", ".join(map(str, value))
    return str(value)


def number(value: int) -> str:
    """`39 177`."""
    return f"{value:,}".replace(",", " ")


def counted(value: int, noun: str, many: str | None = None) -> str:
    """`1 row`, `39 177 rows`; `many` are those of a noun that does not end in s."""
    return f"{number(value)} {noun if value == 1 else many or f'{noun}s'}"


def duration(seconds: float) -> str:
    """`0.4 s`, `41 s`, `1 min 12 s`, `15 min`, `2 h 5 min`, `3 days 4 h`; at most two units."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    parts = [(days, "day" if days == 1 else "days"), (hour, "h"), (minute, "min"), (second, "s")]
    first = next(place for place, (count, _) in enumerate(parts) if count)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2] if count)


def size(value: int) -> str:
    """`64 MB`, decimal."""
    shown, units = float(value), ["B", "kB", "MB", "GB", "TB", "PB"]
    while shown >= 999.5 and len(units) > 1:
        shown, units = shown / 1000, units[1:]
    return f"{shown:.0f} {units[0]}" if units[0] == "B" or shown >= 9.95 else f"{shown:.1f} {units[0]}"


def seconds_between(start: str, end: str) -> Seconds:
    """The time from one RFC 3339 time to another."""
    return Seconds((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds())


def age(rfc3339: str) -> Seconds:
    """The time that has passed since."""
    return Seconds((datetime.now(UTC) - datetime.fromisoformat(rfc3339)).total_seconds())


def moment(rfc3339: str) -> str:
    """`2026-11-20 22:02:10 CET`: here, with the zone."""
    return datetime.fromisoformat(rfc3339).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def document(**members: Any) -> str:
    """One JSON document, as machines read it: on one line, but spread out for a person at a terminal. Values may be
    frozen values of ours, at any depth."""
    written = line(schema=SCHEMA, **members)
    if not sys.stdout.isatty():
        return written
    import msgspec

    return msgspec.json.format(written, indent=2)


def line(**members: Any) -> str:
    """The same on one line in any case, and without a version: its members are told one by one."""
    # Whoever wants a table does without it.
    import msgspec

    return plain_json(msgspec.json.Encoder(decimal_format="number", enc_hook=_plain).encode(members).decode())


def raw(json: bytes | None) -> Any:
    """JSON text, to stand in a document as it is."""
    import msgspec

    return None if json is None else msgspec.Raw(json)


def _plain(value: Any) -> Any:
    match value:
        case Mapping():
            return dict(value)
        case float():
            return float(value)
        case int():
            return int(value)
    return str(value)
