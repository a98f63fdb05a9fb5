"""Staged batches on their way to a commit: in memory while they are few, in a nameless file when they are many."""

import mmap
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from orchestrator.failpoints import Step, doing
from orchestrator.load.batch import Batch
from orchestrator.load.table import Table

BYTES_IN_MEMORY = 32_000_000


@dataclass(frozen=True, slots=True)
class _Spilled:
    """Where in the file the rows of a batch are, in bytes."""

    table: Table
    offset: int
    size: int
    rows: int


class Staging:
    """Batches in the order in which they came.

    Beyond `BYTES_IN_MEMORY` they go to a file in `folder` that has no name: when this process ends, however it
    ends, the file is gone.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: list[Batch | _Spilled] = []
        self._bytes = 0
        self._descriptor: int | None = None
        self._pages: mmap.mmap | None = None

    def add(self, batch: Batch) -> None:
        size = batch.rows.nbytes
        if self._bytes + size > BYTES_IN_MEMORY:
            with doing(Step.BATCH_SPILL):
                self._kept.append(self._spill(batch))
        else:
            self._bytes += size
            self._kept.append(batch)

    def batches(self) -> Iterator[Batch]:
        """Every batch, in order. Those in the file are mapped, not read."""
        file = pa.py_buffer(b"")
        if self._descriptor is not None:
            self._pages = mmap.mmap(self._descriptor, 0, prot=mmap.PROT_READ)
            file = pa.py_buffer(self._pages)
        for kept in self._kept:
            if isinstance(kept, Batch):
                yield kept
            else:
                yield Batch(kept.table, pa.ipc.open_stream(file.slice(kept.offset, kept.size)).read_all())

    def let_go(self) -> None:
        """Lets what was read of the file out of memory. It comes back where it is read again."""
        if self._pages is not None:
            self._pages.madvise(mmap.MADV_DONTNEED)

    def rows(self) -> dict[str, int]:
        """How many rows are staged, per stream."""
        counts: dict[str, int] = {}
        for kept in self._kept:
            rows = kept.rows if isinstance(kept, _Spilled) else kept.rows.num_rows
            counts[kept.table.stream] = counts.get(kept.table.stream, 0) + rows
        return {stream: count for stream, count in counts.items() if count}

    def clear(self) -> None:
        self._kept.clear()
        self._bytes = 0
        self._pages = None
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _spill(self, batch: Batch) -> _Spilled:
        if self._descriptor is None:
            with tempfile.TemporaryFile(dir=self._folder) as nameless:
                self._descriptor = os.dup(nameless.fileno())
        offset = os.lseek(self._descriptor, 0, os.SEEK_END)
        with (
            os.fdopen(os.dup(self._descriptor), "wb") as file,
            pa.ipc.new_stream(file, batch.rows.schema) as stream,
        ):
            stream.write_table(batch.rows)
        size = os.lseek(self._descriptor, 0, os.SEEK_END) - offset
        return _Spilled(batch.table, offset, size, batch.rows.num_rows)
