"""A DuckDB file and the one connection to it: waited for while another process has it, never open for long."""

import contextlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb

from orchestrator.destinations import sql
from orchestrator.destinations.disk import first_line, refusals, way_out
from orchestrator.destinations.duckdb_undo import Undo, put_back
from orchestrator.durable import alone, rename, sync_folder
from orchestrator.errors import DestinationBusy, DestinationError
from orchestrator.events import Listener, Waiting, nobody
from orchestrator.failpoints import Step, doing

PATIENCE = 600.0
"""Seconds that a commit waits for another process to let go of the file."""

_Settings = dict[str, str | bool | int | float | list[str]]
# A file that DuckDB 2 makes is one that DuckDB 1 reads too, unless somebody made it otherwise.
_READ_BY_ALL: _Settings = {"storage_compatibility_version": "v1.0.0"}
_FOR_COMMITS: _Settings = {
    # Several threads that insert take twice the CPU of one, for little or no time won.
    "threads": 1,
    # A commit goes straight into the file, not through a log beside it: where a power loss has torn that, DuckDB does
    # not open the file, and where it brings back one that was removed, rows come twice.
    "wal_autocheckpoint": "1B",
    "auto_checkpoint_skip_wal_threshold": 0,
    "python_enable_replacements": False,
}

# DuckDB takes 122 880 rows: it keeps a row group in memory until that is full, and takes more time for large ones.
_ROW_GROUPS = "ROW_GROUP_SIZE 16384"

_FILE = "_file"


@contextlib.contextmanager
def open_file(
    path: Path, *, patience: float = PATIENCE, listen: Listener = nobody
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the file, which is made if it is not there, waiting up to `patience` seconds while another
    process has it.

    Raises DestinationBusy when it does not let go, DestinationFull or DiskFailed when the disk refuses, and
    DestinationError for anything else that DuckDB says of the file.
    """
    spilled = f"{path}.tmp"
    with (
        refusals(path, f"{path.name} could not be written"),
        Undo(path) as undo,
        contextlib.closing(duckdb.connect(config=_READ_BY_ALL | _FOR_COMMITS | {"temp_directory": spilled})) as file,
    ):
        _make(path)
        _attach(file, path, patience, listen, read_only=False)
        # Nobody else has the file now: what is there, a process left that was killed.
        shutil.rmtree(spilled, ignore_errors=True)
        _take_in_log(file, path, undo)
        yield file


@contextlib.contextmanager
def read_file(
    path: Path, *, patience: float = PATIENCE, listen: Listener = nobody
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that changes nothing, waited for in the same way. Raises DestinationBusy, DestinationError."""
    # Several may read at once, each with a folder of its own for what does not fit into memory.
    with (
        tempfile.TemporaryDirectory() as spilled,
        contextlib.closing(duckdb.connect(config=_READ_BY_ALL | {"temp_directory": spilled})) as file,
    ):
        try:
            _attach(file, path, patience, listen, read_only=True)
            yield file
        except duckdb.Error as error:
            raise DestinationError(f"{path.name} could not be read", cause=first_line(error)) from error


def _make(path: Path) -> None:
    """Makes the file unless it is there; a file that a crash left half made would not open."""
    file = Path(os.path.realpath(path))
    if file.exists():
        return
    with alone(file.parent):
        aside = file.with_name(f".{file.name}.new")
        aside.unlink(missing_ok=True)
        duckdb.connect(aside, config=_READ_BY_ALL).close()
        if not file.exists():
            rename(aside, file)
            sync_folder(file.parent)


def _take_in_log(connection: duckdb.DuckDBPyConnection, path: Path, undo: Undo) -> None:
    """Moves into the file, for good, what another program left in a log beside it."""
    if Path(f"{path}.wal").exists():
        with undo.of(connection):
            connection.execute("CHECKPOINT")
        sync_folder(path.parent)


def _attach(
    connection: duckdb.DuckDBPyConnection, path: Path, patience: float, listen: Listener, *, read_only: bool
) -> None:
    # Under a name of ours, because a file that is called like a schema in it makes that name ambiguous.
    attach = f"ATTACH {sql.text(str(path))} AS {_FILE}({'READ_ONLY' if read_only else _ROW_GROUPS}); USE {_FILE}"
    deadline = time.monotonic() + patience
    pause, told = 0.01, False
    while True:
        put_back(path)
        try:
            connection.execute(attach)
            return
        except duckdb.IOException as error:
            found = re.search(r"Conflicting lock is held in (.*?) ?\(PID (\d+)\)", str(error))
            if not found:
                cause = first_line(error)
                hint = f"ls -ld {path.parent} {path}" if "Cannot open file" in cause else way_out(path)
                raise DestinationError(f"{path} cannot be opened", cause=cause, hint=hint) from error
            program, pid = found.groups()
            if time.monotonic() >= deadline:
                raise DestinationBusy(
                    f"{path.name} is in use by another process (pid {pid})",
                    cause=f"{program or 'a program'} has held it for more than {patience:.0f} s",
                    data="nothing of this commit was written; what was committed before stays",
                    hint=f"close the program that has {path.name} open, then run again",
                ) from error
        if not told:
            listen(Waiting(f"{path.name} is in use by another process (pid {pid})"))
            told = True
        time.sleep(pause)
        pause = min(pause * 1.5, 0.25)


@contextlib.contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """What the block writes holds as a whole once it ends, or not at all."""
    with doing(Step.TRANSACTION_BEGIN):
        connection.execute("BEGIN")
    try:
        yield
        with doing(Step.TRANSACTION_COMMIT):
            connection.execute("COMMIT")
    except BaseException:
        # After a fatal error the connection only closes; closing it rolls back as well.
        with contextlib.suppress(duckdb.Error):
            connection.execute("ROLLBACK")
        raise
