"""The files that a BATCH message names, and that lie below folders that were allowed."""

import gzip
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pyarrow as pa

from orchestrator.config import USUAL_LIMITS, Limits
from orchestrator.errors import BadBatch
from orchestrator.paths import inside
from orchestrator.protocol.messages import BatchFiles, OpenBatch
from orchestrator.supervisor.parquet_files import read_parquet
from orchestrator.supervisor.unpacking import TooMuch, check_ratio, check_size

_BLOCK = 1 << 20


def batch_reader(
    roots: tuple[Path, ...],
    folder: Path,
    *,
    closed: tuple[Path, ...] = (),
    limits: Limits = USUAL_LIMITS,
    keep: Callable[[Path], Path] = lambda path: path,
    kept: Callable[[], Path | None] = lambda: None,
) -> OpenBatch:
    """Opens the files of a batch. Relative paths start at `folder`; a file outside `roots`, all links followed, is
    refused with BadBatch, as is one that cannot be read, or of which more comes than `limits` say. What is `closed` is
    outside, but for roots in it.

    `keep` gives what to read in the place of a file. `kept` gives the next file of those that were kept before, if it
    was: then that is read, and nothing is looked up.
    """

    def parts(message: BatchFiles) -> Iterator[Any]:
        for named in message.manifest:
            try:
                path = kept() or keep(_found(named, roots, closed, folder, message))
                if message.format == "parquet":
                    yield from read_parquet(path, limits)
                else:
                    yield from _lines(path, message.compression, limits)
            except TooMuch as error:
                hint = f"if that is so: a higher {error.setting} in [taps.NAME.limits] of orchestrator.toml"
                raise _bad(message, named, str(error), hint) from error
            except (OSError, EOFError, ValueError, pa.ArrowException) as error:
                raise _bad(message, named, str(error)) from error

    return parts


def _found(named: str, roots: tuple[Path, ...], closed: tuple[Path, ...], folder: Path, message: BatchFiles) -> Path:
    path = _path(named, folder, message)
    if not inside(path, roots, closed):
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


def _lines(path: Path, compression: str, limits: Limits) -> Iterator[bytes]:
    is_packed, unpacked = compression != "none" or path.suffix == ".gz", 0
    with path.open("rb") as file, gzip.open(file) if is_packed else nullcontext(file) as content:
        while block := content.read(_BLOCK):
            unpacked += len(block)
            check_size(unpacked, limits)
            check_ratio(unpacked, file.tell(), limits)
            yield block
    # A file need not end in a newline; the next one begins a new line all the same.
    yield b"\n"


def _bad(message: BatchFiles, named: str, cause: str, hint: str | None = None) -> BadBatch:
    return BadBatch(
        f"{message.stream}, line {message.line}: the batch file {named} cannot be read",
        cause=cause,
        data="nothing of the batch was kept",
        hint=hint,
    )
