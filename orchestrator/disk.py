"""What a disk says when it refuses what is written to it, as an error that names the volume."""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from orchestrator.errors import DestinationError, DestinationFull, DiskFailed

KEPT = "what was committed stays; the next run goes on from there"

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FAILED = (errno.EIO, errno.EROFS)


@contextlib.contextmanager
def refusals(path: Path, *, data: str = KEPT) -> Iterator[None]:
    """Raises DestinationFull or DiskFailed in place of an OSError that means it; any other stays what it is.

    `path` is what the block writes to, where the error does not name it. `data` tells what became of the rows.
    """
    try:
        yield
    except OSError as error:
        refused = refusal(error, path, data=data)
        if refused is None:
            raise
        raise refused from error


def refusal(error: OSError, path: Path, *, data: str = KEPT) -> DestinationError | None:
    """The same as a value; None for an error that says nothing about the disk."""
    # An error that a test makes names the file without its folder.
    named = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else path
    written = named if named.is_absolute() else path
    said = error.strerror or str(error)
    if error.errno in _FULL:
        return full(written, said, data=data)
    return failed(written, said, data=data) if error.errno in _FAILED else None


def full(path: Path, cause: str, *, data: str = KEPT) -> DestinationFull:
    place = volume(path)
    return DestinationFull(
        f"there is no space left on {place}", cause=f"{path}: {cause}", data=data, hint=f"df -h {place}"
    )


def failed(path: Path, cause: str, *, data: str = KEPT) -> DiskFailed:
    place = volume(path)
    return DiskFailed(
        f"the disk at {place} does not take what is written to it",
        cause=f"{path}: {cause}",
        data=data,
        hint=f"dmesg | tail        (what the system says of it; {place} may be damaged)",
    )


def volume(path: Path) -> Path:
    """Where the file system is mounted on which `path` is, or would be."""
    place = Path(os.path.realpath(path))
    while not place.is_mount():
        place = place.parent
    return place
