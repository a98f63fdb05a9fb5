"""Gives a flow a schedule, takes it away, lets it rest."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from orchestrator.actions.scheduled import schedule_of
from orchestrator.cadence.times import coming, explained
from orchestrator.clock import rfc3339
from orchestrator.config import Schedule, read_config
from orchestrator.paths import Paths
from orchestrator.state import Pause, Plans

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class FlowScheduled:
    """A flow that has a schedule, or None: `words` say it, `coming` are its next times, in RFC 3339."""

    flow: str
    schedule: Schedule | None
    words: str
    coming: tuple[str, ...]


def schedule_flow(
    paths: Paths, name: str, said: Mapping[str, Any] | None, place: Mapping[str, Any] | None = None
) -> FlowScheduled:
    """Writes `schedule = { … }` of a flow to orchestrator.toml: what it says there now with what is `said` over it, in
    the words of the file; None takes it out. `place` has its `priority` and whom it comes `after`, as far as they are
    to be others. Raises UnknownName, ConfigError."""
    # Only who edits pays for the import.
    from orchestrator.config.editing import set_flow
    from orchestrator.config.written import Written

    read_config(paths.config).flow(name)
    flows = Written.read(paths.config).document["flows"]
    before = next(flow for flow in flows if flow["name"] == name).get("schedule", {})
    schedule = None if said is None else _over(before, said)
    # Who only says its place has no schedule yet, and gets none.
    set_flow(paths.config, name, {**({} if schedule == {} else {"schedule": schedule}), **(place or {})})
    return scheduled(paths, name)


def _over(before: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """The one schedule with the other over it. An interval and cron times exclude each other."""
    gone = {"every", "cron", "tz"} if "every" in said or "cron" in said else set()
    return {**{key: value for key, value in before.items() if key not in gone}, **said}


def scheduled(paths: Paths, name: str) -> FlowScheduled:
    """The schedule of a flow, and when it is due next. Raises UnknownName."""
    flow = read_config(paths.config).flow(name)
    schedule = flow.schedule
    if schedule is None:
        return FlowScheduled(name, None, "no schedule", ())
    times = coming(schedule, datetime.now(UTC), _SHOWN)
    words = f"{explained(schedule)}, after {', '.join(flow.after)}" if flow.after else explained(schedule)
    return FlowScheduled(name, schedule, words, tuple(rfc3339(time) for time in times))


def pause_flow(paths: Paths, name: str, why: str = "somebody paused it") -> Pause:
    """Lets the schedule of a flow rest, until it is resumed. Raises UnknownName; UsageError for a flow without one."""
    schedule_of(read_config(paths.config).flow(name))
    pause = Pause(rfc3339(), why)
    Plans(paths).pause(name, pause)
    return pause


def resume_flow(paths: Paths, name: str) -> bool:
    """Whether it was paused. Raises UnknownName."""
    read_config(paths.config).flow(name)
    return Plans(paths).resume(name)
