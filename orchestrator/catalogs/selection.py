"""Which streams and properties are taken, and how: a catalog, patterns and settings give one Choice per stream."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from orchestrator.catalogs.dialects import Names
from orchestrator.catalogs.patterns import Pattern, read_pattern, shortened, unknown
from orchestrator.catalogs.reading import Catalog, Inclusion, Method, Offer, Property, Replication, Stream
from orchestrator.config.values import StreamSettings, closest
from orchestrator.errors import ConfigError, UnknownName, UsageError

OF_A_LOG = "_sdc_lsn"
"""What the bookmark of a log-based stream follows. A tap of the Singer SDK goes on from its bookmark only where the
catalog says what that follows, and offers the table as it is read without a log; others do not ask.
https://github.com/MeltanoLabs/tap-postgres#log-based-replication"""


@dataclass(frozen=True, slots=True)
class Choice:
    """What is taken of one stream. `properties` are those that are taken if the stream is."""

    stream: Stream
    selected: bool
    properties: frozenset[Names]
    key: Names
    replication: Replication

    @property
    def columns(self) -> tuple[str, ...]:
        """The top-level properties that are taken, in the tap's order."""
        return tuple(name for name in self.all_columns if (name,) in self.properties)

    @property
    def all_columns(self) -> tuple[str, ...]:
        """The top-level properties that the tap knows, in its order."""
        return tuple(dict.fromkeys(property.names[0] for property in self.stream.properties))

    def settled_by(self, property: Property) -> str | None:
        """What decides about a property whatever is selected; None where a person chooses."""
        if property.names in {(name,) for name in self.key}:
            return "key"
        if property.names == (self.replication.key,):
            return "bookmark"
        return None if property.offer.inclusion is Inclusion.AVAILABLE else property.offer.inclusion.value

    @property
    def bookmark(self) -> str | None:
        """The property that the bookmark follows, where the stream is incremental."""
        return self.replication.key if self.replication.method is Method.INCREMENTAL else None


@dataclass(frozen=True, slots=True)
class Wish:
    """What the patterns say about one stream and its properties.

    `included` is None when no pattern includes anything anywhere. `partly` means that only properties were named.
    """

    included: bool | None
    excluded: bool
    partly: bool
    named: frozenset[Names]
    unwanted: frozenset[Names]


def choose(catalog: Catalog, patterns: Iterable[str], settings: Mapping[str, StreamSettings]) -> tuple[Choice, ...]:
    """One Choice for each stream of the catalog, in its order.

    Without a pattern that includes, it is what the tap selects by default; a pattern that excludes only takes away.
    The keys of `settings` are names or patterns of streams.

    Raises UnknownName for a pattern that finds nothing, ConfigError for settings that a stream cannot follow, and
    UsageError when nothing is left of a catalog that has streams.
    """
    asked = [read_pattern(text) for text in patterns]
    for pattern in asked:
        if not pattern.finds_something(catalog):
            raise unknown(pattern, catalog)
    for pattern in map(Pattern, settings):
        if not any(pattern.names_stream(stream) for stream in catalog.streams):
            raise unknown(pattern, catalog)
    by_default = _streams_by_default(catalog)
    choices = tuple(
        _choice(stream, _wish(stream, asked), settings_of(stream, settings), by_default=stream.id in by_default)
        for stream in catalog.streams
    )
    if choices and not any(choice.selected for choice in choices):
        raise UsageError(
            "no stream is left to take",
            cause=f"the selection is {' '.join(map(str, asked))}" if asked else "the tap supports none of its streams",
        )
    return choices


def _streams_by_default(catalog: Catalog) -> set[str]:
    """The ids of those that the tap takes by default; of all where it says so of none."""
    chosen = {stream.id for stream in catalog.streams if stream.offer.taken_by_default}
    return chosen or {stream.id for stream in catalog.streams}


def settings_of(stream: Stream, settings: Mapping[str, StreamSettings]) -> StreamSettings:
    """Those of `settings` that are for the stream. A name goes before a pattern, and the first pattern before the
    others."""
    names = sorted(settings, key=lambda name: name not in stream.aliases)
    return next((settings[name] for name in names if Pattern(name).names_stream(stream)), StreamSettings())


def _wish(stream: Stream, asked: Iterable[Pattern]) -> Wish:
    includes = [pattern for pattern in asked if not pattern.excludes]
    excludes = [pattern for pattern in asked if pattern.excludes]
    whole = any(pattern.names_stream(stream) for pattern in includes)
    named = frozenset[Names]().union(*(pattern.properties(stream) for pattern in includes))
    return Wish(
        included=(whole or bool(named)) if includes else None,
        excluded=any(pattern.names_stream(stream) for pattern in excludes),
        partly=bool(named) and not whole,
        named=named,
        unwanted=frozenset[Names]().union(*(pattern.properties(stream) for pattern in excludes)),
    )


def _choice(stream: Stream, wish: Wish, settings: StreamSettings, *, by_default: bool) -> Choice:
    key = stream.key if settings.key is None else settings.key
    for name in settings.key or ():
        _check_property(stream, name)
    replication = _replication(stream, settings)
    included = by_default if wish.included is None else wish.included
    return Choice(
        stream=stream,
        selected=included and not wish.excluded and stream.offer.inclusion is not Inclusion.UNSUPPORTED,
        properties=_properties(stream, wish, required={*key, replication.key}),
        key=key,
        replication=replication,
    )


def _properties(stream: Stream, wish: Wish, required: set[str | None]) -> frozenset[Names]:
    """The properties that are taken; `required` are names of top-level ones that a run cannot do without."""
    parents = {names[:depth] for names in wish.named for depth in range(1, len(names))}
    taken: set[Names] = set()
    left_out: set[Names] = set()
    for property in stream.properties:
        names, offer = property.names, property.offer
        if names[:-1] in left_out or offer.inclusion is Inclusion.UNSUPPORTED:
            wanted = False
        elif offer.inclusion is Inclusion.AUTOMATIC or (len(names) == 1 and names[0] in required):
            wanted = True
        elif names in wish.unwanted:
            wanted = False
        else:
            wanted = names in wish.named or names in parents or _follows(names, wish, offer)
        (taken if wanted else left_out).add(names)
    return frozenset(taken)


def _follows(names: Names, wish: Wish, offer: Offer) -> bool:
    """Whether a property that no pattern names is taken all the same: with its stream, or with a parent that is."""
    with_parent = any(names[:depth] in wish.named for depth in range(1, len(names)))
    return (with_parent or not wish.partly) and offer.taken_by_default is not False


def _replication(stream: Stream, settings: StreamSettings) -> Replication:
    """How the stream is read, with what a person decided over what the tap says."""
    offered = stream.replication
    asked = Method(settings.replication) if settings.replication else None
    # The position in a log is a column that the tap makes up; its catalog does not tell of it.
    if settings.cursor and asked is not Method.LOG_BASED:
        _check_property(stream, settings.cursor)
    if asked is None and settings.cursor:
        asked = Method.INCREMENTAL
    if asked and offered.forced and asked is not offered.forced:
        raise ConfigError(
            f'stream "{stream.id}" cannot be read as {asked.words}',
            cause=f"the tap reads it as {offered.forced.words} and leaves no choice",
            hint=f'remove replication and cursor of stream "{stream.id}" from orchestrator.toml',
        )
    key = settings.cursor or offered.key
    if (asked or offered.method) is Method.LOG_BASED:
        key = settings.cursor or (offered.key if offered.method is Method.LOG_BASED else None) or OF_A_LOG
    if asked is Method.INCREMENTAL:
        key = key or next(iter(offered.valid_keys), None)
        if key is None and not offered.forced:
            raise ConfigError(
                f'stream "{stream.id}" needs a cursor to be read as incremental',
                cause="the tap names no property that its bookmark could follow",
                hint=f'add cursor = "COLUMN" beside replication of stream "{stream.id}" in orchestrator.toml',
            )
    return replace(offered, method=asked or offered.method, key=key)


def _check_property(stream: Stream, name: str) -> None:
    """Raises UnknownName for a column that the tap does not know, where it knows any."""
    columns = [str(property) for property in stream.properties if len(property.names) == 1]
    if columns and name not in columns:
        near = closest(name, columns)
        raise UnknownName(
            f'stream "{stream.id}" has no property "{name}"',
            cause=f"it has {shortened(columns)}",
            hint=f'did you mean "{near}"?' if near else None,
        )
