"""orchestrator.toml, read once into frozen values; after that nobody asks the file or the environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

COMMIT_ROWS = 100_000
COMMIT_SECONDS = 10.0


class Mode(StrEnum):
    """How the rows of a stream settle in their table."""

    AUTO = "auto"
    """Upsert where the stream has a key; without one replace for full table, append for incremental."""
    UPSERT = "upsert"
    """One row per key; the last one wins."""
    APPEND = "append"
    """Every row is kept."""
    REPLACE = "replace"
    """The rows of a run take the place of those of earlier runs when it ends well."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a secret is kept, in place of the secret: `{ env = "NAME" }` or `{ file = "PATH" }`."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """What a person decided about one stream, over what the tap's catalog says."""

    replication: str | None = None
    cursor: str | None = None
    key: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Tap:
    """One `[taps.ID]`, with what it inherits already filled in.

    `environment` is the id of the tap whose environment it runs in: its own, or the one it inherits from.
    `config` may hold References anywhere in its values.
    """

    id: str
    package: str
    environment: str
    python: str | None = None
    extras: tuple[str, ...] = ()
    """`with` in the file: requirements installed beside the tap."""
    overrides: tuple[str, ...] = ()
    exclude_newer: str | None = None
    executable: str | None = None
    select: tuple[str, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    streams: Mapping[str, StreamSettings] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Destination:
    """One `[destinations.ID]`. `path` is absolute; `schema` may hold `{flow}` and `{tap}`."""

    id: str
    type: str
    path: Path
    schema: str = "{flow}"


@dataclass(frozen=True, slots=True)
class Flow:
    """One `[[flows]]`: from one tap to one destination. Times are in seconds."""

    name: str
    tap: str
    destination: str
    mode: Mode = Mode.AUTO
    commit_rows: int = COMMIT_ROWS
    commit_seconds: float = COMMIT_SECONDS


@dataclass(frozen=True, slots=True)
class Retention:
    """How much of the past is kept for each flow: runs with their logs, and archives of messages."""

    runs: int = 1000
    archives: int = 20


@dataclass(frozen=True, slots=True)
class Config:
    """A whole orchestrator.toml."""

    taps: Mapping[str, Tap]
    destinations: Mapping[str, Destination]
    flows: Mapping[str, Flow]
    retention: Retention = Retention()
