"""What changed from one catalog of a tap to the next; the order of things and the way they are written do not count."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from orchestrator.catalogs.dialects import Names
from orchestrator.catalogs.reading import Catalog, Replication, Stream


class Kind(StrEnum):
    STREAM_ADDED = "stream_added"
    STREAM_REMOVED = "stream_removed"
    PROPERTY_ADDED = "property_added"
    PROPERTY_REMOVED = "property_removed"
    TYPE_CHANGED = "type_changed"
    KEY_CHANGED = "key_changed"
    REPLICATION_CHANGED = "replication_changed"


SENTENCES: Mapping[Kind, str] = {
    Kind.STREAM_ADDED: "stream {place} is new",
    Kind.STREAM_REMOVED: "stream {place} is gone",
    Kind.PROPERTY_ADDED: "{place} is new: {after}",
    Kind.PROPERTY_REMOVED: "{place} is gone",
    Kind.TYPE_CHANGED: "{place} was {before}, is now {after}",
    Kind.KEY_CHANGED: "the key of {place} was {before}, is now {after}",
    Kind.REPLICATION_CHANGED: "{place} was read as {before}, is now {after}",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference, of the stream or of one of its properties; `before` and `after` are words where there are any."""

    kind: Kind
    stream: str
    property: str | None = None
    before: str | None = None
    after: str | None = None

    def __str__(self) -> str:
        place = self.stream if self.property is None else f"{self.stream}.{self.property}"
        return SENTENCES[self.kind].format(place=place, before=self.before, after=self.after)


def drift(old: Catalog | None, new: Catalog) -> tuple[Change, ...]:
    """The differences; where one thing explains others only that is told. A first catalog is no drift."""
    return () if old is None else tuple(_changes(old, new))


def _changes(old: Catalog, new: Catalog) -> Iterator[Change]:
    before = {stream.id: stream for stream in old.streams}
    after = {stream.id: stream for stream in new.streams}
    for id, stream in after.items():
        if id in before:
            yield from _changes_of(before[id], stream)
        else:
            yield Change(Kind.STREAM_ADDED, id)
    for id in before:
        if id not in after:
            yield Change(Kind.STREAM_REMOVED, id)


def _changes_of(old: Stream, new: Stream) -> Iterator[Change]:
    before, after = _types(old), _types(new)
    for names, type in after.items():
        if names not in before:
            if len(names) == 1 or names[:-1] in before:
                yield Change(Kind.PROPERTY_ADDED, new.id, ".".join(names), after=type)
        elif type != before[names]:
            yield Change(Kind.TYPE_CHANGED, new.id, ".".join(names), before[names], type)
    for names in before:
        if names not in after and (len(names) == 1 or names[:-1] in after):
            yield Change(Kind.PROPERTY_REMOVED, new.id, ".".join(names))
    if old.key != new.key:
        yield Change(Kind.KEY_CHANGED, new.id, None, ", ".join(old.key) or "none", ", ".join(new.key) or "none")
    if _read_as(old.replication) != _read_as(new.replication):
        yield Change(Kind.REPLICATION_CHANGED, new.id, None, _read_as(old.replication), _read_as(new.replication))


def _types(stream: Stream) -> dict[Names, str]:
    return {property.names: type_in_words(property.schema) for property in stream.properties}


def _read_as(replication: Replication) -> str:
    words = replication.method.words if replication.method else "the tap likes"
    return f"{words} by {replication.key}" if replication.key else words


def type_in_words(schema: Any) -> str:
    """The type of a property as people say it, the same however the schema puts it: "string (date-time) or null"."""
    words = _words(schema)
    return " or ".join((*sorted(words - {"null"}), *(words & {"null"}))) or "anything"


def _words(schema: Any) -> set[str]:
    if not isinstance(schema, dict):
        return set()
    alternatives = [*(schema.get("anyOf") or ()), *(schema.get("oneOf") or ())]
    types = schema.get("type")
    named = types if isinstance(types, list) else [types]
    words = {_word(type, schema) for type in named if isinstance(type, str)}
    return words.union(*map(_words, alternatives))


def _word(type: str, schema: Mapping[str, Any]) -> str:
    if type == "string" and schema.get("format"):
        return f"string ({schema['format']})"
    if type == "array" and "items" in schema:
        return f"array of {type_in_words(schema['items'])}"
    return type
