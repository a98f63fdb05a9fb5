"""Where rows land: the contract of a destination, one file for each kind, and beside it what that kind is made of."""

from collections.abc import Callable
from pathlib import Path

from orchestrator.destinations.contract import Destination
from orchestrator.errors import UsageError
from orchestrator.events import Listener, nobody

Open = Callable[[Path, str, Listener], Destination]


def _duckdb(path: Path, schema: str, listen: Listener) -> Destination:
    from orchestrator.destinations.duckdb import DuckDB

    return DuckDB(path, schema, listen=listen)


def _parquet(path: Path, schema: str, listen: Listener) -> Destination:
    from orchestrator.destinations.parquet import Parquet

    return Parquet(path / schema if schema else path, listen=listen)


# The libraries behind a destination take longer to import than a command that needs none of them to run.
_KINDS: dict[str, Open] = {"duckdb": _duckdb, "parquet": _parquet}


def open_destination(type: str, path: Path, schema: str, listen: Listener = nobody) -> Destination:
    """A destination of the given type (`duckdb`, `parquet`) at `path`; `schema` keeps its tables apart from those of
    other flows, and may be empty for parquet. Raises UsageError for a type that does not exist."""
    try:
        return _KINDS[type](path, schema, listen)
    except KeyError:
        raise UsageError(f"there is no destination of type {type!r}", hint=f"one of: {', '.join(_KINDS)}") from None


__all__ = ["Destination", "open_destination"]
