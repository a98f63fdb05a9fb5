"""The messages of a tap, as values. `reading.py` makes them of bytes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pyarrow as pa

from orchestrator.protocol.records import Records
from orchestrator.protocol.refusals import Refusal
from orchestrator.protocol.schemas import Column


@dataclass(frozen=True, slots=True)
class Schema:
    """SCHEMA: the columns of a stream and the key that identifies a row (empty: none)."""

    stream: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class State:
    """STATE: the tap can resume here. `value` is the JSON text as the tap wrote it."""

    value: bytes


@dataclass(frozen=True, slots=True)
class ActivateVersion:
    """ACTIVATE_VERSION: from here on only rows of this version count."""

    stream: str
    version: int


@dataclass(frozen=True, slots=True)
class BatchFiles:
    """BATCH: records in files, named by URL or path. `format` is jsonl or parquet, `compression` gzip or none;
    `version` is that of every record in them."""

    stream: str
    format: str
    compression: str
    manifest: tuple[str, ...]
    line: int
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """A message of a type we do not know; later dialects of Singer add some, and old readers skip them."""

    type: str


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing came for a moment. A chance to settle what is due."""


Message = Schema | Records | Refusal | State | ActivateVersion | BatchFiles | Unknown | Silence
OpenBatch = Callable[[BatchFiles], Iterable[bytes] | Iterable[pa.RecordBatch]]
"""Gives the records of a batch's files in order, as blocks of JSON lines, or where the format is parquet as Arrow.
Raises BadBatch."""
