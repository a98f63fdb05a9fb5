"""A DuckDB file. Rows wait beside it; one transaction brings them in together with the state.

The file is open only while a commit is written, so that others can read between commits.
"""

from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb
import msgspec

from orchestrator.destinations import sql
from orchestrator.destinations.contract import check_counts, check_number
from orchestrator.destinations.disk import refusals
from orchestrator.destinations.duckdb_file import PATIENCE, open_file, transaction
from orchestrator.destinations.duckdb_tables import OURS, Tables
from orchestrator.destinations.duckdb_undo import Undo
from orchestrator.destinations.staging import Staging
from orchestrator.durable import make_folder
from orchestrator.errors import DestinationError
from orchestrator.events import Listener, nobody
from orchestrator.failpoints import Step, doing
from orchestrator.load.batch import Batch
from orchestrator.load.commit import Commit
from orchestrator.load.evolution import Landed
from orchestrator.load.quarantine import QUARANTINE

QUARANTINE_DEFINITION = sql.definition(Landed("", "", columns={column.name: column for column in QUARANTINE.columns}))
"""The columns of the table of what could not land."""
_MEMORY = f"""
CREATE SCHEMA IF NOT EXISTS {OURS};
CREATE TABLE IF NOT EXISTS {OURS}.commits (
    flow VARCHAR, number BIGINT, run BIGINT, committed_at VARCHAR, state VARCHAR, row_counts JSON, sequence BIGINT,
    gathering JSON);
ALTER TABLE {OURS}.commits ADD COLUMN IF NOT EXISTS quarantined JSON DEFAULT '{{}}';
CREATE TABLE IF NOT EXISTS {OURS}.tables (
    flow VARCHAR, stream VARCHAR, generation BIGINT, schema_name VARCHAR, table_name VARCHAR, key JSON, columns JSON);
CREATE TABLE IF NOT EXISTS {OURS}.quarantine ({QUARANTINE_DEFINITION});
"""


class DuckDB:
    """One DuckDB file as the destination of one flow. `path` ends in the file's name; `schema` holds its tables."""

    def __init__(self, path: Path, schema: str, *, patience: float = PATIENCE, listen: Listener = nobody) -> None:
        self._path = path
        self._schema = schema
        self._patience = patience
        self._listen = listen
        self._staging = Staging(path.parent)

    def last_commit(self, flow: str) -> Commit | None:
        if not self._path.exists():
            return None
        with doing(Step.RECOVER), self._open() as connection:
            return _last_commit(connection, flow)

    def stage(self, batch: Batch) -> None:
        with self._refusals():
            make_folder(self._path.parent)
            self._staging.add(batch)

    def commit(self, commit: Commit) -> None:
        check_counts(commit, self._staging.rows())
        with self._refusals():
            make_folder(self._path.parent)
        try:
            self._write(commit)
        except DestinationError as error:
            if "Out of Memory" not in str(error.__cause__) and "failed to pin block" not in str(error.__cause__):
                raise
            self._write(commit, frugal=False)
        self._staging.clear()

    def _write(self, commit: Commit, *, frugal: bool = True) -> None:
        with Undo(self._path) as undo, self._open() as connection, undo.of(connection), transaction(connection):
            connection.execute(_MEMORY)
            check_number(commit, _last_commit(connection, commit.flow), self._path.name)
            tables = Tables(connection, commit, self._schema, self._staging.let_go)
            tables.settle(self._staging.batches(), frugal=frugal)
            _remember(connection, commit)

    def close(self) -> None:
        self._staging.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _refusals(self) -> AbstractContextManager[None]:
        return refusals(self._path.parent, f"{self._path.parent} cannot be written")

    def _open(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        return open_file(self._path, patience=self._patience, listen=self._listen)


def _last_commit(connection: duckdb.DuckDBPyConnection, flow: str) -> Commit | None:
    known = connection.execute(
        "SELECT 1 FROM information_schema.tables "
        f"WHERE table_catalog = current_catalog() AND table_schema = '{OURS}' AND table_name = 'commits'"
    )
    if not known.fetchall():
        return None
    newest = connection.execute(f"FROM {OURS}.commits WHERE flow = ? ORDER BY number DESC LIMIT 1", [flow])
    columns = [name for name, *_ in newest.description or ()]
    for values in newest.fetchall():
        row = dict(zip(columns, values, strict=True))
        return Commit(
            flow,
            row["number"],
            row["run"],
            row["committed_at"],
            None if row["state"] is None else row["state"].encode(),
            msgspec.json.decode(row["row_counts"]),
            row["sequence"],
            msgspec.json.decode(row["gathering"]),
            # A file of an earlier version has no such column yet.
            quarantined=msgspec.json.decode(row.get("quarantined", "{}")),
        )
    return None


def _remember(connection: duckdb.DuckDBPyConnection, commit: Commit) -> None:
    connection.execute(
        f"INSERT INTO {OURS}.commits VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            commit.flow,
            commit.number,
            commit.run,
            commit.at,
            None if commit.state is None else commit.state.decode(),
            msgspec.json.encode(commit.rows).decode(),
            commit.sequence,
            msgspec.json.encode(commit.gathering).decode(),
            msgspec.json.encode(commit.quarantined).decode(),
        ],
    )
