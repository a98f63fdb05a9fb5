"""What was told of the flows of a workspace, and the messages that wait to be sent: `state/.notices.json`.

Whether something is told, and that it waits, is written down in one step; so each trouble becomes one message for each
who wants it, whenever anybody is killed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from orchestrator import durable
from orchestrator.cadence.incidents import Known
from orchestrator.paths import Paths
from orchestrator.state.disk import writing

_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message for whom [[notify]] calls `to`. It was tried so many times, and is again at `next`; `said` is why it
    was not taken."""

    id: str
    to: str
    title: str
    body: str
    at: datetime
    next: datetime
    attempts: int = 0
    said: str | None = None


@dataclass(frozen=True, slots=True)
class Noted:
    """All of it: by flow what was told, and the columns that were seen last; and what waits, oldest first."""

    known: Mapping[str, Known] = field(default_factory=dict)
    outlines: Mapping[str, str | None] = field(default_factory=dict)
    waiting: tuple[Waiting, ...] = ()


class Notices:
    """Whoever changes them waits for others who do."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths

    def read(self) -> Noted:
        """One that is damaged is begun anew: what still is wrong is then told again."""
        try:
            return msgspec.json.decode(self._paths.notices.read_bytes(), type=Noted)
        except (FileNotFoundError, msgspec.DecodeError):
            return Noted()

    def change(self, by: Callable[[Noted], Noted]) -> Noted:
        """Gives what they are then. Raises DestinationFull, RunFailed, and durable.Held if others do not let go."""
        path = self._paths.notices
        with writing("the notices", path), durable.lock(self._paths.notices_lock, wait=_PATIENCE):
            before = self.read()
            after = by(before)
            if after != before:
                durable.write(path, msgspec.json.format(msgspec.json.encode(after), indent=1) + b"\n")
            return after
