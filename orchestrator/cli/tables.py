"""Rows for people, as a table, and for programs, as CSV."""

import csv
import io
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Generic, TypeVar

from orchestrator.cli.terminal import styled
from orchestrator.cli.words import in_words

Item = TypeVar("Item")
GAP = "  "


@dataclass(frozen=True, slots=True)
class Column(Generic[Item]):
    """One column of a table of items: its head, and what it shows of an item."""

    head: str
    of: Callable[[Item], Any]


def table(columns: Sequence[Column[Item]], items: Iterable[Item], *, indent: str = "") -> str:
    """The items as lines under a head. Numbers stand at the right."""
    values = [[column.of(item) for column in columns] for item in items]
    heads = [column.head for column in columns]
    return grid(heads, values, indent=indent)


def facts(said: Iterable[tuple[str, Any]]) -> str:
    """Names and what is said under them, one in a line."""
    return table([Column("", lambda fact: fact[0]), Column("", lambda fact: fact[1])], said).lstrip()


def grid(
    heads: Sequence[str],
    values: Sequence[Sequence[Any]],
    *,
    words: Callable[[Any], str] = in_words,
    indent: str = "",
    widest: int | None = None,
) -> str:
    """Values, put into `words`, under their heads. No cell is wider than `widest`."""
    heads = [_cell(head, None) for head in heads]
    rows = [[_cell(words(value), widest) for value in row] for row in values]
    widths = [max(map(_width, cells)) for cells in zip(heads, *rows, strict=True)]
    right = [_all_numbers(column) for column in zip(*values, strict=True)] or [False] * len(heads)
    lines = [
        (indent + GAP.join(_padded(*cell) for cell in zip(row, widths, right, strict=True))).rstrip()
        for row in [heads, *rows]
    ]
    return "\n".join(lines)


def with_dim_head(table: str) -> str:
    """The same for a terminal."""
    head, _, rows = table.partition("\n")
    return f"{styled(head, 'dim')}\n{rows}"


def columns_that_fit(columns: Sequence[Sequence[str]], *, room: int, widest: int) -> int:
    """How many of the columns, each with its head, stand beside each other in `room`; at least one."""
    ends = accumulate(min(widest, max(map(_width, cells))) + len(GAP) for cells in columns)
    return max(1, sum(end - len(GAP) <= room for end in ends))


def as_csv(heads: Sequence[str], values: Iterable[Sequence[Any]]) -> str:
    """The values with a line of heads, as RFC 4180 has it but for the ends of lines."""
    written = io.StringIO()
    lines = csv.writer(written, lineterminator="\n")
    lines.writerow(heads)
    lines.writerows(values)
    return written.getvalue().rstrip("\n")


def _all_numbers(values: Sequence[Any]) -> bool:
    known = [value for value in values if value is not None]
    return bool(known) and all(isinstance(value, int | float) and not isinstance(value, bool) for value in known)


def _cell(text: str, widest: int | None) -> str:
    """One line that a terminal shows as it is: what would move its cursor is written out."""
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
    return text if widest is None or _width(text) <= widest else text[: widest - 1] + "…"


def _padded(text: str, width: int, right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if right else text + space


def _width(text: str) -> int:
    """The columns that a terminal gives to it."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(each) else 1 + (unicodedata.east_asian_width(each) in "WF") for each in text)
