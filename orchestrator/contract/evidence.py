"""What was observed of a tap: what it offers, what was asked of it, and what it said in each sync."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

TYPES = frozenset({"SCHEMA", "RECORD", "STATE", "ACTIVATE_VERSION", "BATCH"})
Message = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """A stream, and what was asked of it. `columns` are all that it has, `taken` those asked for; `method` is
    incremental, full_table, log_based or None, `cursor` the column that its bookmark follows."""

    id: str
    aliases: frozenset[str]
    schema: Mapping[str, Any]
    columns: frozenset[str]
    taken: frozenset[str]
    key: tuple[str, ...]
    method: str | None
    cursor: str | None
    selected: bool = True

    @property
    def is_incremental(self) -> bool:
        return self.method == "incremental"


@dataclass(frozen=True, slots=True)
class Discovery:
    """What came of asking twice what there is. `problem` is None when the first answer is a catalog."""

    problem: str | None
    drift: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sync:
    """What a tap said in one start. `foreign` are lines that are no message, `torn` what came after the last line;
    `cut` says why it was not heard out, and `leave` how many seconds it took to end when it was asked to.
    `log_leaks` and `leaks` are lines of its stderr and stdout with a secret in them, masked."""

    messages: tuple[Message, ...]
    foreign: tuple[str, ...] = ()
    torn: str = ""
    exit_code: int = 0
    cut: str | None = None
    leave: float | None = None
    log_leaks: tuple[str, ...] = ()
    leaks: tuple[str, ...] = ()
    last_words: str = ""

    @classmethod
    def read(cls, lines: Iterable[bytes], **observed: Any) -> "Sync":
        """Tells messages from other lines."""
        messages: list[Message] = []
        foreign: list[str] = []
        for line in lines:
            text = line.decode(errors="backslashreplace")
            message = _message(text)
            if message is not None:
                messages.append(message)
            elif text.strip():
                foreign.append(text)
        return cls(tuple(messages), tuple(foreign), **observed)

    def of(self, type: str, stream: Asked | None = None) -> Iterator[Message]:
        """The messages of a type, all of them or those of one stream."""
        for message in self.messages:
            if message["type"] == type and (stream is None or message.get("stream") in stream.aliases):
                yield message

    def rows(self, stream: Asked) -> list[Mapping[str, Any]]:
        return [message["record"] for message in self.of("RECORD", stream)]

    @property
    def states(self) -> list[Any]:
        return [message.get("value") for message in self.of("STATE")]

    @property
    def streams(self) -> frozenset[str]:
        """The names that its messages bear."""
        return frozenset(str(message["stream"]) for message in self.messages if message.get("stream"))


def _message(text: str) -> Message | None:
    """A message as the specification has it: an object of a known type; no NaN, which is no JSON."""
    try:
        message = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict) or message.get("type") not in TYPES:
        return None
    if message["type"] == "RECORD" and not isinstance(message.get("record"), dict):
        return None
    return message


def _refuse(constant: str) -> None:
    raise ValueError(constant)


@dataclass(frozen=True, slots=True)
class Narrowed:
    """A sync of one stream, without one of its columns (None: it has none that can be left out)."""

    sync: Sync
    stream: Asked
    without: str | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that was observed. What could not be tried is None.

    `asked` are the streams of the catalog, or those that were announced where there is none (`has_catalog`).
    `first` started from nothing, `resumed` from its last state; `stopped` was asked to end in the middle, and
    `mended` started from its last state; `bare` had an empty config, `refused` wrong secrets.
    """

    takes: frozenset[str]
    asked: tuple[Asked, ...]
    first: Sync
    discovery: Discovery | None = None
    resumed: Sync | None = None
    narrowed: Narrowed | None = None
    stopped: Sync | None = None
    mended: Sync | None = None
    bare: Sync | None = None
    refused: Sync | None = None
    has_catalog: bool = True

    @property
    def syncs(self) -> Iterator[Sync]:
        """Each start but those with a config that cannot work."""
        narrowed = self.narrowed.sync if self.narrowed else None
        return (sync for sync in (self.first, self.resumed, narrowed, self.stopped, self.mended) if sync)
