"""Asks a destination in SQL. The answer is taken whole, so that the next commit need not wait for its reader."""

import re
import shlex
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

import duckdb
import pyarrow as pa

from orchestrator.config import Config, Destination
from orchestrator.config.values import closest
from orchestrator.destinations import sql
from orchestrator.destinations.disk import first_line
from orchestrator.destinations.duckdb import QUARANTINE_DEFINITION
from orchestrator.destinations.duckdb_file import PATIENCE, read_file
from orchestrator.destinations.duckdb_tables import OURS
from orchestrator.destinations.manifest import quarantine_files
from orchestrator.destinations.parquet import between_commits
from orchestrator.errors import DestinationError, UsageError
from orchestrator.events import Listener, nobody


def query(config: Config, question: str, *, to: str | None = None, listen: Listener = nobody) -> pa.Table:
    """The answer of a destination; `to` names it where there are several.

    In a DuckDB file and in a parquet folder alike, the rows of a stream are `FLOW.STREAM`. Times are in UTC. Waits
    while a commit is written. Raises UsageError for SQL that cannot be meant, DestinationError.
    """
    destination = config.destination(to) if to else _only(config, question)
    if not destination.path.exists():
        raise DestinationError(
            f'destination "{destination.id}" holds nothing yet',
            cause=f"there is no {destination.path}",
            hint=_first_run(config, destination),
        )
    with reading(destination, listen=listen) as connection:
        return _answer(connection, question)


def _only(config: Config, question: str) -> Destination:
    """The one destination that can be meant: the only one, or the only one that flows go to."""
    used = [*dict.fromkeys(flow.destination for flow in config.flows.values())] or [*config.destinations]
    if len(used) == 1:
        return config.destination(used[0])
    raise UsageError(
        "which destination shall answer?",
        cause=f"there are {', '.join(used)}" if used else "orchestrator.toml has none",
        hint=f"orchestrator query --to {used[0]} {shlex.quote(question)}"
        if used
        else "add a [destinations.warehouse] to orchestrator.toml",
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
    with ExitStack() as stack:
        if destination.type == "parquet":
            spilled = stack.enter_context(tempfile.TemporaryDirectory())
            connection = stack.enter_context(duckdb.connect(config={"temp_directory": spilled}))
            for folder in _schemas(destination.path):
                stack.enter_context(between_commits(folder, patience=patience, listen=listen))
                with _readable(folder):
                    _show_tables(connection, folder, "main" if folder == destination.path else folder.name)
            with _readable(destination.path):
                _show_quarantine(connection, destination.path)
            _enclose(connection, destination.path)
        else:
            connection = stack.enter_context(read_file(destination.path, patience=patience, listen=listen))
            _enclose(connection)
        yield connection


@contextmanager
def _readable(folder: Path) -> Iterator[None]:
    """DuckDB looks into a file of each table before it shows one."""
    try:
        yield
    except duckdb.Error as error:
        raise DestinationError(
            f"{folder} holds a file that cannot be read",
            cause=first_line(error),
            hint="orchestrator run FLOW        (tells what was changed, and what mends it)",
        ) from error


def _schemas(root: Path) -> list[Path]:
    """The folders that hold tables: those where a destination keeps its own memory."""
    return [folder for folder in (root, *_folders(root)) if (folder / OURS).is_dir()]


def _show_tables(connection: duckdb.DuckDBPyConnection, folder: Path, schema: str) -> None:
    """Makes a view in `schema` for each table: a folder with parquet files in it."""
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {sql.name(schema)}")
    for table in _folders(folder):
        if any(table.glob("*.parquet")):
            connection.execute(
                f"CREATE VIEW {sql.name(schema)}.{sql.name(table.name)} AS "
                f"FROM read_parquet({sql.text(f'{_literal(table)}/*.parquet')}, union_by_name = true)"
            )


def _show_quarantine(connection: duckdb.DuckDBPyConnection, root: Path) -> None:
    """What could not land, of every flow, as the one table that it is in a DuckDB file."""
    connection.execute(f"CREATE SCHEMA {OURS}")
    files = [sql.text(_literal(file)) for folder in _schemas(root) for file in quarantine_files(folder)]
    if files:
        rows = f"read_parquet([{', '.join(files)}], union_by_name = true)"
        connection.execute(f"CREATE VIEW {OURS}.quarantine AS FROM {rows}")
    else:
        connection.execute(f"CREATE TABLE {OURS}.quarantine ({QUARANTINE_DEFINITION})")


def _folders(parent: Path) -> list[Path]:
    return sorted(path for path in parent.iterdir() if path.is_dir() and not path.name.startswith(("_", ".")))


def _literal(path: Path) -> str:
    """The path, to be read as it is and not as a pattern."""
    return re.sub(r"[*?[]", r"[\g<0>]", str(path))


def _enclose(connection: duckdb.DuckDBPyConnection, *folders: Path) -> None:
    """Shuts out every file but those of the destination, for good, and answers the same wherever it is asked."""
    connection.execute("SET TimeZone = 'UTC'")
    if folders:
        connection.execute(f"SET allowed_directories = [{', '.join(sql.text(str(folder)) for folder in folders)}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


# ── the answer ───────────────────────────────────────────────────────────────────────────────────


# Beside questions: what is only made in memory, for the rest of the question. A PIVOT makes a type.
_ASKING = {duckdb.StatementType.SELECT, duckdb.StatementType.CREATE, duckdb.StatementType.SET}
# A comment in it could hide what is explained, and with ANALYZE that is done.
_EXPLAINED = re.compile(r"\s*explain\b(?:\s+analyze\b)?(?:\s*\([^)]*\))?", re.IGNORECASE)
# Of a question with a PIVOT in it DuckDB 2 tells only that it is several statements, as it does of an order with one.
_PIVOTING = re.compile(r"\s*(pivot|from|select)\b", re.IGNORECASE)


def _refuse_orders(statements: Iterable[duckdb.Statement]) -> None:
    """DuckDB could write into what it may read, and that is a whole folder of parquet files."""
    for statement in statements:
        if statement.type == duckdb.StatementType.EXPLAIN and (words := _EXPLAINED.match(statement.query)):
            _refuse_orders(duckdb.extract_statements(statement.query[words.end() :]))
        elif statement.type not in _ASKING and not _is_pivot(statement):
            raise UsageError(
                f"a query only asks, and {statement.type.name.replace('_', ' ')} does more",
                data="nothing was changed",
                hint='orchestrator query "from FLOW.STREAM" --output FILE',
            )


def _is_pivot(statement: duckdb.Statement) -> bool:
    return statement.type == duckdb.StatementType.MULTI and _PIVOTING.match(statement.query) is not None


def _answer(connection: duckdb.DuckDBPyConnection, question: str) -> pa.Table:
    try:
        _refuse_orders(duckdb.extract_statements(question))
        answer = connection.sql(question)
        if answer is None:
            raise UsageError("there is nothing to answer", hint='orchestrator query "show all tables"')
        return _distinct(answer.to_arrow_table())
    except duckdb.IOException as error:
        raise DestinationError("the rows could not be read", cause=first_line(error)) from error
    except duckdb.Error as error:
        raise _misunderstood(connection, error) from error


def _distinct(answer: pa.Table) -> pa.Table:
    """The same with no name twice: what has one could not be written to a file, nor told apart in JSON."""
    names: list[str] = []
    for name in answer.column_names:
        tries = (name if number == 1 else f"{name}_{number}" for number in count(1))
        names.append(next(each for each in tries if each not in names))
    return answer.rename_columns(names)


def _misunderstood(connection: duckdb.DuckDBPyConnection, error: duckdb.Error) -> UsageError:
    """What DuckDB says of a question, with the table that may have been meant."""
    said = str(error)
    message = re.sub(r"^[A-Z]\w*( \w+)* Error: ", "", said.partition("\n")[0]).rstrip("!.")
    place = re.search(r"^(LINE \d+: .*)$", said, re.MULTILINE)
    advice = re.search(r"^(Did you mean .*|Candidate bindings: .*)$", said, re.MULTILINE)
    hint = advice[1] if advice else None
    if isinstance(error, duckdb.PermissionException):
        message, hint = "a query reads its destination and nothing else", "orchestrator query --help"
        return UsageError(message, cause=said.partition("\n")[0], hint=hint)
    if missing := re.search(r"Table with name (\S+) does not exist", said):
        hint = _near_table(connection, missing[1], place[1] if place else "")
    return UsageError(message, cause=place[1] if place else None, hint=hint)


def _near_table(connection: duckdb.DuckDBPyConnection, name: str, line: str) -> str:
    """The table that may have been meant by `name`, which stands in `line`, or those that there are."""
    rows = connection.execute(
        f"SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema <> '{OURS}' ORDER BY ALL"
    ).fetchall()
    if not rows:
        return "there are no tables yet"
    tables = {f"{schema}.{table}": table_in_sql(schema, table) for schema, table in rows}
    found = re.search(rf"[\w\"-]+\.{re.escape(name)}", line)
    near = closest(found[0].replace('"', "") if found else name, tables)
    near = near or next((table for table in tables if table.endswith(f".{name}")), None)
    return f"did you mean {tables[near]}?" if near else f"there are {', '.join([*tables.values()][:10])}"


def table_in_sql(schema: str, table: str) -> str:
    """A table as a person writes it in SQL: with quotes only where it needs them."""
    plain = [part if re.fullmatch(r"[A-Za-z_]\w*", part, re.ASCII) else sql.name(part) for part in (schema, table)]
    try:
        duckdb.extract_statements(f"from {'.'.join(plain)}")
    except duckdb.ParserException:
        # A word of SQL itself.
        return f"{sql.name(schema)}.{sql.name(table)}"
    return ".".join(plain)
