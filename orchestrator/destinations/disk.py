"""What the disk and DuckDB refuse, as an error of the destination."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import duckdb

from orchestrator import disk
from orchestrator.errors import DestinationError

UNWRITTEN = "nothing of this commit was written; what was committed before stays"

# DuckDB tells of the disk in words alone: those of the system, and its own for what it may spill to a disk.
_FULL = re.compile("No space left|Disk quota exceeded|max_temp_directory_size")
_DAMAGED = re.compile("not a valid DuckDB|Could not read enough bytes|[Cc]orrupt|[Mm]etadata")
_FAILED = re.compile("Input/output error|Read-only file system|fsync failed")


@contextlib.contextmanager
def refusals(place: Path, what: str, *, data: str = UNWRITTEN) -> Iterator[None]:
    """Raises DestinationError in place of what the disk and DuckDB say of `place`; `what` is a sentence for whatever is
    not about the disk."""
    try:
        with disk.refusals(place, data=data):
            yield
    except (OSError, duckdb.Error) as error:
        said = str(error)
        if _FULL.search(said):
            raise disk.full(place, first_line(error), data=data) from error
        if _FAILED.search(said):
            # Whether the commit holds, only the next look at it tells.
            raise disk.failed(place, first_line(error)) from error
        hint = way_out(place) if isinstance(error, duckdb.Error) and _DAMAGED.search(said) else None
        raise DestinationError(what, cause=first_line(error), data=data, hint=hint) from error


def way_out(place: Path) -> str:
    """What to do about a destination that is damaged."""
    return f"put it back from a backup, or read all of it again: mv {place} {place}.damaged && orchestrator run FLOW"


def first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]
