"""What DuckDB writes over while it commits, kept beside the file until the commit holds.

DuckDB keeps metadata of several commits in one block of 256 KB, and writes such a block again in its place. When the
power or the disk fails meanwhile, some sectors of it are new and others old; then its checksum is wrong, and the file
cannot be opened any more, last commit and all. So these blocks are kept first, and put back unless the commit came to
its end: that is when DuckDB writes the next one of the two headers that lie behind the first 4096 bytes of the file.
"""

import contextlib
import fcntl
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import duckdb
import msgspec

from orchestrator.durable import PRIVATE_FILE, remove, sync, sync_folder

_HEADERS = 4096
_BLOCKS = 12288
_CHECKSUM = 4


class _Kept(msgspec.Struct, frozen=True):
    """The headers of a file, and what lies in it from which byte on."""

    headers: bytes
    blocks: dict[int, bytes]


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
        content = msgspec.msgpack.encode(_shared_blocks(connection, self._open.enter_context(self._path.open("rb"))))
        kept.truncate()
        kept.write(zlib.crc32(content).to_bytes(_CHECKSUM) + content)
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
            file = stack.enter_context(path.open("r+b"))
            fcntl.flock(kept, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # DuckDB's own lock is of this kind; whoever holds it is at work with the file, and has not been undone.
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            # There is none, or somebody is at work with it, or whoever only reads may not write.
            return
        before = _decoded(kept.read())
        if before is not None and before.headers == os.pread(file.fileno(), len(before.headers), _HEADERS):
            for offset, block in before.blocks.items():
                os.pwrite(file.fileno(), block, offset)
            sync(file.fileno(), path)
        kept.truncate(0)
        remove(place)


def _place(path: Path) -> Path:
    # Beside the file itself, whatever links lead there.
    return Path(f"{os.path.realpath(path)}.undo")


def _shared_blocks(connection: duckdb.DuckDBPyConnection, file: BinaryIO) -> _Kept:
    """Blocks that hold metadata and have room for more of it."""
    (size,) = connection.execute("SELECT block_size FROM pragma_database_size()").fetchall()[0]
    numbers = connection.execute("SELECT block_id FROM pragma_metadata_info() WHERE free_blocks > 0").fetchall()
    offsets = [_BLOCKS + number * size for (number,) in numbers]
    headers = os.pread(file.fileno(), _BLOCKS - _HEADERS, _HEADERS)
    return _Kept(headers, {offset: os.pread(file.fileno(), size, offset) for offset in offsets})


def _decoded(content: bytes) -> _Kept | None:
    """None for what was not written to its end: then nothing was written over yet."""
    checksum, content = content[:_CHECKSUM], content[_CHECKSUM:]
    if zlib.crc32(content).to_bytes(_CHECKSUM) != checksum:
        return None
    return msgspec.msgpack.decode(content, type=_Kept)
