"""Asks a destination in SQL. The answer is taken whole, so that the next commit need not wait for its reader."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

from orchestrator.config import Config, Destination
from orchestrator.config.values import closest
from orchestrator.destinations import sql
from orchestrator.destinations.duckdb import PATIENCE, open_file
from orchestrator.errors import DestinationError, UsageError
from orchestrator.events import Listener, nobody

_TRIES = 20
_PAUSE = 0.1


def query(config: Config, question: str, *, to: str | None = None, listen: Listener = nobody) -> pa.Table:
    """The answer of a destination; `to` names it where there are several.

    In a DuckDB file and in a parquet folder alike, the rows of a stream are `FLOW.STREAM`. Times are in UTC. Waits
    while a commit is written. Raises UsageError for SQL that cannot be meant, DestinationError.
    """
    destination = config.destination(to) if to else _only(config)
    if not destination.path.exists():
        raise DestinationError(
            f'destination "{destination.id}" holds nothing yet',
            cause=f"there is no {destination.path}",
            hint=_first_run(config, destination),
        )
    with reading(destination, listen=listen) as connection:
        return _answer(connection, question)


def _only(config: Config) -> Destination:
    """The one destination that can be meant: the only one, or the only one that flows go to."""
    used = {flow.destination for flow in config.flows.values()} or set(config.destinations)
    if len(used) == 1:
        return config.destination(used.pop())
    raise UsageError(
        "which destination shall answer?",
        cause=f"there are {', '.join(config.destinations)}" if config.destinations else "there is none",
        hint=f"--to {sorted(used)[0]}" if used else "add a [destinations.warehouse] to orchestrator.toml",
    )


def _first_run(config: Config, destination: Destination) -> str:
    flows = [flow.name for flow in config.flows.values() if flow.destination == destination.id]
    return f"orchestrator run {flows[0]}" if flows else f"orchestrator add-tap NAME --to {destination.id}"


# ── where the rows are ───────────────────────────────────────────────────────────────────────────


@contextmanager
def reading(
    destination: Destination, *, patience: float = PATIENCE, listen: Listener = nobody
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that sees the rows of a destination and no other file. Raises DestinationError; DestinationBusy
    when a commit takes longer than `patience` seconds."""
    if destination.type == "parquet":
        with duckdb.connect() as connection:
            _show_tables(connection, destination.path)
            _enclose(connection, destination.path)
            yield connection
    else:
        with open_file(destination.path, read_only=True, patience=patience, listen=listen) as connection:
            _enclose(connection)
            yield connection


def _show_tables(connection: duckdb.DuckDBPyConnection, root: Path) -> None:
    """Makes a view for each table: a folder with parquet files, in a folder with the name of the schema."""
    for table in _tables(root):
        schema = sql.name("main" if table.parent == root else table.parent.name)
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        connection.execute(
            f"CREATE VIEW {schema}.{sql.name(table.name)} AS "
            f"FROM read_parquet({sql.text(f'{_literal(table)}/*.parquet')}, union_by_name = true)"
        )


def _tables(root: Path) -> list[Path]:
    """The folders with files for readers, directly in the root and one folder below."""
    folders = [root, *_folders(root)]
    return [table for folder in folders for table in _folders(folder) if any(table.glob("*.parquet"))]


def _folders(parent: Path) -> list[Path]:
    return sorted(path for path in parent.iterdir() if path.is_dir() and not path.name.startswith(("_", ".")))


def _literal(path: Path) -> str:
    """The path, to be read as it is and not as a pattern."""
    return re.sub(r"[*?[]", r"[\g<0>]", str(path))


def _enclose(connection: duckdb.DuckDBPyConnection, *folders: Path) -> None:
    """Shuts out every file but those of the destination, and answers the same wherever it is asked."""
    connection.execute("SET TimeZone = 'UTC'")
    if folders:
        connection.execute(f"SET allowed_directories = [{', '.join(sql.text(str(folder)) for folder in folders)}]")
    connection.execute("SET enable_external_access = false")


# ── the answer ───────────────────────────────────────────────────────────────────────────────────


def _answer(connection: duckdb.DuckDBPyConnection, question: str) -> pa.Table:
    for remaining in reversed(range(_TRIES)):
        try:
            connection.execute(question)
            return connection.to_arrow_table() if connection.description else pa.table({})
        except duckdb.IOException as error:
            # A commit to a parquet folder takes files away between the moment they are listed and read.
            if not remaining:
                raise DestinationError("the rows could not be read", cause=str(error).partition("\n")[0]) from error
            time.sleep(_PAUSE)
        except duckdb.Error as error:
            raise _misunderstood(connection, error) from error
    raise AssertionError("the last try ends in one way or the other")


def _misunderstood(connection: duckdb.DuckDBPyConnection, error: duckdb.Error) -> UsageError:
    """What DuckDB says of a question, with the table that may have been meant."""
    said = str(error)
    message = re.sub(r"^[A-Z]\w*( \w+)* Error: ", "", said.partition("\n")[0]).rstrip("!")
    place = re.search(r"^(LINE \d+: .*)$", said, re.MULTILINE)
    advice = re.search(r"^(Did you mean .*|Candidate bindings: .*)$", said, re.MULTILINE)
    hint = advice[1] if advice else None
    if missing := re.search(r"Table with name (\S+) does not exist", said):
        hint = _near_table(connection, missing[1], place[1] if place else "")
    return UsageError(message, cause=place[1] if place else None, hint=hint)


def _near_table(connection: duckdb.DuckDBPyConnection, name: str, line: str) -> str:
    rows = connection.execute(
        "SELECT table_schema, table_name FROM information_schema.tables "
        "WHERE table_schema <> '_orchestrator' ORDER BY ALL"
    ).fetchall()
    tables = [f"{schema}.{table}" for schema, table in rows]
    qualified = re.search(rf"[\w\"]+\.{re.escape(name)}", line)
    near = closest(qualified[0] if qualified else name, tables) or closest(f"main.{name}", tables)
    near = near or next((each for each in tables if each.endswith(f".{name}")), None)
    if near:
        return f"did you mean {near}?"
    return f"there are {', '.join(tables[:10])}" if tables else "there are no tables yet"
