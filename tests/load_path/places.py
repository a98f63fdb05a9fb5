"""Both destinations as an outsider sees them: loaded by the real command or in process, read with plain DuckDB."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import duckdb

from orchestrator import load_messages

KINDS = ("duckdb", "parquet")
COMMAND = (sys.executable, "-m", "orchestrator", "load")


@dataclass(frozen=True, slots=True)
class Table:
    """A table, its columns by the names that the tap gave them; the rows in the order in which they came."""

    name: str
    columns: dict[str, str]
    types: dict[str, str]
    kinds: dict[str, Any]
    """What the destination remembers of the types: those of structs by what the tap calls a member, as a pair of its
    field and the type of it; those of lists in a list."""
    rows: list[dict[str, Any]]
    deleted: list[bool]
    """Whether each row is marked as deleted."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a load said on either stream, and its exit code."""

    exit_code: int
    states: list[bytes]
    err: str


@dataclass(frozen=True, slots=True)
class Place:
    """A destination of the given kind in a folder of its own."""

    kind: str
    folder: Path

    @property
    def root(self) -> Path:
        """The file or folder; nothing may be written outside of `folder / "out"`."""
        return self.folder / "out" / ("w.duckdb" if self.kind == "duckdb" else "lake")

    @property
    def to(self) -> str:
        return f"{self.kind}:{self.root}"

    # ── loading ──

    def load(self, stdin: bytes | IO[bytes], *words: str) -> Said:
        """What comes through stdin, by the real command, called in `folder`."""
        fed: dict[str, Any] = {"input": stdin} if isinstance(stdin, bytes) else {"stdin": stdin}
        ended = subprocess.run(
            [*COMMAND, "--to", self.to, *words], cwd=self.folder, env=surroundings(), capture_output=True, **fed
        )
        return Said(ended.returncode, ended.stdout.split(b"\n")[:-1], ended.stderr.decode())

    def load_here(self, blocks: Iterable[bytes], states: list[bytes], **options: Any) -> None:
        """The blocks, in this process, where a commit closes by rows alone. States that were acknowledged go to
        `states`. Raises what loading raises."""
        load_messages(blocks, self.to, acknowledge=states.append, commit_seconds=float("inf"), **options)

    # ── reading back ──

    def tables(self) -> dict[str, Table]:
        """The tables that readers see, by stream."""
        with self._connection() as connection:
            known = self._known(connection)
            assert sorted(name for _, name, _ in known) == self._names(connection)
            return {stream: _read(connection, self._relation(name), name, said) for stream, name, said in known}

    def names(self) -> list[str]:
        """The names of the tables that readers see."""
        with self._connection() as connection:
            return self._names(connection)

    def quarantine(self) -> list[dict[str, Any]]:
        """What could not land, in the order of its lines."""
        with self._connection() as connection:
            relation = "_orchestrator.quarantine"
            if self.kind == "parquet":
                relation = f"read_parquet('{self.root}/_orchestrator/*/quarantine/*.parquet')"
            try:
                found = connection.execute(f"FROM {relation} ORDER BY run, line, _sdc_sequence")
            except (duckdb.CatalogException, duckdb.IOException):
                return []
            return list(found.to_arrow_table().to_pylist())

    def state(self) -> bytes | None:
        """The state that the newest commit holds."""
        if self.kind == "parquet":
            state = (self._manifest() or {}).get("state")
        else:
            with self._connection() as connection:
                states = _remembered(connection, "SELECT state FROM _orchestrator.commits ORDER BY number DESC LIMIT 1")
            state = states[0][0] if states else None
        return state.encode() if state is not None else None

    def _names(self, connection: duckdb.DuckDBPyConnection) -> list[str]:
        if self.kind == "parquet":
            return sorted({path.parent.name for path in self.root.glob("[!_.]*/*.parquet")})
        found = connection.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main'").fetchall()
        return sorted(name for (name,) in found)

    def _known(self, connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, dict[str, list[str]]]]:
        """Stream, table and the names and types of its columns, as the destination remembers them."""
        if self.kind == "parquet":
            tables = (self._manifest() or {}).get("tables", [])
            known = [(table["stream"], table["folder"], table["columns"]) for table in tables]
        else:
            select = "SELECT stream, table_name, columns FROM _orchestrator.tables"
            known = [(stream, name, json.loads(said)) for stream, name, said in _remembered(connection, select)]
        # The quarantine is the table of no stream.
        return [each for each in known if each[0]]

    def _manifest(self) -> Any:
        manifests = sorted((self.root / "_orchestrator" / "load").glob("manifest-*.json"))
        return json.loads(manifests[-1].read_bytes()) if manifests else None

    def _relation(self, table: str) -> str:
        return f"read_parquet('{self.root}/{table}/*.parquet')" if self.kind == "parquet" else f'main."{table}"'

    @contextlib.contextmanager
    def _connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        there = self.kind == "duckdb" and self.root.exists()
        with duckdb.connect(self.root if there else ":memory:", read_only=there, config={"threads": 1}) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            yield connection


def surroundings() -> dict[str, str]:
    """The environment of a command: ours, without what would decide for it."""
    return {name: value for name, value in os.environ.items() if not name.startswith("ORCHESTRATOR_")}


def _remembered(connection: duckdb.DuckDBPyConnection, select: str) -> list[tuple[Any, ...]]:
    """What the destination keeps of itself; nothing before its first commit."""
    try:
        return connection.execute(select).fetchall()
    except duckdb.CatalogException:
        return []


def _read(connection: duckdb.DuckDBPyConnection, relation: str, name: str, known: dict[str, list[str]]) -> Table:
    columns = {said: held for said, (held, _) in known.items()}
    described = connection.execute(f"DESCRIBE FROM {relation}").fetchall()
    types = {column: type for column, type, *_ in described}
    ours = {column for column in types if column.startswith("_sdc_")} - set(columns.values())
    assert types.keys() - ours == set(columns.values())
    found = connection.execute(f"FROM {relation} ORDER BY _sdc_sequence").to_arrow_table().to_pylist()
    return Table(
        name,
        columns,
        {said: types[held] for said, held in columns.items()},
        {said: json.loads(type) if type[0] in "[{" else type for said, (_, type) in known.items()},
        [{said: row[held] for said, held in columns.items()} for row in found],
        [row["_sdc_deleted_at"] is not None for row in found],
    )
