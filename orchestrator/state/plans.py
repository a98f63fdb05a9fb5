"""What is remembered of a flow's schedule: since when it holds, and whether it is paused."""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from orchestrator import durable
from orchestrator.paths import Paths


@dataclass(frozen=True, slots=True)
class Pause:
    """A schedule that rests. `at` is RFC 3339."""

    at: str
    why: str


@dataclass(frozen=True, slots=True)
class _Planned:
    schedule: str
    since: datetime


class Plans:
    """The schedules of the flows of a workspace, as far as they are remembered in `state/<flow>/`."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths

    def began(self, flow: str, schedule: str) -> datetime | None:
        """Since when a flow has this schedule; None for one that is new or was changed."""
        try:
            known = msgspec.json.decode(self._paths.planned(flow).read_bytes(), type=_Planned)
        except (FileNotFoundError, msgspec.DecodeError):
            return None
        return known.since if known.schedule == schedule else None

    def begin(self, flow: str, schedule: str, now: datetime) -> None:
        """A flow has this schedule from now on: times before are nobody's to catch up."""
        durable.write(self._paths.planned(flow), msgspec.json.encode(_Planned(schedule, now)) + b"\n")

    def paused(self, flow: str) -> Pause | None:
        """Why a flow rests; None where it does not. One whose file is damaged rests, because somebody wanted it to."""
        path = self._paths.pause(flow)
        try:
            return msgspec.json.decode(path.read_bytes(), type=Pause)
        except FileNotFoundError:
            return None
        except msgspec.DecodeError:
            return Pause("", f"{path} is not what was written; orchestrator resume {flow} removes it")

    def pause(self, flow: str, pause: Pause) -> None:
        durable.write(self._paths.pause(flow), msgspec.json.encode(pause) + b"\n")

    def resume(self, flow: str) -> bool:
        """Whether it was paused."""
        path = self._paths.pause(flow)
        there = path.exists()
        path.unlink(missing_ok=True)
        return there
