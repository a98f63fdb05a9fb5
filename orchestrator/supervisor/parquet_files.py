"""Parquet files, read a few megabytes at a time, however large they or their row groups are."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from orchestrator.config import USUAL_LIMITS, Limits
from orchestrator.protocol.arrow_types import flaw_of, is_list, plain
from orchestrator.supervisor.unpacking import check_ratio, check_size

if TYPE_CHECKING:
    from pyarrow.parquet import FileMetaData, ParquetFile, RowGroupMetaData

_BYTES_AT_A_TIME = 8_000_000
_ROWS_AT_A_TIME = 32_768
"""Enough that each column is worth its call."""
_BYTES_AT_ONCE = 64_000_000
"""A row group of no more bytes may come at once, if it must. In a larger one rows may differ in size."""
_ROWS_A_PIECE = 2048
_BYTES_BUFFERED = 16_000_000
"""Of all columns together, as they stand in the file."""
_LEAST_BUFFER, _LARGEST_BUFFER = 1 << 14, 1 << 20
_WIDTH = 8
"""Bytes of a number, in however few of them it is stored."""
_FIRST_ROWS = 1000


def read_parquet(path: Path, limits: Limits = USUAL_LIMITS) -> Iterator[pa.RecordBatch]:
    """The rows of a file, in order. Raises OSError, ValueError or an error of Arrow where it cannot be read, or not as
    records, TooMuch where more comes of it than `limits` say."""
    # Only batches of parquet pay for the import.
    from pyarrow.parquet import read_metadata

    metadata = read_metadata(path)
    groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
    check_ratio(sum(group.total_byte_size for group in groups), path.stat().st_size, limits)
    unpacked = 0
    rows_at_a_time = _rows_at_a_time(path, metadata)
    with _opened(path, metadata) as file:
        if flaw := flaw_of(file.schema_arrow):
            raise ValueError(flaw)
        # Threads take more memory here, and more time.
        pieces = file.iter_batches(_rows_a_piece(metadata, rows_at_a_time), use_threads=False)
        for rows in _gathered(pieces, rows_at_a_time):
            # A file may say that bytes are text, and Arrow takes its word.
            rows.validate(full=True)
            # Nothing, a billion times, takes no room in a file and hardly any in memory.
            unpacked += max(rows.nbytes, rows.num_rows * rows.num_columns)
            check_size(unpacked, limits)
            yield rows


def _opened(path: Path, metadata: "FileMetaData", read_dictionary: list[str] | None = None) -> "ParquetFile":
    from pyarrow.parquet import ParquetFile

    return ParquetFile(
        path,
        metadata=metadata,
        read_dictionary=read_dictionary,
        pre_buffer=False,
        buffer_size=min(max(_LEAST_BUFFER, _BYTES_BUFFERED // max(1, metadata.num_columns)), _LARGEST_BUFFER),
        # Instants of 96 bits reach further than nanoseconds of 64 do, which Arrow would make of them without a word.
        coerce_int96_timestamp_unit="us",
    )


def _gathered(pieces: Iterator[pa.RecordBatch], rows_at_a_time: int) -> Iterator[pa.RecordBatch]:
    """The same rows, so many at a time, or fewer where they are larger than others."""
    gathered: list[pa.RecordBatch] = []
    rows = size = 0
    for piece in pieces:
        gathered.append(piece)
        rows, size = rows + len(piece), size + piece.nbytes
        if rows >= rows_at_a_time or size >= _BYTES_AT_A_TIME:
            yield _joined(gathered)
            gathered, rows, size = [], 0, 0
    if gathered:
        yield _joined(gathered)


def _joined(pieces: list[pa.RecordBatch]) -> pa.RecordBatch:
    return pa.concat_batches(pieces) if len(pieces) > 1 else pieces[0]


# ── how many rows fit ────────────────────────────────────────────────────────────────────────────


def _rows_at_a_time(path: Path, metadata: "FileMetaData") -> int:
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    repeated = _repeated_bytes(path, metadata, groups)
    bytes_a_row = max((_bytes_a_row(*each) for each in zip(groups, repeated, strict=True)), default=0)
    return max(1, min(int(_BYTES_AT_A_TIME / max(1, bytes_a_row)), _ROWS_AT_A_TIME))


def _rows_a_piece(metadata: "FileMetaData", rows_at_a_time: int) -> int:
    """How many rows may be read before it is looked at how large they are."""
    largest = max((metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups)), default=0)
    return rows_at_a_time if largest <= _BYTES_AT_ONCE else min(rows_at_a_time, _ROWS_A_PIECE)


def _bytes_a_row(group: "RowGroupMetaData", repeated: int) -> float:
    chunks = [group.column(place) for place in range(group.num_columns)]
    stored = sum(max(chunk.total_uncompressed_size, _WIDTH * chunk.num_values) for chunk in chunks)
    values = max((chunk.num_values for chunk in chunks), default=0)
    return float((stored + repeated * values) / max(1, group.num_rows))


def _repeated_bytes(path: Path, metadata: "FileMetaData", groups: "list[RowGroupMetaData]") -> list[int]:
    """How long texts may be that are stored once for many rows, of all columns together, in each row group."""
    names = sorted({name for group in groups for name in _stored_once(group)})
    if not names:
        return [0] * len(groups)
    with _opened(path, metadata, names) as file:
        return [_longest(file, number, names) for number in range(len(groups))]


def _stored_once(group: "RowGroupMetaData") -> Iterator[str]:
    for place in range(group.num_columns):
        chunk = group.column(place)
        if chunk.has_dictionary_page and chunk.physical_type == "BYTE_ARRAY":
            yield chunk.path_in_schema


def _longest(file: "ParquetFile", group: int, names: list[str]) -> int:
    rows = next(file.iter_batches(_FIRST_ROWS, row_groups=[group], columns=names), None)
    return 0 if rows is None else sum(map(_longest_text, rows.columns))


def _longest_text(values: pa.Array) -> int:
    """The length of the longest text of a column, in all of its dictionaries or, where it has none, in these rows."""
    if pa.types.is_dictionary(values.type):
        return _longest_text(values.dictionary)
    if isinstance(values, pa.ExtensionArray):
        return _longest_text(values.storage)
    if pa.types.is_struct(values.type):
        return sum(map(_longest_text, values.flatten()))
    if pa.types.is_map(values.type):
        return _longest_text(values.keys) + _longest_text(values.items)
    if is_list(values.type):
        return _longest_text(values.flatten())
    values = plain(values)
    is_text = pa.types.is_string(values.type) or pa.types.is_binary(values.type)
    return (pc.max(pc.binary_length(values)).as_py() or 0) if is_text else 0
