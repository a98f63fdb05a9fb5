"""What a drift means for the tables, told before the next run does it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from orchestrator.actions.rules import Rules, rules_of
from orchestrator.catalogs import Catalog, Change, Choice, Kind, Method, choose
from orchestrator.config import Tap
from orchestrator.destinations.sql import type_name
from orchestrator.errors import UsageError
from orchestrator.load.evolution import wider
from orchestrator.load.naming import path_of
from orchestrator.load.nesting import landing_columns
from orchestrator.protocol.schemas import Type, columns_of

NEXT = "at the next run"


@dataclass(frozen=True, slots=True)
class _Stream:
    """What is taken of a stream, and the columns in which it lands, by the place of what they hold: `author.name`."""

    choice: Choice
    types: Mapping[str, Type]

    def lands(self, place: str) -> bool:
        return self.choice.selected and any(_holds(column, place) for column in self.choice.columns)


def _holds(column: str, place: str) -> bool:
    """Whether what is at a place stands in a column."""
    return place == column or place.startswith(f"{column}.")


def consequences(
    tap: Tap, before: Catalog, now: Catalog, changes: tuple[Change, ...], landed: frozenset[str]
) -> dict[Change, str]:
    """What each change comes to, where it comes to something. `landed` are the streams that have a table already,
    by the names of their messages."""
    old, new = _taken(tap, before), _taken(tap, now)
    means = {}
    for change in changes:
        was, comes = old.get(change.stream), new.get(change.stream)
        has_table = was is not None and bool(was.choice.stream.aliases & landed)
        if said := " ".join(_means(change, was, comes, has_table)):
            means[change] = said
    return means


def _taken(tap: Tap, catalog: Catalog) -> dict[str, _Stream]:
    try:
        choices = choose(catalog, tap.select, tap.streams)
    except UsageError:
        # What orchestrator.toml names is not there any more; the next run will say so.
        choices = choose(catalog, (), {})
    rules = rules_of(tap, choices)
    return {choice.stream.id: _Stream(choice, _types(choice, rules)) for choice in choices}


def _types(choice: Choice, rules: Rules) -> dict[str, Type]:
    try:
        columns = columns_of(choice.stream.schema, choice.key)
    except ValueError:
        return {}
    landing = landing_columns(columns, rules.nesting_of(choice.stream.name), choice.key)
    return {".".join(path_of(column.name)): column.type for column in landing}


def _means(change: Change, was: _Stream | None, comes: _Stream | None, has_table: bool) -> Iterator[str]:
    match change.kind:
        case Kind.STREAM_ADDED if comes is not None:
            yield f"it gets a table {NEXT}" if comes.choice.selected else "it is not selected"
        case Kind.STREAM_REMOVED if has_table:
            yield "its table stays, and gets no more rows"
        case _ if was is None or comes is None or not has_table:
            return
        case Kind.PROPERTY_ADDED | Kind.PROPERTY_REMOVED | Kind.TYPE_CHANGED:
            yield from _means_for_column(change, was, comes)
        case Kind.KEY_CHANGED if was.choice.key != comes.choice.key:
            yield (
                f"rows are matched by {', '.join(comes.choice.key)} from the next run on"
                if comes.choice.key
                else "rows are not matched any more: each one is added, or the table replaced where all of it is read"
            )
        case Kind.REPLICATION_CHANGED if was.choice.replication.method != comes.choice.replication.method:
            if comes.choice.replication.method is Method.FULL_TABLE:
                yield "each run reads all of it" + ("" if comes.choice.key else ", and replaces the table")
            else:
                yield "the next run reads from the beginning where no bookmark is known yet"


def _means_for_column(change: Change, was: _Stream, comes: _Stream) -> Iterator[str]:
    assert change.property is not None
    place = change.property
    if not (was if change.kind is Kind.PROPERTY_REMOVED else comes).lands(place):
        yield "it is not selected"
        return
    # A column may hold more than the property, or give each of its members a column.
    touched = [column for column in {**was.types, **comes.types} if _holds(column, place) or _holds(place, column)]
    said = [_becomes(change.stream, column, was.types.get(column), comes.types.get(column)) for column in touched]
    yield "; ".join(said)


def _becomes(stream: str, column: str, old: Type | None, new: Type | None) -> str:
    if new is None:
        return f"column {column} stays; new rows have NULL in it"
    if old is None:
        return f"{stream}.{column} is added as {type_name(new)} {NEXT}; rows that are there have NULL in it"
    first, *others = wider(old, new)
    if first == old:
        return f"column {column} stays {type_name(old)}"
    unfitting = f" ({type_name(others[-1])}, should a value not fit)" if others else ""
    return f"{stream}.{column} will become {type_name(first)} {NEXT}{unfitting}"
