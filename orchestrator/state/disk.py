"""What the disk says when it refuses, as an error that names the file and what became of the data."""

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

from orchestrator.errors import DestinationFull, RunFailed

_FULL = (errno.ENOSPC, errno.EDQUOT)
_KEPT = "what was committed stays; the next run goes on from there"


@contextlib.contextmanager
def writing(what: str, path: Path) -> Iterator[None]:
    """Raises DestinationFull or RunFailed in place of an OSError; `what` is a word for the file at `path`."""
    try:
        yield
    except OSError as error:
        cause = error.strerror or str(error)
        if error.errno in _FULL:
            raise DestinationFull(
                f"there is no space left for {what} {path}", cause=cause, data=_KEPT, hint=f"df -h {path.parent}"
            ) from error
        raise RunFailed(
            f"{what} {path} cannot be written", cause=cause, data=_KEPT, hint=f"ls -ld {path.parent} {path}"
        ) from error
