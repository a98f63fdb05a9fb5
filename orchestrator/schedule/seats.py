"""A flow as `up` knows it: when it has to be looked at, what it is due for, its run while that is at work, and what
such a run takes that others want, too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from orchestrator import durable
from orchestrator.actions.scheduled import begin_schedule, past_of, schedule_of
from orchestrator.cadence.queue import DueFlow
from orchestrator.cadence.turn import Past, due_since, turn
from orchestrator.config import Config, Flow
from orchestrator.paths import Paths
from orchestrator.schedule.children import Child
from orchestrator.state import Plans, Runs, Status

_A_MOMENT = timedelta(seconds=1)
LONG_AGO = datetime.min.replace(tzinfo=UTC)
WORKER = "a worker"
"""Every run of a schedule takes one."""


@dataclass(slots=True)
class Seat:
    """A flow of orchestrator.toml, or one that `is_gone` from there and whose run is at work.

    `takes` is what its run takes, see `cadence.queue`. `due` is set while its turn waits. Before `rests_until` nothing
    has to be looked at.
    """

    paths: Paths
    flow: Flow
    takes: tuple[str, ...] = ()
    child: Child | None = None
    due: DueFlow | None = None
    rests_until: datetime = LONG_AGO
    is_gone: bool = False
    _past: Past | None = None
    _mark: tuple[int, ...] = ()
    _newest: int = 0
    _runs: Runs = field(init=False)
    _running: Path = field(init=False)

    def __post_init__(self) -> None:
        # Made once: of a thousand flows they are asked for all the time.
        self._runs, self._running = Runs(self.paths, self.flow.name), self.paths.running(self.flow.name)

    def look(self, now: datetime) -> None:
        """Sees whether it is due. While it waits, also for somebody else's run of it, it is looked at each second."""
        name, self.due = self.flow.name, None
        self.rests_until = now + _A_MOMENT
        if Plans(self.paths).paused(name) or self.is_at_work():
            return
        schedule, past = schedule_of(self.flow), self.past(now)
        due = turn(schedule, self.flow.retries, name, past, now)
        if due.time is None:
            self.rests_until = due.wait
        else:
            since = due_since(schedule, past, due.time)
            self.due = DueFlow(name, due.time, since, self.flow.priority, self.takes)

    def is_at_work(self) -> bool:
        """Whether a run of it is, ours or somebody else's."""
        return self.child is not None or durable.holder(self._running) is not None

    def past(self, now: datetime) -> Past:
        """What became of it so far. Read again when something did."""
        if self.is_at_work():
            # That a run was killed is written nowhere.
            self._past = None
            return past_of(self.paths, self.flow, now)
        if self._past is None or self._runs.mark(self._newest) != self._mark:
            self._newest = max(self._runs.numbers(), default=0)
            # Looked at before it is read: what happens in between is seen the next time.
            self._mark = self._runs.mark(self._newest)
            self._past = past_of(self.paths, self.flow, now)
        return self._past

    def forget(self) -> None:
        """Lets everything be read again, at once."""
        self._past, self.due, self.rests_until = None, None, LONG_AGO

    def taken_by_others(self) -> Sequence[str]:
        """What a run of it takes that somebody else started; nothing where there is none. One that was started for its
        schedule takes a worker."""
        if self.child is not None or not self.is_at_work():
            return ()
        run = self._runs.last()
        was_due = run is not None and run.status is Status.RUNNING and run.due is not None
        return self.takes if was_due else [thing for thing in self.takes if thing != WORKER]


def seats_of(paths: Paths, config: Config, before: Mapping[str, Seat], now: datetime) -> dict[str, Seat]:
    """A seat for each flow; and for those that are gone and at work, until they end."""
    seats = {
        name: replace(seat, flow=replace(seat.flow, schedule=None), is_gone=True)
        for name, seat in before.items()
        if seat.child is not None
    }
    for flow in config.flows.values():
        if flow.schedule is not None:
            begin_schedule(paths, flow, now)
        seats[flow.name] = Seat(
            paths, flow, _takes(config, flow), child=before[flow.name].child if flow.name in before else None
        )
    return seats


def most_of(config: Config) -> dict[str, int]:
    """How many runs may take a thing at once, where that is said."""
    most: dict[str, int] = {}
    for tap in config.taps.values():
        if tap.max_runs is not None:
            most[_tap(tap.id)] = tap.max_runs
    for destination in config.destinations.values():
        if destination.max_runs is not None:
            place = _place(config, destination.id)
            most[place] = min(destination.max_runs, most.get(place, destination.max_runs))
    return most


def _takes(config: Config, flow: Flow) -> tuple[str, ...]:
    return _tap(flow.tap), _place(config, flow.destination), WORKER


def _tap(id: str) -> str:
    return f"tap {id}"


def _place(config: Config, id: str) -> str:
    """A destination, by the first name of its path: two of them may be one file."""
    path = config.destination(id).path
    return f"destination {next(each.id for each in config.destinations.values() if each.path == path)}"
