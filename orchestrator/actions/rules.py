"""How the rows of each stream settle: what a person set, over what the catalog says."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from orchestrator.catalogs import Choice
from orchestrator.config import Mode, StreamSettings, Tap
from orchestrator.load.table import settled
from orchestrator.protocol.messages import Schema


@dataclass(frozen=True, slots=True)
class Rules:
    """Each by the names that the messages of a stream may bear.

    `keys` and `replication` count more than what a SCHEMA says. `ids` are the catalog's names of the streams.
    """

    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    replication: Mapping[str, str] = field(default_factory=dict)
    ids: Mapping[str, str] = field(default_factory=dict)

    def settling(self, schema: Schema, mode: Mode) -> tuple[Mode, tuple[str, ...]]:
        """How the rows of a stream settle in a flow of that mode, and by which key."""
        key = self.keys.get(schema.stream, schema.key)
        return settled(mode, key, self.replication.get(schema.stream)), key

    def id(self, stream: str) -> str:
        """The catalog's name of a stream; its own where the catalog knows none."""
        return self.ids.get(stream, stream)


def rules_of(tap: Tap, choices: tuple[Choice, ...]) -> Rules:
    """`choices` are empty for a tap without a catalog."""
    streams = [choice.stream for choice in choices]
    replication: dict[str, str] = {}
    for choice in choices:
        if choice.replication.method is not None:
            replication |= dict.fromkeys(choice.stream.aliases, choice.replication.method.value)
    settings = list(_settings(tap, choices))
    # A name that two streams may bear tells neither.
    bearers = Counter(alias for stream in streams for alias in stream.aliases)
    return Rules(
        keys={name: said.key for name, said in settings if said.key is not None},
        replication=replication | {name: said.replication for name, said in settings if said.replication is not None},
        ids={alias: stream.id for stream in streams for alias in stream.aliases if bearers[alias] == 1},
    )


def _settings(tap: Tap, choices: tuple[Choice, ...]) -> Iterator[tuple[str, StreamSettings]]:
    """What a person set for a stream, under each name that its messages may bear."""
    for name, settings in tap.streams.items():
        aliases = [choice.stream.aliases for choice in choices if name in choice.stream.aliases]
        for alias in {name}.union(*aliases):
            yield alias, settings
