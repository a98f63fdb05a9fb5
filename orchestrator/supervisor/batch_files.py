"""The files that a BATCH message names, and that lie below folders that were allowed."""

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pyarrow as pa

from orchestrator.errors import BadBatch
from orchestrator.paths import inside
from orchestrator.protocol.messages import BatchFiles, OpenBatch
from orchestrator.supervisor.parquet_files import read_parquet

_BLOCK = 1 << 20


def batch_reader(
    roots: tuple[Path, ...],
    folder: Path,
    *,
    keep: Callable[[Path], Path] = lambda path: path,
    kept: Callable[[], Path | None] = lambda: None,
) -> OpenBatch:
    """Opens the files of a batch. Relative paths start at `folder`; a file outside `roots`, all links followed, is
    refused with BadBatch, as is one that cannot be read.

    `keep` gives what to read in the place of a file. `kept` gives the next file of those that were kept before, if it
    was: then that is read, and nothing is looked up.
    """

    def parts(message: BatchFiles) -> Iterator[Any]:
        for named in message.manifest:
            try:
                path = kept() or keep(_found(named, roots, folder, message))
                yield from read_parquet(path) if message.format == "parquet" else _lines(path, message.compression)
            except (OSError, EOFError, ValueError, pa.ArrowException) as error:
                raise _bad(message, named, str(error)) from error

    return parts


def _found(named: str, roots: tuple[Path, ...], folder: Path, message: BatchFiles) -> Path:
    path = _path(named, folder, message)
    if not inside(path, roots):
        raise _bad(message, named, "it lies outside the folders that batches may come from")
    if path.exists() and not path.is_file():
        raise _bad(message, named, "it is not a file")
    return path


def _path(named: str, folder: Path, message: BatchFiles) -> Path:
    parts = urlsplit(named)
    if parts.scheme == "file":
        # `file://data/x` is what taps write for a relative path: the first folder stands in the place of the host.
        return folder / unquote(parts.netloc + parts.path)
    if "://" in named:
        raise _bad(message, named, f"batches over {parts.scheme} are not read")
    return folder / named


def _lines(path: Path, compression: str) -> Iterator[bytes]:
    with gzip.open(path, "rb") if compression != "none" or path.suffix == ".gz" else path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block
    # A file need not end in a newline; the next one begins a new line all the same.
    yield b"\n"


def _bad(message: BatchFiles, named: str, cause: str) -> BadBatch:
    return BadBatch(
        f"{message.stream}, line {message.line}: the batch file {named} cannot be read",
        cause=cause,
        data="nothing of the batch was kept",
    )
