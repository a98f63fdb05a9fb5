"""Records of one stream that came as Arrow, in the files of a BATCH: rows in columns, which were never text."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, chain, groupby, pairwise

import pyarrow as pa

from orchestrator.protocol.arrow_json import json_objects
from orchestrator.protocol.arrow_values import settle_arrow
from orchestrator.protocol.records import Field, Records
from orchestrator.protocol.schemas import Column

_ROWS_AS_TEXT = 10_000
"""So many rows are made text at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class ArrowFields:
    """Which columns of a file are those of a stream; None for one that the file does not have."""

    fields: tuple[Field, ...]
    places: tuple[int | None, ...]

    def columns_of(self, rows: pa.RecordBatch) -> Iterator[tuple[Field, pa.Array]]:
        absent = pa.nulls(len(rows))
        for field, place in zip(self.fields, self.places, strict=True):
            yield field, absent if place is None else rows.column(place)

    def kept(self, rows: pa.RecordBatch, keep: Sequence[bool]) -> pa.RecordBatch:
        return _kept(rows, keep)

    def joined(self, runs: Iterable[pa.RecordBatch]) -> pa.RecordBatch:
        return pa.concat_batches(runs)


@dataclass(frozen=True, slots=True)
class ArrowLines:
    """Rows as the lines they would have been. They bear the number of the line that named their file."""

    number: int
    rows: pa.RecordBatch

    @property
    def places(self) -> Sequence[int]:
        return range(len(self.rows))

    @property
    def numbers(self) -> list[int]:
        return [self.number] * len(self.rows)

    @property
    def texts(self) -> list[bytes]:
        return json_objects(self.rows)

    def kept(self, keep: Sequence[bool]) -> "ArrowLines":
        return ArrowLines(self.number, _kept(self.rows, keep))


def _kept(rows: pa.RecordBatch, keep: Sequence[bool]) -> pa.RecordBatch:
    # There are types that Arrow does not filter.
    ends = list(accumulate(len(list(run)) for _, run in groupby(keep)))
    runs = [rows.slice(start, end - start) for start, end in pairwise((0, *ends)) if keep[start]]
    return pa.concat_batches(runs) if runs else rows.slice(0, 0)


def arrow_records(
    stream: str, columns: tuple[Column, ...], rows: pa.RecordBatch, line: int, version: int | None
) -> Records:
    """Rows as records of a stream with these columns, among them all that the rows have."""
    versions = None if version is None else [version] * len(rows)
    fields = _fields(columns, rows.schema)
    return Records(stream, fields, rows, (ArrowLines(line, rows),), versions, size=rows.nbytes)


# Records that were read by the same fields are put together, as rows of one schema can be.
@lru_cache(maxsize=100)
def _fields(columns: tuple[Column, ...], schema: pa.Schema) -> ArrowFields:
    places = {name: place for place, name in enumerate(schema.names)}
    fields = tuple(Field(column, settle_arrow) for column in columns)
    return ArrowFields(fields, tuple(places.get(column.name) for column in columns))


def as_lines(rows: pa.RecordBatch) -> Iterator[bytes]:
    """Rows as blocks of JSON lines."""
    for start in range(0, len(rows), _ROWS_AS_TEXT):
        yield b"".join(chain.from_iterable((text, b"\n") for text in json_objects(rows.slice(start, _ROWS_AS_TEXT))))
