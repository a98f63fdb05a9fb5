"""What a verb says while it works, and who listens. Nothing here prints."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a longer job is done; `seconds` it took, None where that says nothing."""

    text: str
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """Something a person should know; the work goes on."""

    text: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """The work stands still until `reason` is over."""

    reason: str


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A tap was started."""

    flow: str
    run: int
    tap: str
    destination: str
    pid: int


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands: rows read and committed so far, and the bookmark of the last commit, per stream."""

    flow: str
    run: int
    seconds: float
    read: Mapping[str, int] = field(default_factory=dict)
    committed: Mapping[str, int] = field(default_factory=dict)
    bookmarks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Committed:
    """Rows and state settled together at the destination."""

    flow: str
    run: int
    number: int
    rows: Mapping[str, int]


Event = Step | Note | Waiting | RunStarted | Progress | Committed
Listener = Callable[[Event], None]


def nobody(event: Event) -> None:
    """Listens to nothing."""
