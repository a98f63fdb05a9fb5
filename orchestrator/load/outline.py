"""What the streams of a flow look like, in words, and how two such looks differ."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from orchestrator.load.table import Table


@dataclass(frozen=True, slots=True)
class Outline:
    """One stream: the columns that make a row the same row, and the type of each column in a word."""

    key: tuple[str, ...]
    columns: Mapping[str, str]

    @classmethod
    def of(cls, table: Table) -> "Outline":
        return cls(table.key, {column.name: str(column.type) for column in table.columns})


Outlines = Mapping[str, Outline]
"""By the names of the streams."""


@dataclass(frozen=True, slots=True)
class Reshaped:
    """One thing that is different about a stream: its column ("": the key), and what it was and is; None for what is
    new or gone."""

    stream: str
    column: str
    before: str | None
    after: str | None


def reshaped(before: Outlines, after: Outlines) -> list[Reshaped]:
    """How the streams differ that both know. Which streams there are is a matter of the selection."""
    return [change for stream in sorted({*before} & {*after}) for change in _of(stream, before[stream], after[stream])]


def _of(stream: str, before: Outline, after: Outline) -> Iterator[Reshaped]:
    if before.key != after.key:
        yield Reshaped(stream, "", ", ".join(before.key) or None, ", ".join(after.key) or None)
    for column in {**before.columns, **after.columns}:
        was, now = before.columns.get(column), after.columns.get(column)
        if was != now:
            yield Reshaped(stream, column, was, now)
