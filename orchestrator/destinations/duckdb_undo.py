"""What DuckDB writes over while it commits, kept beside the file until the commit holds.

DuckDB keeps metadata of several commits in one block of 256 KB, and writes such a block again in its place. When the
power or the disk fails meanwhile, some sectors of it are new and others old; then its checksum is wrong, and the file
cannot be opened any more, last commit and all. So these blocks are kept first, and put back unless the commit came to
its end: that is when DuckDB writes the next one of the two headers that lie behind the first 4096 bytes of the file.
"""

import contextlib
import fcntl
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import duckdb

from orchestrator.durable import PRIVATE_FILE, remove, sync, sync_folder

_HEADERS = 4096
_BLOCKS = 12288
_PLACE = struct.Struct("<QI")
_CHECKSUM = struct.Struct("<I")
"""CRC-32 of all that comes before, at the end."""
_BYTES_AT_ONCE = 1 << 20


@dataclass(frozen=True, slots=True)
class _Piece:
    """What lies in a file from a byte on."""

    offset: int
    data: bytes

    @classmethod
    def of(cls, file: BinaryIO, offset: int, size: int) -> Self:
        return cls(offset, os.pread(file.fileno(), size, offset))

    @classmethod
    def read(cls, kept: BinaryIO) -> Self:
        """The next one that is kept."""
        offset, size = _PLACE.unpack(kept.read(_PLACE.size))
        return cls(offset, kept.read(size))

    @property
    def kept(self) -> bytes:
        return _PLACE.pack(self.offset, len(self.data)) + self.data


_END = _Piece(0, b"")


class Undo:
    """Keeps what commits write over. To be entered before the file at `path` is opened, and left after it was closed:
    a process that closes a file, whichever way it had opened it, lets go of DuckDB's lock on it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    @contextlib.contextmanager
    def of(self, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """Whatever befalls a commit in the block, `put_back` makes the file what it is now."""
        place = _place(self._path)
        kept = self._open.enter_context(os.fdopen(os.open(place, os.O_RDWR | os.O_CREAT, PRIVATE_FILE), "r+b"))
        # As long as this process is at work.
        fcntl.flock(kept, fcntl.LOCK_EX)
        file = self._open.enter_context(self._path.open("rb"))
        kept.truncate()
        checksum = 0
        for piece in _pieces(connection, file):
            checksum = zlib.crc32(piece.kept, checksum)
            kept.write(piece.kept)
        kept.write(_CHECKSUM.pack(checksum))
        kept.flush()
        sync(kept.fileno(), place)
        sync_folder(place.parent)
        yield
        kept.truncate(0)
        remove(place)


def put_back(path: Path) -> None:
    """Undoes a commit to the file at `path` that did not come to its end because its process is gone."""
    place = _place(path)
    with contextlib.ExitStack() as stack:
        try:
            kept = stack.enter_context(place.open("r+b"))
            # First: to close the file again would let go of DuckDB's lock, were it a thread of ours that is at work.
            fcntl.flock(kept, fcntl.LOCK_EX | fcntl.LOCK_NB)
            file = stack.enter_context(path.open("r+b"))
            # DuckDB's own lock is of this kind; whoever holds it is at work with the file, and has not been undone.
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            # There is none, or somebody is at work with it, or whoever only reads may not write.
            return
        # What was not kept to its end is of a commit that had not begun.
        if _is_whole(kept) and _Piece.read(kept) == _headers(file):
            while (piece := _Piece.read(kept)) != _END:
                os.pwrite(file.fileno(), piece.data, piece.offset)
            sync(file.fileno(), path)
        kept.truncate(0)
        remove(place)


def _place(path: Path) -> Path:
    # Beside the file itself, whatever links lead there.
    return Path(f"{os.path.realpath(path)}.undo")


def _headers(file: BinaryIO) -> _Piece:
    return _Piece.of(file, _HEADERS, _BLOCKS - _HEADERS)


def _pieces(connection: duckdb.DuckDBPyConnection, file: BinaryIO) -> Iterator[_Piece]:
    """The headers, and the blocks that hold metadata and have room for more of it."""
    sizes = "SELECT block_size FROM pragma_database_size() WHERE database_name = current_database()"
    ((size,),) = connection.execute(sizes).fetchall()
    numbers = connection.execute("SELECT block_id FROM pragma_metadata_info() WHERE free_blocks > 0").fetchall()
    yield _headers(file)
    for (number,) in numbers:
        yield _Piece.of(file, _BLOCKS + number * size, size)
    yield _END


def _is_whole(kept: BinaryIO) -> bool:
    """Whether the checksum is there and right. Leaves the file at its beginning."""
    left, checksum = kept.seek(0, os.SEEK_END) - _CHECKSUM.size, 0
    kept.seek(0)
    while left > 0 and (chunk := kept.read(min(left, _BYTES_AT_ONCE))):
        left -= len(chunk)
        checksum = zlib.crc32(chunk, checksum)
    whole = left == 0 and kept.read() == _CHECKSUM.pack(checksum)
    kept.seek(0)
    return whole
