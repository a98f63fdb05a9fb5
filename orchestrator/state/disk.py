"""What the disk says when it refuses, as an error that names the file and what became of the data."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from orchestrator.disk import KEPT, refusals
from orchestrator.errors import RunFailed


@contextlib.contextmanager
def writing(what: str, path: Path) -> Iterator[None]:
    """Raises DestinationFull, DiskFailed or RunFailed in place of an OSError; `what` is a word for the file."""
    try:
        with refusals(path):
            yield
    except OSError as error:
        raise RunFailed(
            f"{what} {path} cannot be written",
            cause=error.strerror or str(error),
            data=KEPT,
            hint=f"ls -ld {path.parent} {path}",
        ) from error
