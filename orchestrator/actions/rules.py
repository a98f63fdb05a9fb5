"""How the rows of each stream settle: what a person set, over what the catalog says."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from orchestrator.catalogs import Choice, matches, settings_of
from orchestrator.config import WHOLE, Mode, Nesting, StreamSettings, Tap
from orchestrator.load.table import settled
from orchestrator.protocol.messages import Schema


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for each stream, by the names that its messages may bear.

    `settings` are those of a person, also by patterns of names; `replication` is what the catalog says and `ids` are
    its names of the streams. `nesting` is that of a stream whose settings do not tell.
    """

    settings: Mapping[str, StreamSettings] = field(default_factory=dict)
    replication: Mapping[str, str] = field(default_factory=dict)
    ids: Mapping[str, str] = field(default_factory=dict)
    nesting: Nesting = WHOLE

    def settling(self, schema: Schema, mode: Mode) -> tuple[Mode, tuple[str, ...]]:
        """How the rows of a stream settle in a flow of that mode, and by which key."""
        said = self._settings_of(schema.stream).key
        key = schema.key if said is None else said
        return settled(mode, key, self.replication_of(schema.stream)), key

    def id(self, stream: str) -> str:
        """The catalog's name of a stream; its own where the catalog knows none."""
        return self.ids.get(stream, stream)

    def replication_of(self, stream: str) -> str | None:
        return self._settings_of(stream).replication or self.replication.get(stream)

    def nesting_of(self, stream: str) -> Nesting:
        said = self._settings_of(stream)
        return Nesting(
            self.nesting.nested if said.nested is None else said.nested,
            self.nesting.flatten if said.flatten is None else said.flatten,
        )

    def _settings_of(self, stream: str) -> StreamSettings:
        if stream in self.settings:
            return self.settings[stream]
        found = (settings for pattern, settings in self.settings.items() if matches(pattern, stream))
        return next(found, StreamSettings())


def rules_of(tap: Tap, choices: tuple[Choice, ...]) -> Rules:
    """`choices` are empty for a tap without a catalog."""
    streams = [choice.stream for choice in choices]
    replication: dict[str, str] = {}
    for choice in choices:
        if choice.replication.method is not None:
            replication |= dict.fromkeys(choice.stream.aliases, choice.replication.method.value)
    # A name that two streams may bear tells neither.
    bearers = Counter(alias for stream in streams for alias in stream.aliases)
    return Rules(
        settings={**tap.streams, **dict(_settings(tap, choices))},
        replication=replication,
        ids={alias: stream.id for stream in streams for alias in stream.aliases if bearers[alias] == 1},
        nesting=tap.nesting,
    )


def _settings(tap: Tap, choices: tuple[Choice, ...]) -> Iterator[tuple[str, StreamSettings]]:
    """What a person set for each stream of the catalog, under each name that its messages may bear."""
    for stream in (choice.stream for choice in choices):
        for alias in stream.aliases:
            yield alias, settings_of(stream, tap.streams)
