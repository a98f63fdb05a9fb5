"""Has it told what becomes of flows: by a courier, a process of its own, so that no service can hold up a schedule."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator import durable
from orchestrator.actions.take_notice import send_courier
from orchestrator.paths import Paths

BETWEEN_LOOKS = timedelta(minutes=1)
"""So often somebody looks for what no run tells of itself: flows that are late or paused, runs that were killed, and
messages that nobody took."""


@dataclass(slots=True)
class Messenger:
    """`wanted` is whether anybody is to be told of anything."""

    paths: Paths
    send: Callable[[Paths], None] = send_courier
    wanted: bool = False
    _next: datetime | None = None

    def hurry(self) -> None:
        """Something happened that may have to be told: the next look sends a courier."""
        self._next = None

    def look(self, now: datetime) -> None:
        """Sends a courier if it is time, and none is on the way."""
        is_early = self._next is not None and self._next - BETWEEN_LOOKS <= now < self._next
        if not self.wanted or is_early or durable.holder(self.paths.courier) is not None:
            return
        self._next = now + BETWEEN_LOOKS
        self.send(self.paths)
