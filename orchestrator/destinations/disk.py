"""What goes wrong with a disk, in our words."""

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

import duckdb

from orchestrator.errors import DestinationFull


@contextlib.contextmanager
def full_disk(folder: Path) -> Iterator[None]:
    """Turns what a full disk says, in whatever words, into DestinationFull."""
    try:
        yield
    except (OSError, duckdb.Error) as error:
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        if full or "No space left" in str(error):
            raise DestinationFull(
                f"there is no space left in {folder}",
                cause=first_line(error),
                data="nothing of this commit was written; what was committed before stays",
                hint=f"df -h {folder}",
            ) from error
        raise


def first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]
