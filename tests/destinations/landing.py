"""Messages in, rows out: a tap's text is landed in a real destination and read back as an outsider reads it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, Self

import duckdb

from orchestrator.config import WHOLE, Mode, Nesting
from orchestrator.destinations import Destination
from orchestrator.destinations.duckdb import DuckDB
from orchestrator.destinations.parquet import Parquet
from orchestrator.load.batch import Batch
from orchestrator.load.commit import Checkpoint, Commit, CommitPolicy, Rewind, checkpoints, commit_after
from orchestrator.load.table import Table, table_for
from orchestrator.protocol.messages import Schema
from orchestrator.protocol.reading import read_messages

FLOW = "shop"
Message = dict[str, Any]


# ── what a tap says ──────────────────────────────────────────────────────────────────────────────


def schema(stream: str, key: list[str] | None = None, /, **properties: Any) -> Message:
    """A SCHEMA. A property is named by its JSON type, or by a list of types, or is a JSON schema."""
    described = {name: said if isinstance(said, dict) else {"type": said} for name, said in properties.items()}
    return {"type": "SCHEMA", "stream": stream, "schema": {"properties": described}, "key_properties": key or []}


def record(stream: str, /, **values: Any) -> Message:
    return {"type": "RECORD", "stream": stream, "record": values}


def versioned(version: int, message: Message) -> Message:
    return {**message, "version": version}


def state(value: Any) -> Message:
    return {"type": "STATE", "value": value}


def activate(stream: str, version: int) -> Message:
    return {"type": "ACTIVATE_VERSION", "stream": stream, "version": version}


def text_of(*messages: Message) -> bytes:
    return b"".join(json.dumps(message).encode() + b"\n" for message in messages)


# ── landing ──────────────────────────────────────────────────────────────────────────────────────


def land(
    destination: Destination,
    *messages: Message,
    text: bytes = b"",
    flow: str = FLOW,
    commit_rows: int = 1_000_000,
    run: int = 1,
    gathering: tuple[str, ...] = (),
    complete: bool = True,
    rewind: Rewind | None = None,
    soft_delete: bool = False,
    nesting: Nesting = WHOLE,
) -> Commit:
    """One run of a tap that says `messages`, or `text`. Gives its last commit.

    Streams in `gathering` bring a new generation, which the end publishes if the run is `complete`.
    """
    last = destination.last_commit(flow)
    for step in steps(
        *messages,
        text=text,
        commit_rows=commit_rows,
        generations=dict.fromkeys(gathering, run),
        last=last,
        nesting=nesting,
    ):
        if isinstance(step, Batch):
            destination.stage(step)
        else:
            step = replace(step, ended=step.ended and complete)
            last = replace(
                commit_after(
                    last,
                    step,
                    flow=flow,
                    run=run,
                    at="2026-11-21T03:00:00.000Z",
                    gathering=dict.fromkeys(gathering, run),
                ),
                rewind=rewind,
                soft_delete=soft_delete,
            )
            rewind = None
            destination.commit(last)
    assert last is not None
    return last


def stage(destination: Destination, *messages: Message) -> Checkpoint:
    """Stages what the messages bring, without a commit. Gives what a commit would settle."""
    checkpoint = None
    for step in steps(*messages):
        if isinstance(step, Batch):
            destination.stage(step)
        else:
            checkpoint = step
    assert checkpoint is not None
    return checkpoint


def steps(
    *messages: Message,
    text: bytes = b"",
    commit_rows: int = 1_000_000,
    generations: dict[str, int] | None = None,
    last: Commit | None = None,
    nesting: Nesting = WHOLE,
) -> Iterator[Batch | Checkpoint]:
    def table_of(said: Schema) -> Table:
        generation = (generations or {}).get(said.stream)
        return table_for(said, Mode.UPSERT, key=said.key, generation=generation, nesting=nesting)

    for step in checkpoints(
        read_messages([text or text_of(*messages)], lambda files: ()),
        CommitPolicy(commit_rows, float("inf")),
        table_of=table_of,
        clock=lambda: 0.0,
        now=lambda: 0,
        sequence=last.sequence if last else 0,
    ):
        if isinstance(step, Batch | Checkpoint):
            yield step


# ── reading back ─────────────────────────────────────────────────────────────────────────────────


class Place(Protocol):
    """Where a destination is, for whoever opens it or reads there without us."""

    kind: str

    def open(self) -> Destination: ...

    def tables(self) -> list[str]: ...

    def query(self, table: str, select: str) -> list[tuple[Any, ...]]: ...


class DuckDBFile:
    kind = "duckdb"

    def __init__(self, folder: Path) -> None:
        self.path = folder / "data" / "warehouse.duckdb"

    def open(self) -> DuckDB:
        return DuckDB(self.path, FLOW)

    def tables(self) -> list[str]:
        if not self.path.exists():
            return []
        with duckdb.connect(str(self.path), read_only=True) as connection:
            rows = connection.execute(
                "SELECT table_name FROM information_schema.tables WHERE table_schema <> '_orchestrator' ORDER BY 1"
            ).fetchall()
        return [name for (name,) in rows]

    def query(self, table: str, select: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.path), read_only=True) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            return connection.execute(f'{select} FROM {FLOW}."{table}"').fetchall()


class ParquetFolder:
    kind = "parquet"

    def __init__(self, folder: Path) -> None:
        self.root = folder / "lake"

    def open(self) -> Parquet:
        return Parquet(self.root)

    def tables(self) -> list[str]:
        return sorted({path.parent.name for path in self.root.glob("[!_.]*/*.parquet")})

    def query(self, table: str, select: str) -> list[tuple[Any, ...]]:
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            return connection.execute(f"{select} FROM read_parquet('{self.root}/{table}/*.parquet')").fetchall()


KINDS = {place.kind: place for place in (DuckDBFile, ParquetFolder)}


def rows(place: Place, table: str, *columns: str) -> list[tuple[Any, ...]]:
    """Rows of a table in the order in which they came; all of the tap's columns unless some are named."""
    chosen = columns or tuple(name for name in types(place, table) if not name.startswith("_sdc_"))
    names = ", ".join(f'"{name}"' for name in chosen)
    # Beyond the sequence the order is nobody's business.
    return [row[1:] for row in sorted(place.query(table, f"SELECT _sdc_sequence, {names}"), key=lambda row: row[0])]


def types(place: Place, table: str) -> dict[str, str]:
    """The columns of a table and their types, in DuckDB's words."""
    return {row[0]: row[1] for row in place.query(table, "DESCRIBE SELECT *")}


class OtherProcess:
    """A Python program beside the test. It says lines, and ends when it is killed or at the end of the block."""

    def __init__(self, program: str, *arguments: object) -> None:
        command = [sys.executable, "-c", program, *map(str, arguments)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    @property
    def pid(self) -> int:
        return self._process.pid

    def line(self) -> str:
        """The next line it says; empty when it has ended."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().rstrip("\n")

    def kill(self) -> list[str]:
        """Ends it with signal 9. Gives what it said last."""
        self._process.kill()
        output, _ = self._process.communicate()
        return output.splitlines()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self.kill()
