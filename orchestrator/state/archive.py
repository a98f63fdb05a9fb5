"""The messages of a run, compressed as they came, so that it can be replayed without the source.

The file is a row of zstd frames, each with a mark before it that tells its lengths and its checksum. Marks are
frames that zstd skips, so `zstd -dc messages.zst` shows the messages. A mark that announces nothing ends a file
that was closed; where it is missing, a crash may have torn the last frame.
"""

import contextlib
import os
import queue
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import pyarrow as pa

from orchestrator.durable import PRIVATE_FILE, make_folder, rename, sync, sync_folder
from orchestrator.errors import DamagedFile, OrchestratorError, UnknownName
from orchestrator.failpoints import Step, doing
from orchestrator.state.disk import writing

# Big frames, because the thread that makes them has to wait for the interpreter a few times for each.
_BYTES_A_FRAME = 4_000_000
_FRAMES_WAITING = 3
_BYTES_A_BLOCK = 1_000_000
# Higher levels cost more and save nothing worth it on JSON.
_LEVEL = 1

_SKIPPED = 0x184D2A50
_MARK = struct.Struct("<5I")
"""Number of a skipped frame, length of its content, then: length compressed, length as written, CRC-32 compressed."""
_CONTENT = 12
_END = _MARK.pack(_SKIPPED, _CONTENT, 0, 0, 0)


class ArchiveWriter:
    """Writes the archive at `path`. Compression runs in a thread of its own, a few megabytes behind."""

    def __init__(self, path: Path) -> None:
        """Raises DestinationFull, RunFailed."""
        self._path = path
        with self._writing():
            make_folder(path.parent)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
            self._file = os.fdopen(descriptor, "wb")
            sync_folder(path.parent)
        self._gathered: list[bytes] = []
        self._size = 0
        self._frames: queue.Queue[list[bytes] | None] = queue.Queue(_FRAMES_WAITING)
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._compress, name=f"archive {path}", daemon=True)
        self._thread.start()

    def write(self, block: bytes) -> None:
        """Takes the next bytes. Raises DestinationFull or RunFailed for these or for earlier ones."""
        self._gathered.append(block)
        self._size += len(block)
        if self._size >= _BYTES_A_FRAME:
            self._hand_over()

    def settle(self) -> None:
        """Waits until all that was written can be read after any crash. Raises DestinationFull, RunFailed."""
        self._drain()
        with self._writing():
            sync(self._file.fileno(), self._path)

    def close(self) -> None:
        """Settles and marks the end. Raises DestinationFull, RunFailed."""
        if self._file.closed:
            return
        try:
            self._drain()
            with self._writing():
                self._file.write(_END)
                self._file.flush()
                sync(self._file.fileno(), self._path)
        finally:
            self._frames.put(None)
            self._thread.join()
            # What a full disk kept from being written is told already.
            with contextlib.suppress(OSError):
                self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A run that fails has its own reason, which the archive's must not hide.
        with contextlib.suppress(OrchestratorError) if error else contextlib.nullcontext():
            self.close()

    def _writing(self) -> contextlib.AbstractContextManager[None]:
        return writing("the archive", self._path)

    def _hand_over(self) -> None:
        self._check()
        if self._gathered:
            self._frames.put(self._gathered)
            self._gathered, self._size = [], 0

    def _drain(self) -> None:
        self._hand_over()
        self._frames.join()
        self._check()

    def _check(self) -> None:
        if self._failure is not None:
            with self._writing():
                raise self._failure

    # ── in the thread ──

    def _compress(self) -> None:
        codec = pa.Codec("zstd", compression_level=_LEVEL)
        for blocks in iter(self._frames.get, None):
            # After a failure the frames are still taken, so that nobody waits for room in the queue.
            try:
                if self._failure is None:
                    self._write_frame(codec, b"".join(blocks))
            except Exception as error:
                self._failure = error
            finally:
                self._frames.task_done()

    def _write_frame(self, codec: pa.Codec, content: bytes) -> None:
        frame = codec.compress(content, asbytes=True)
        with doing(Step.ARCHIVE_FRAME, self._path):
            self._file.write(_MARK.pack(_SKIPPED, _CONTENT, len(frame), len(content), zlib.crc32(frame)))
            self._file.write(frame)
            self._file.flush()


def read_archive(path: Path, *, whole: bool = False) -> Iterator[bytes]:
    """What was written, in blocks of at most a megabyte; of a file that a crash left open, all up to its torn end.

    `whole` takes a torn end for damage. Raises UnknownName when there is no archive, DamagedFile when it is not what
    was written.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise UnknownName(
            f"there is no archive {path}",
            cause="only the newest archives are kept, as many as [retention] says",
            hint="orchestrator runs",
        ) from None
    with file:
        closed = _is_closed(file)
        for content in _frames(file):
            for start in range(0, len(content), _BYTES_A_BLOCK):
                yield content[start : start + _BYTES_A_BLOCK]
        place, size = file.tell(), file.seek(0, os.SEEK_END)
    if (closed and place != size) or (whole and not closed):
        raise DamagedFile(
            f"{path} cannot be read after byte {place} of {size}",
            cause="it was changed after it was written" if closed else "its end is missing",
            data="no committed row is affected",
            hint="restore it from a backup, or read the source again: orchestrator run FLOW --from-commit N",
        )


def rewrite_archive(path: Path, change: Callable[[bytes], bytes]) -> None:
    """Passes each line of an archive through `change`, and replaces it in one step. Raises as the writer does."""
    aside, held = path.with_name(f".{path.name}"), b""
    try:
        with ArchiveWriter(aside) as changed:
            for block in read_archive(path):
                *lines, held = (held + block).split(b"\n")
                changed.write(b"".join(change(line) + b"\n" for line in lines))
            if held:
                changed.write(change(held))
        rename(aside, path)
    finally:
        aside.unlink(missing_ok=True)
    sync_folder(path.parent)


def _is_closed(file: BinaryIO) -> bool:
    file.seek(-min(_MARK.size, file.seek(0, os.SEEK_END)), os.SEEK_END)
    closed = file.read() == _END
    file.seek(0)
    return closed


def _frames(file: BinaryIO) -> Iterator[bytes]:
    """The content of each frame until one cannot be read; leaves the file after the last that could be."""
    codec = pa.Codec("zstd")
    while len(mark := file.read(_MARK.size)) == _MARK.size and mark != _END:
        number, length, compressed, size, checksum = _MARK.unpack(mark)
        frame = file.read(compressed) if (number, length) == (_SKIPPED, _CONTENT) else b""
        if len(frame) != compressed or zlib.crc32(frame) != checksum:
            file.seek(-len(mark) - len(frame), os.SEEK_CUR)
            return
        yield codec.decompress(frame, decompressed_size=size, asbytes=True)
