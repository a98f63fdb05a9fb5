"""Which lines of a TOML text hold which setting. Only errors and edits ask; reading does not."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Place = tuple[str | int, ...]
"""Leads from the top of the document to a value, such as ("taps", "gitlab", "python") or ("flows", 0, "to")."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A header such as `[taps.gitlab]`, or a setting: lines `first` to `end` (counted from 0, `end` left out).

    `table` is where the header in force leads; `places` are all that the statement itself gives a value to.
    """

    table: Place
    places: tuple[Place, ...]
    first: int
    end: int
    is_header: bool = False


def statements(text: str) -> list[Statement]:
    """The statements of a valid TOML text, in order; comments and blank lines are what is left between them."""
    found: list[Statement] = []
    lengths: dict[Place, int] = {}
    table: Place = ()
    lines = text.split("\n")
    for first, end, value in _parsed_apart(lines):
        is_header = lines[first].lstrip().startswith("[")
        if is_header:
            table = _header_place(value, lengths)
            places: tuple[Place, ...] = (table,)
        else:
            places = tuple(_places(table, value))
        found.append(Statement(table, places, first, end, is_header))
    return found


def line_of(known: Iterable[Statement], place: Place) -> int | None:
    """The line (counted from 1) that gives `place` its value, or else the nearest thing around it."""
    lines: dict[Place, int] = {}
    for statement in known:
        for given in statement.places:
            for length in range(1, len(given) + 1):
                lines.setdefault(given[:length], statement.first + 1)
    return next((lines[place[:n]] for n in range(len(place), 0, -1) if place[:n] in lines), None)


def _parsed_apart(lines: list[str]) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """(first line, end, value) of each statement.

    A statement ends with its line unless a string or an array is open, and then it is no TOML yet: so the first
    run of lines that is TOML by itself is a whole statement.
    """
    first = 0
    for end in range(1, len(lines) + 1):
        try:
            value = tomllib.loads("\n".join(lines[first:end]) + "\n")
        except tomllib.TOMLDecodeError:
            continue
        if value:
            yield first, end, value
        first = end


def _header_place(value: dict[str, Any], lengths: dict[Place, int]) -> Place:
    """Where a header leads. Inside a list of tables ([[flows]]) that is the last one so far; `lengths` counts them."""
    place: Place = ()
    inner: Any = value
    while inner:
        ((key, inner),) = inner.items()
        place += (key,)
        if isinstance(inner, list):
            inner = inner[0]
            lengths[place] = lengths.get(place, 0) + 1
        if place in lengths:
            place += (lengths[place] - 1,)
    return place


def _places(table: Place, value: Any) -> Iterator[Place]:
    inner = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, below in inner:
        yield (*table, key)
        yield from _places((*table, key), below)
