"""`orchestrator query`"""

import json
import shutil
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestrator import durable
from orchestrator.cli.command import command, format_option, workspace
from orchestrator.cli.names import DESTINATION
from orchestrator.cli.progress import tell
from orchestrator.cli.tables import as_csv, columns_that_fit, grid, with_dim_head
from orchestrator.cli.terminal import hand_over, put, say
from orchestrator.cli.words import counted, document, number
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    import pyarrow

ROWS_SHOWN = 40
WIDEST = 40


@command("query")
@click.argument("sql")
@click.option("--to", "destination", type=DESTINATION, help="The destination to ask, where there are several.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the answer to this file.")
@format_option("parquet")
def query(sql: str, destination: str | None, output: Path | None, format: str) -> None:
    """Ask a destination in SQL.

    \b
        orchestrator query "from gitlab.issues"
        orchestrator query "select state, count(*) from gitlab.issues group by all" --format csv
        orchestrator query "from gitlab.issues" --output issues.parquet

    The SQL is DuckDB's, whatever the destination; a stream is FLOW.STREAM. It sees what is committed, also while a run
    goes on. Times are in UTC. A FILE that ends in .csv, .json or .parquet says the format.
    """
    chosen = _format(format, output)
    answer = workspace().query(sql, to=destination, listen=tell)
    if chosen == "table" and output is None and sys.stdout.isatty():
        _show(answer)
    else:
        _write(_encoded(answer, chosen), output)
    if output is not None:
        say(f"✓ {counted(answer.num_rows, 'row')} in {output}")


def _format(format: str, output: Path | None) -> str:
    """What the answer is written as: what was said, or what the name of the file says."""
    if output is None:
        if format == "parquet" and sys.stdout.isatty():
            raise UsageError("parquet is nothing for a terminal", hint="--output answer.parquet")
        return format
    ending = output.suffix.lower().removeprefix(".")
    if format != "table" or ending not in ("csv", "json", "parquet"):
        return format
    return ending


def _write(content: bytes, output: Path | None) -> None:
    if output is None:
        hand_over(content)
        return
    if not output.parent.is_dir():
        raise UsageError(f"there is no folder {output.parent}", hint=f"mkdir -p {output.parent}")
    try:
        durable.write(output, content)
    except OSError as error:
        raise UsageError(f"{output} cannot be written", cause=error.strerror, hint=f"ls -ld {output.parent}") from error


def _encoded(answer: "pyarrow.Table", format: str) -> bytes:
    """The answer as a file holds it."""
    heads, rows = answer.column_names, _rows(answer)
    match format:
        case "parquet":
            return _as_parquet(answer)
        case "json":
            columns = [{"name": field.name, "type": str(field.type)} for field in answer.schema]
            text = document(columns=columns, rows=[dict(zip(heads, row, strict=True)) for row in rows])
        case "csv":
            text = as_csv(heads, [[None if value is None else _as_text(value) for value in row] for row in rows])
        case _:
            text = grid(heads, rows, words=_as_text)
    return f"{text}\n".encode()


def _as_parquet(answer: "pyarrow.Table") -> bytes:
    import pyarrow.parquet

    sink = pyarrow.BufferOutputStream()
    try:
        pyarrow.parquet.write_table(answer, sink, compression="zstd")
    except pyarrow.ArrowNotImplementedError as error:
        raise UsageError(
            "parquet cannot hold a column of the answer", cause=str(error), hint="cast it in the SQL: COLUMN::varchar"
        ) from error
    return bytes(sink.getvalue())


def _rows(answer: "pyarrow.Table") -> list[tuple[Any, ...]]:
    return [*zip(*(column.to_pylist() for column in answer.columns), strict=True)]


def _show(answer: "pyarrow.Table") -> None:
    """As much of the answer as a terminal can hold; of its columns those first that are the tap's own."""
    part = answer.slice(0, ROWS_SHOWN).select(sorted(answer.column_names, key=lambda name: name.startswith("_sdc_")))
    columns = [[head, *map(_as_text, column.to_pylist())] for head, column in zip(part.column_names, part, strict=True)]
    shown = columns_that_fit(columns, room=shutil.get_terminal_size().columns, widest=WIDEST)
    put(with_dim_head(grid(part.column_names[:shown], _rows(part.select(range(shown))), words=_as_text, widest=WIDEST)))
    hidden = [
        f"{number(some)} of {counted(every, noun)}"
        for some, every, noun in ((part.num_rows, answer.num_rows, "row"), (shown, answer.num_columns, "column"))
        if some < every
    ]
    if hidden:
        say(f"{' and '.join(hidden)} shown; --format csv, or --output FILE, gives all")


def _as_text(value: Any) -> str:
    match value:
        case None:
            return "NULL"
        case bool():
            return str(value).lower()
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case bytes():
            return value.hex()
        case dict() | list():
            return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
