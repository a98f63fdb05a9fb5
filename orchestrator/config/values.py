"""What orchestrator.toml says, as frozen values."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, TypeVar

from orchestrator.errors import UnknownName

COMMIT_ROWS = 1_000_000
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


class OnBadLine(StrEnum):
    """What becomes of a line that is no message, or whose record cannot land."""

    FAIL = "fail"
    """It ends the run, with an error that names it."""
    QUARANTINE = "quarantine"
    """It goes to the table `_orchestrator.quarantine`, and the run goes on."""


class Validate(StrEnum):
    """How much of its SCHEMA a record has to keep."""

    TYPES = "types"
    """The types of its columns, as far as no wider type keeps the value."""
    FULL = "full"
    """All of the JSON Schema: enum, required, maxLength, format and whatever else it says."""


@dataclass(frozen=True, slots=True)
class Scrutiny:
    """How closely lines are looked at, and what becomes of those that fail."""

    on_bad_line: OnBadLine = OnBadLine.FAIL
    validate: Validate = Validate.TYPES


USUAL_SCRUTINY = Scrutiny()


class Nested(StrEnum):
    """As what objects and arrays land."""

    JSON = "json"
    """As the text that the tap wrote."""
    STRUCT = "struct"
    """As structs and lists, where the SCHEMA tells their members and items."""


@dataclass(frozen=True, slots=True)
class Nesting:
    """What becomes of nested values. Objects give their members columns of their own for `flatten` levels; what is
    deeper lands as `nested` says."""

    nested: Nested = Nested.JSON
    flatten: int = 0


WHOLE = Nesting()
"""Each nested value as one JSON text."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a secret is kept, in place of the secret: `{ secret = "NAME" }` in the vault, `{ env = "NAME" }`,
    `{ file = "PATH" }`, or `{ command = ["PROGRAM", "ARGUMENT"] }`, which prints it."""

    kind: str
    name: str | tuple[str, ...]

    def __str__(self) -> str:
        """As it is written in the file."""
        return f"{{ {self.kind} = {json.dumps(self.name, ensure_ascii=False)} }}"


class Sandbox(StrEnum):
    """How a tap is kept to what it may reach of this machine."""

    AUTO = "auto"
    """By Landlock where the kernel has it; else it reaches what we do."""
    LANDLOCK = "landlock"
    """By the kernel. Where it cannot, the tap is not started."""
    BUBBLEWRAP = "bubblewrap"
    """By bwrap: the rest of the machine is not there for it, and no other process. Where that is not there or cannot,
    the tap is not started."""
    NONE = "none"
    """It reaches what we do."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a tap may take, together with all that it started: sizes in bytes, times in seconds; None is no limit."""

    timeout: float | None = None
    """From its start to its end."""
    idle_timeout: float | None = None
    """Without a word of it, though somebody listens."""
    memory: int | None = None
    cpu_time: float | None = None
    processes: int | None = None
    """At the same time."""
    open_files: int | None = None
    """In each of its processes."""
    log_size: int = 100_000_000
    batch_size: int = 10_000_000_000
    """Of what comes of one file that a BATCH names, unpacked."""
    batch_ratio: int = 200
    """So many times its size may come of such a file, beyond its first 100 MB."""


USUAL_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """What a person decided about one stream, over what the tap's catalog says."""

    replication: str | None = None
    cursor: str | None = None
    key: tuple[str, ...] | None = None
    nested: Nested | None = None
    flatten: int | None = None


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
    build_constraints: tuple[str, ...] = ()
    no_build: bool = False
    exclude_newer: str | None = None
    executable: str | None = None
    select: tuple[str, ...] = ()
    config_in: str = "memory"
    """Where the tap finds its config: `memory`, which no disk ever sees, or a `file` for one that rewrites it."""
    config: Mapping[str, Any] = field(default_factory=dict)
    env: Mapping[str, str | Reference] = field(default_factory=dict)
    """Variables of the environment that the tap is given, beside those that every tap may see."""
    nesting: Nesting = WHOLE
    """`nested` and `flatten` in the file: of each stream that says nothing else."""
    streams: Mapping[str, StreamSettings] = field(default_factory=dict)
    limits: Limits = USUAL_LIMITS
    sandbox: Sandbox = Sandbox.AUTO
    allow_read: tuple[Path, ...] = ()
    """Folders and files that it may read, beside those that it needs and those that it is told of."""
    allow_write: tuple[Path, ...] = ()
    max_runs: int | None = None
    """So many of its runs are at work at once at most, as far as schedules start them; None: as many as there are."""
    namesakes: tuple[str, ...] = ()
    """Other taps whose names begin with its own, as `pg-eu` does with `pg`."""

    def variable(self, *keys: str) -> str:
        """The variable of the environment that goes before what is written of a setting.

        `TAP_PG_EU_HOST` is the `host` of `pg-eu`; where there is such a tap, `eu_host` of `pg` is `TAP_PG__EU_HOST`.
        """
        own, name = beginning_of_variables(self.id), _as_variable("_".join(keys))
        is_of_another = any(f"{own}{name}".startswith(beginning_of_variables(each)) for each in self.namesakes)
        return f"{own}_{name}" if is_of_another else f"{own}{name}"


def beginning_of_variables(tap: str) -> str:
    """What the variables for the settings of a tap begin with."""
    return f"TAP_{_as_variable(tap)}_"


def _as_variable(name: str) -> str:
    return re.sub(r"\W", "_", name, flags=re.ASCII).upper()


@dataclass(frozen=True, slots=True)
class Destination:
    """One `[destinations.ID]`. `path` is absolute; `schema` may hold `{flow}` and `{tap}`; `max_runs` is that of a tap,
    for runs into this path."""

    id: str
    type: str
    path: Path
    schema: str = "{flow}"
    max_runs: int | None = None


class CatchUp(StrEnum):
    """Which of the due times count that passed while nobody was there to start a run."""

    NONE = "none"
    """None: the flow waits for the next one."""
    ONE = "one"
    """All of them together, for one run."""
    ALL = "all"
    """Each, one after the other."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a flow is due: `every` so many seconds, or at the times that `cron` says in the zone `tz`. It starts up to
    `jitter` seconds later."""

    every: float | None = None
    cron: str = ""
    tz: str = "UTC"
    jitter: float = 0.0
    catch_up: CatchUp = CatchUp.ONE


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a scheduled run is started in all for the same due time while it fails, and the seconds between: the
    first `backoff`, then twice as many each time, up to `max`."""

    attempts: int = 3
    backoff: float = 30.0
    max: float = 600.0


@dataclass(frozen=True, slots=True)
class Retention:
    """How much of the past is kept for each flow: runs with their logs, and archives of messages. `age` is how old a
    run may get, in seconds; None: as old as it likes."""

    runs: int = 1000
    archives: int = 20
    age: float | None = None


@dataclass(frozen=True, slots=True)
class Flow:
    """One `[[flows]]`: from one tap to one destination. Times are in seconds. `freshness` is how old its last commit
    may be, None: as old as its schedule leaves it; `retention` is that of all flows with its own over it. Of the
    flows that are due, those with more `priority` are started first; one that comes `after` others waits until they had
    their runs."""

    name: str
    tap: str
    destination: str
    mode: Mode = Mode.AUTO
    commit_rows: int = COMMIT_ROWS
    commit_seconds: float = COMMIT_SECONDS
    scrutiny: Scrutiny = USUAL_SCRUTINY
    schedule: Schedule | None = None
    freshness: float | None = None
    retries: Retries = Retries()
    retention: Retention = Retention()
    priority: int = 0
    after: tuple[str, ...] = ()


class Occasion(StrEnum):
    """What a person may want to be told of a flow."""

    FAILED = "failed"
    """Its run failed, and is not tried again."""
    LATE = "late"
    """Its last commit is older than its schedule, or its `freshness`, wants it."""
    PAUSED = "paused"
    """Its schedule rests."""
    SCHEMA_CHANGE = "schema_change"
    """A stream has other columns, or another key, than before."""
    RECOVERED = "recovered"
    """What was told of is over."""


@dataclass(frozen=True, slots=True)
class Notify:
    """One `[[notify]]`: who is told, at the address `to`, on which occasions, of which flows (names or patterns)."""

    name: str
    to: str | Reference
    on: tuple[Occasion, ...] = tuple(Occasion)
    flows: tuple[str, ...] = ("*",)

    def wants(self, occasion: Occasion, flow: str) -> bool:
        return occasion in self.on and any(fnmatchcase(flow, pattern) for pattern in self.flows)


@dataclass(frozen=True, slots=True)
class Hub:
    """The public index of taps that is asked about them, by its address."""

    url: str = "https://hub.meltano.com"


@dataclass(frozen=True, slots=True)
class Config:
    """A whole orchestrator.toml. What is asked for by name and is not there raises UnknownName."""

    taps: Mapping[str, Tap]
    destinations: Mapping[str, Destination]
    flows: Mapping[str, Flow]
    hub: Hub = Hub()
    notify: tuple[Notify, ...] = ()

    def tap(self, id: str) -> Tap:
        return _named("tap", id, self.taps)

    def destination(self, id: str) -> Destination:
        return _named("destination", id, self.destinations)

    def flow(self, name: str) -> Flow:
        return _named("flow", name, self.flows)


Named = TypeVar("Named", Tap, Destination, Flow)


def _named(kind: str, name: str, known: Mapping[str, Named]) -> Named:
    if name in known:
        return known[name]
    near = closest(name, known)
    raise UnknownName(
        f'there is no {kind} "{name}" in orchestrator.toml',
        cause=f"it has {', '.join(known)}" if known else f"it has no {kind} yet",
        hint=f'did you mean "{near}"?' if near else _LISTED_BY[kind],
    )


_LISTED_BY = {"tap": "orchestrator taps", "flow": "orchestrator status", "destination": "orchestrator doctor"}


def closest(word: str, choices: Iterable[str]) -> str | None:
    """The one of `choices` that somebody who wrote `word` may have meant, or None."""
    # Only somebody who mistyped pays for the import.
    from difflib import get_close_matches

    lowered = {choice.lower(): choice for choice in choices}
    near = get_close_matches(word.lower(), lowered, n=1)
    return lowered[near[0]] if near else None
