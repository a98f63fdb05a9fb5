"""The parquet files of a table: written as rows come, and written anew, by DuckDB, where rows change or go."""

import contextlib
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from orchestrator.aside import Aside
from orchestrator.destinations import sql
from orchestrator.failpoints import Step, doing
from orchestrator.load.batch import Batch
from orchestrator.load.evolution import Landed, grow
from orchestrator.load.table import SEQUENCE, Table
from orchestrator.protocol.schemas import Column

BYTES_A_FILE = 128_000_000
"""A file that has reached this size is closed and the next one begun."""
_MEMORY_FOR_KEYS = "400MB"
"""Beyond it DuckDB spills, however many keys a commit brings."""
# Small row groups, in any order: each thread that writes keeps one in memory.
_AS_REWRITTEN = f"FORMAT parquet, COMPRESSION zstd, FILE_SIZE_BYTES {BYTES_A_FILE}, ROW_GROUP_SIZE_BYTES '8MB'"
# Written without dictionaries: for columns that seldom repeat they cost more time than zstd needs to do as well.
_AS_WRITTEN = {"compression": "zstd", "compression_level": 1, "use_dictionary": False, "store_schema": False}
_FILES_OPEN = 100
"""So many streams may write at once; most systems allow a process some hundred files."""
_MAGIC = b"PAR1"
_FILE = ":file"
"""The column that tells the file of a row; names of ours and of taps have no colon."""


@dataclass(frozen=True, slots=True)
class Part:
    """One parquet file of a table. Once written it never changes. `bytes` is its size, 0 where that is not known."""

    path: Path
    rows: int
    bytes: int = 0

    def is_whole(self) -> bool:
        """Whether the file is still as long as it was, and ends as parquet files do. Raises FileNotFoundError."""
        with self.path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - len(_MAGIC)))
            return self.bytes in (0, size) and file.read() == _MAGIC


@dataclass(frozen=True, slots=True)
class Arrival:
    """Rows that wait for a commit: batches of one `table`, in files whose columns are those of `landed`."""

    table: Table
    landed: Landed
    parts: tuple[Part, ...]


class Arrivals:
    """Batches, written to files aside at once, so that memory holds one batch at a time."""

    def __init__(self, aside: Aside) -> None:
        self._aside = aside
        self._writings: list[_Writing] = []
        self._open: dict[tuple[str, int | None], _Writing] = {}

    def add(self, batch: Batch) -> None:
        place = (batch.table.stream, batch.table.generation)
        writing = self._open.get(place)
        if writing is None or writing.table != batch.table:
            self._close(place)
            if len(self._open) == _FILES_OPEN:
                self._close(next(iter(self._open)))
            writing = self._open[place] = _Writing(batch.table, self._aside)
            self._writings.append(writing)
        writing.write(batch)

    def rows(self) -> dict[str, int]:
        """How many rows wait, per stream."""
        counts: dict[str, int] = {}
        for writing in self._writings:
            counts[writing.table.stream] = counts.get(writing.table.stream, 0) + writing.rows
        return {stream: count for stream, count in counts.items() if count}

    def all(self) -> list[Arrival]:
        """Everything that waits, in the order in which it came; an arrival without rows still has its shape."""
        self._open.clear()
        return [writing.end() for writing in self._writings]

    def clear(self) -> None:
        for place in list(self._open):
            # A full disk does not let a file end; nobody wants this one any more.
            with contextlib.suppress(OSError):
                self._close(place)
        self._writings.clear()

    def _close(self, place: tuple[str, int | None]) -> None:
        if place in self._open:
            self._open.pop(place).end()


class _Writing:
    """Batches of one table on their way into files."""

    def __init__(self, table: Table, aside: Aside) -> None:
        self.table = table
        self.rows = 0
        self._aside = aside
        # Not yet the names under which they land, but most often the same.
        self._landed, _ = grow(Landed(table.stream, ""), table)
        self._parts: list[Part] = []
        self._file: _File | None = None

    def write(self, batch: Batch) -> None:
        if not batch.rows.num_rows:
            return
        rows = sql.as_landed(batch, self._landed)
        if self._file is None:
            self._file = _File(self._aside.new(), rows.schema)
        self._file.write(rows)
        self.rows += rows.num_rows
        if self._file.size >= BYTES_A_FILE:
            self._end_file()

    def end(self) -> Arrival:
        self._end_file()
        return Arrival(self.table, self._landed, tuple(self._parts))

    def _end_file(self) -> None:
        if self._file is not None:
            self._parts.append(self._file.end())
            self._file = None


class _File:
    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._path = path
        self._sink = pa.OSFile(str(path), "wb")
        self._writer = pq.ParquetWriter(self._sink, schema, **_AS_WRITTEN)
        self._rows = 0

    @property
    def size(self) -> int:
        return int(self._sink.tell())

    def write(self, rows: pa.Table) -> None:
        self._writer.write_table(rows)
        self._rows += rows.num_rows

    def end(self) -> Part:
        with doing(Step.PART_END, self._path):
            self._writer.close()
            size = self.size
            self._sink.close()
        return Part(self._path, self._rows, size)


def relation(parts: Iterable[Part], *, with_file: bool = False) -> str:
    """The rows of the files, as SQL reads them."""
    paths = ", ".join(sql.text(_literal(part.path)) for part in parts)
    file = f", filename = {sql.text(_FILE)}" if with_file else ""
    return f"read_parquet([{paths}], hive_partitioning = false{file})"


def _literal(path: Path) -> str:
    """The path, to be read as it is and not as a pattern."""
    return re.sub(r"[*?[]", r"[\g<0>]", str(path))


class Rewriter:
    """Makes new files out of files, with a DuckDB in memory that spills to `aside`."""

    def __init__(self, aside: Aside) -> None:
        self._aside = aside

    @cached_property
    def connection(self) -> duckdb.DuckDBPyConnection:
        return duckdb.connect(config={"temp_directory": str(self._aside.new()), "preserve_insertion_order": False})

    def fitted(self, parts: tuple[Part, ...], landed: Landed, target: Landed) -> tuple[Part, ...]:
        """The rows of `parts`, whose columns are those of `landed`, with the columns of `target`."""
        if landed.columns == target.columns or not parts:
            return parts
        return self._write(f"SELECT {sql.selection(landed, target)} FROM {relation(parts)}")

    def without(self, parts: tuple[Part, ...], goes: str) -> tuple[Part, ...]:
        """The files without the rows that meet the condition `goes`. A file that holds none of them stays as it is."""
        going = self._count(parts, goes)
        partly = [part for part in parts if 0 < going.get(part, 0) < part.rows]
        stay = tuple(part for part in parts if part not in going)
        return stay + self._write(f"SELECT * FROM {relation(partly)} WHERE ({goes}) IS NOT TRUE") if partly else stay

    def changed(self, parts: tuple[Part, ...], changes: str, column: str, value: str) -> tuple[Part, ...]:
        """The files with another value in `column` of the rows that meet the condition `changes`."""
        changing = self._count(parts, changes)
        if not changing:
            return parts
        replaced = f"CASE WHEN {changes} THEN {value} ELSE {sql.name(column)} END AS {sql.name(column)}"
        stay = tuple(part for part in parts if part not in changing)
        return stay + self._write(f"SELECT * REPLACE ({replaced}) FROM {relation(changing)}")

    def with_marks(
        self, parts: tuple[Part, ...], held: tuple[Part, ...], landed: Landed, key: Sequence[str]
    ) -> tuple[Part, ...]:
        """The files, in which each row that marks one of `held` as deleted has its values."""
        gone = f"NOT ({sql.alive(soft_delete=False)})"
        rest = self.without(parts, gone)
        if rest == parts:
            return parts
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE gone AS FROM {relation(parts)} WHERE {gone}")
        before = [relation(each) for each in (held, rest) if each] or ["temp.gone WHERE false"]
        return rest + self._write(sql.marks("temp.gone", before, landed, key))

    def keep_latest(self, parts: tuple[Part, ...], key: Sequence[str]) -> int:
        """Keeps the keys of the rows, and the sequence of the last row of each, as the table `latest`. Counts them."""
        self.connection.execute(f"SET memory_limit = '{_MEMORY_FOR_KEYS}'")
        (count,) = self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE latest AS SELECT {sql.names(key)}, max({sql.name(SEQUENCE)}) AS last "
            f"FROM {relation(parts)} GROUP BY {sql.names(key)}"
        ).fetchall()[0]
        return int(count)

    def joined(self, parts: Iterable[Part]) -> tuple[Part, ...]:
        """The same rows in fewer files."""
        return self._write(f"SELECT * FROM {relation(parts)}")

    def empty(self, landed: Landed) -> Part:
        """A file without rows, which still tells a reader the columns of its table."""
        table = Table(landed.stream, tuple(Column(said, column.type) for said, column in landed.columns.items()))
        batch = Batch(table, table.arrow_schema().empty_table())
        return _File(self._aside.new(), sql.as_landed(batch, landed).schema).end()

    def close(self) -> None:
        if "connection" in self.__dict__:
            self.connection.close()

    def _count(self, parts: tuple[Part, ...], condition: str) -> dict[Part, int]:
        """How many rows of each file meet the condition; a file without such rows is left out."""
        if not parts:
            return {}
        counted = self.connection.execute(
            f"SELECT {sql.name(_FILE)}, count(*) FROM {relation(parts, with_file=True)} WHERE {condition} GROUP BY 1"
        ).fetchall()
        by_path = {str(part.path): part for part in parts}
        return {by_path[path]: count for path, count in counted}

    def _write(self, select: str) -> tuple[Part, ...]:
        # What a writer holds cannot spill, and a very wide table needs what it needs.
        self.connection.execute("RESET memory_limit")
        aside = self._aside.new()
        with doing(Step.PART_REWRITE, aside):
            written = self.connection.execute(
                f"COPY ({select}) TO {sql.text(str(aside))} ({_AS_REWRITTEN}, RETURN_STATS)"
            ).fetchall()
        return tuple(Part(Path(path), rows, size) for path, rows, size, *_ in written if rows)


def is_small(part: Part) -> bool:
    """The file is far from full."""
    return part.path.stat().st_size < BYTES_A_FILE // 16
