"""The Chinook sample database: a shop of music in eleven tables, and what of it landed."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from orchestrator import Workspace

# Beside a checkout, because it is somebody else's.
SCRIPTS = Path(__file__).resolve().parents[3] / "shared" / "taps"

ROWS = {
    "album": 347,
    "artist": 275,
    "customer": 59,
    "employee": 8,
    "genre": 25,
    "invoice": 412,
    "invoice_line": 2240,
    "media_type": 5,
    "playlist": 18,
    "playlist_track": 8715,
    "track": 3503,
}

Rows = list[tuple[Any, ...]]


def script(name: str) -> str:
    """What makes the tables, after the lines that make the database."""
    path = SCRIPTS / name
    if not path.exists():
        pytest.skip(f"the Chinook database is read from {path}, which is not here")
    _, _, text = path.read_text(encoding="utf-8-sig").partition("Create Tables")
    return f"/*{text}"


def alike(rows: Iterable[Iterable[Any]]) -> Rows:
    """Rows of a source and of a destination in the same words, in the same order."""
    return sorted((tuple(map(_alike, row)) for row in rows), key=str)


def landed(workspace: Workspace, table: str, columns: Iterable[str]) -> Rows:
    """What a reader finds in a table."""
    named = ", ".join(f'"{column}"' for column in columns)
    return alike(row.values() for row in workspace.query(f"select {named} from {table}").to_pylist())


def has(workspace: Workspace, table: str) -> bool:
    """Whether a reader finds the table at all."""
    return table in workspace.query("select table_name from information_schema.tables")["table_name"].to_pylist()


def _alike(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    # Databases keep no zone with these; to a tap they are in UTC.
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value
