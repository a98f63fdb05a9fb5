"""The files of BATCH messages, kept beside the archive that names them, for a replay after the tap's own are gone.

A file gets a second name, which costs nothing until its tap removes the first; where the file system gives none, it is
copied. They are numbered in the order in which messages name them. An index tells how large each was and when it had
been changed last, because whoever writes over a file changes it under both names.
"""

import os
import shutil
from pathlib import Path

import msgspec

from orchestrator.durable import PRIVATE_FILE, append_lines, make_folder, read_lines, sync_file, sync_folder
from orchestrator.errors import DamagedFile
from orchestrator.failpoints import Step, doing
from orchestrator.state.disk import writing

_INDEX = "index.jsonl"
_LONGEST_SUFFIX = 8


class _Entry(msgspec.Struct, frozen=True):
    """One file in the index. `modified` is in nanoseconds since 1970."""

    name: str
    size: int
    modified: int


class FilesWriter:
    """Keeps files in `folder`, which is made for the first of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        self._unsettled: list[_Entry] = []

    def keep(self, path: Path) -> Path:
        """Gives the file that stays what `path` is now. Raises OSError where there is nothing to keep, DestinationFull
        or RunFailed where it cannot be kept."""
        source = path.resolve(strict=True)
        self._count += 1
        # The end of its name tells whether it is compressed.
        kept = self._folder / f"{self._count:06d}{path.suffix[:_LONGEST_SUFFIX]}"
        with writing("the archive", kept):
            make_folder(self._folder)
            with doing(Step.FILE_KEEP, kept):
                _link_or_copy(source, kept)
            self._unsettled.append(_entry(kept))
        return kept

    def settle(self) -> None:
        """Waits until all that was kept can be read after any crash. Raises DestinationFull, RunFailed."""
        if not self._unsettled:
            return
        with writing("the archive", self._folder):
            for entry in self._unsettled:
                sync_file(self._folder / entry.name)
            append_lines(self._folder / _INDEX, map(msgspec.json.encode, self._unsettled))
            sync_folder(self._folder)
        self._unsettled.clear()


class KeptFiles:
    """Files that were kept, in the order of the messages that name them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._entries = map(self._read, read_lines(folder / _INDEX))

    def next(self) -> Path | None:
        """The next one; None where it was not kept. Raises DamagedFile where it is not what it was."""
        entry = next(self._entries, None)
        if entry is None:
            return None
        kept = self._folder / entry.name
        if not kept.exists() or _entry(kept) != entry:
            raise _damaged(kept, "the file that the tap wrote", "it was changed or removed after it was read")
        return kept

    def _read(self, line: bytes) -> _Entry:
        try:
            return msgspec.json.decode(line, type=_Entry)
        except msgspec.DecodeError as error:
            raise _damaged(self._folder / _INDEX, "what was written", str(error)) from error


def _damaged(path: Path, what: str, cause: str) -> DamagedFile:
    return DamagedFile(
        f"{path} is not {what}",
        cause=cause,
        data="no committed row is affected",
        hint="restore it from a backup, or read the source again: orchestrator run FLOW --from-commit N",
    )


def _link_or_copy(source: Path, kept: Path) -> None:
    try:
        os.link(source, kept)
    except OSError:
        # Another file system, one without links, or a file of somebody else's.
        shutil.copyfile(source, kept)
        kept.chmod(PRIVATE_FILE)


def _entry(kept: Path) -> _Entry:
    status = kept.stat()
    return _Entry(kept.name, status.st_size, status.st_mtime_ns)
