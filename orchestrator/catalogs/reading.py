"""What a tap printed in discovery, as frozen values."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Any

from orchestrator.catalogs.dialects import Breadcrumb, Json, Names, listed, metadata_of, names_in, nodes_of

# Words of a database tap. It leaves the method of each table to whoever marks the catalog, and fails without one.
OF_A_DATABASE = ("database-name", "row-count", "is-view", "database_name", "table_name", "row_count", "is_view")


class NotACatalog(ValueError):
    """These bytes are not a catalog; the text says why, and `said` is what they are where that helps."""

    def __init__(self, why: str, said: bytes | None = None) -> None:
        super().__init__(why)
        self.said = said


class Inclusion(StrEnum):
    """What the tap says about taking a property."""

    AVAILABLE = "available"
    """Taken if it is selected."""
    AUTOMATIC = "automatic"
    """Always taken."""
    UNSUPPORTED = "unsupported"
    """Known to the tap, which cannot read it."""


class Method(StrEnum):
    """How a stream is read again."""

    INCREMENTAL = "incremental"
    """What is new since the bookmark."""
    FULL_TABLE = "full_table"
    """Everything each time."""
    LOG_BASED = "log_based"
    """What the database's own log tells, deletions too."""

    @property
    def words(self) -> str:
        """As people read it: "full table"."""
        return self.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Offer:
    """What the tap says about selecting a stream or a property; None where it says nothing."""

    inclusion: Inclusion = Inclusion.AVAILABLE
    selected: bool | None = None
    selected_by_default: bool | None = None

    @property
    def taken_by_default(self) -> bool | None:
        return self.selected_by_default if self.selected is None else self.selected


@dataclass(frozen=True, slots=True)
class Property:
    """One property of a stream, at any depth."""

    breadcrumb: Breadcrumb
    names: Names
    schema: Any
    offer: Offer

    def __str__(self) -> str:
        """As it is typed in a pattern: `author.name`."""
        return ".".join(self.names)


@dataclass(frozen=True, slots=True)
class Replication:
    """How a stream is read again: None where nobody knows but the tap.

    `key` is the property that its bookmark follows, `valid_keys` those that it could follow; `forced` is the method
    where the tap leaves no choice.
    """

    method: Method | None = None
    key: str | None = None
    forced: Method | None = None
    valid_keys: Names = ()


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream of a catalog. `id` is its tap_stream_id; `aliases` are all names that its messages may bear; `parent`
    is the id of the stream whose rows it is read for, where the tap tells."""

    id: str
    name: str
    aliases: frozenset[str]
    schema: Mapping[str, Any]
    properties: tuple[Property, ...]
    key: Names
    replication: Replication
    offer: Offer
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class Catalog:
    """All streams that a tap offers; `content` is what it printed."""

    content: bytes
    streams: tuple[Stream, ...]


def read_catalog(content: bytes) -> Catalog:
    """Raises NotACatalog."""
    if not content.strip():
        raise NotACatalog("it is empty")
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise NotACatalog("it is not JSON", content.strip()) from error
    match document:
        case {"streams": [*entries]}:
            return Catalog(content, tuple(_stream(entry, place) for place, entry in enumerate(entries, 1)))
        case _:
            raise NotACatalog('it has no list of "streams"')


def _stream(entry: Any, place: int) -> Stream:
    match entry:
        case {"tap_stream_id": str(id)} | {"stream": str(id)} if id:
            return _named_stream(entry, id)
        case _:
            raise NotACatalog(f"stream {place} has no tap_stream_id")


def _named_stream(entry: Json, id: str) -> Stream:
    schema = entry.get("schema") or {}
    if not isinstance(schema, dict):
        raise NotACatalog(f'the schema of stream "{id}" is not an object')
    if not isinstance(entry.get("metadata") or [], list):
        raise NotACatalog(f'the metadata of stream "{id}" is not a list')
    said = dict(metadata_of(entry))
    root = said.pop((), {})
    name = str(entry.get("stream") or id)
    return Stream(
        id=id,
        name=name,
        aliases=_aliases(id, name, entry, root),
        schema=schema,
        properties=_properties(schema, said),
        key=_first_said(root.get("view-key-properties"), root.get("table-key-properties"), entry.get("key_properties")),
        replication=_replication(entry, root),
        offer=_offer(root, schema, entry),
        parent=next(iter(listed(root.get("parent-tap-stream-id"))), None),
    )


def _aliases(id: str, name: str, entry: Json, root: Json) -> frozenset[str]:
    """The names under which the stream's messages may come.

    Database taps put the schema or the database before the table's name; the catalog shows only the parts.
    """
    qualifiers = [*listed(root.get("schema-name")), *listed(root.get("database-name"))]
    qualified = (f"{qualifier}{mark}{name}" for qualifier, mark in product(qualifiers, "-_"))
    return frozenset((id, name, *listed(entry.get("stream_alias")), *qualified))


def _properties(schema: Json, said: Mapping[Breadcrumb, Json]) -> tuple[Property, ...]:
    """Those of the schema, then those that only metadata knows; parents before children."""
    nodes = dict(nodes_of(schema))
    breadcrumbs = dict.fromkeys((*nodes, *sorted(said, key=len)))
    return tuple(
        Property(breadcrumb, names, nodes.get(breadcrumb), _offer(said.get(breadcrumb, {}), nodes.get(breadcrumb)))
        for breadcrumb in breadcrumbs
        if (names := names_in(breadcrumb))
    )


def _offer(*sayings: Any) -> Offer:
    """What several places say about the same thing; the first that says something counts."""

    def first(word: str, kind: type) -> Any:
        words = (said.get(word) for said in sayings if isinstance(said, dict))
        return next((word for word in words if isinstance(word, kind)), None)

    inclusion = first("inclusion", str)
    return Offer(
        inclusion=Inclusion(inclusion) if inclusion in set(Inclusion) else Inclusion.AVAILABLE,
        selected=first("selected", bool),
        selected_by_default=first("selected-by-default", bool),
    )


def _replication(entry: Json, root: Json) -> Replication:
    forced = _method(root.get("forced-replication-method"))
    method = forced or _method(root.get("replication-method")) or _method(entry.get("replication_method"))
    valid_keys = listed(root.get("valid-replication-keys"))
    keys = _first_said(root.get("replication-key"), entry.get("replication_key"))
    if method is None and keys:
        method = Method.INCREMENTAL
    if method is None and any(word in root or word in entry for word in OF_A_DATABASE):
        method = Method.FULL_TABLE
    if method is Method.INCREMENTAL:
        keys = keys or valid_keys
    return Replication(method, next(iter(keys), None), forced, valid_keys)


def _method(said: Any) -> Method | None:
    word = said.lower() if isinstance(said, str) else None
    return Method(word) if word in set(Method) else None


def _first_said(*sayings: Any) -> Names:
    return next(filter(None, map(listed, sayings)), ())
