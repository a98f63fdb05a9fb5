"""`up`: looks whose turn it is, starts their runs as children, and waits until something changes.

What it knows it can lose: which times were seen to stands in the records of the runs, and a child goes on without it.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from orchestrator import durable
from orchestrator.actions.scheduled import begin_schedule, past_of, schedule_of
from orchestrator.cadence.turn import TOO_MANY, Past, turn
from orchestrator.clock import rfc3339
from orchestrator.config import Config, Flow, read_config
from orchestrator.errors import AlreadyRunning, OrchestratorError
from orchestrator.events import Listener, Note
from orchestrator.paths import Paths
from orchestrator.schedule.children import Child
from orchestrator.state import Pause, Plans, Runs
from orchestrator.supervisor.stopping import Stop

LONGEST_SLEEP = 1.0
"""Seconds. A clock that is set and a changed orchestrator.toml are seen so soon."""
SHORTEST_SLEEP = 0.02
_WATCHING = 0.1
"""The same while runs are at work: it is how late their end is seen."""
_A_MOMENT = timedelta(seconds=1)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
BUSY = 5
"""The exit code of a run that found another one of its flow at work."""
_STOPPED = (130, 143, -signal.SIGINT, -signal.SIGTERM)
"""Those of one that was asked to stop."""


@contextmanager
def only_up(paths: Paths) -> Iterator[None]:
    """Holds the lock of whoever keeps the schedules of a workspace. Raises AlreadyRunning."""
    try:
        with durable.lock(paths.up, note=f"pid {os.getpid()}"):
            yield
    except durable.Held as held:
        raise AlreadyRunning(
            f"the schedules of this workspace are kept already ({held.note})",
            data="nothing was changed",
            hint="orchestrator status",
        ) from held


@dataclass(slots=True)
class _Seat:
    """A flow that has a schedule, or whose run is at work. `past` is None until it is read; before `rests_until`
    nothing has to be looked at."""

    flow: Flow
    past: Past | None = None
    child: Child | None = None
    rests_until: datetime = _LONG_AGO


@dataclass(slots=True)
class Up:
    """The schedules of one workspace. `workers` runs are at work at once at most."""

    paths: Paths
    workers: int
    listen: Listener
    start: Callable[[str, datetime], Child]
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _seats: dict[str, _Seat] = field(default_factory=dict)
    _read: tuple[int, int] | None = None

    def run(self, stop: Stop) -> None:
        """Keeps the schedules until it is asked to stop; then its runs stop after their next commit. Raises
        AlreadyRunning."""
        with only_up(self.paths), stop.on_signals():
            self.listen(Note(f"up with {self.workers} workers (pid {os.getpid()}); Ctrl-C stops"))
            while not stop:
                self.look()
                self._sleep()
            for seat in self._at_work():
                assert seat.child is not None
                seat.child.ask_to_stop()
            while self._at_work():
                self._reap()
                time.sleep(SHORTEST_SLEEP)

    def look(self) -> None:
        """Sees what ended and what changed, and starts what is due, as long as workers are free: who waited longest
        goes first."""
        self._reap()
        self._take_in_changes()
        now = self.now()
        due = [
            (seat, time)
            for seat in self._seats.values()
            if seat.child is None and seat.rests_until <= now and (time := self._due(seat, now)) is not None
        ]
        due.sort(key=lambda each: each[0].past.since if each[0].past else now)
        for seat, time in due[: max(0, self.workers - len(self._at_work()))]:
            seat.child = self.start(seat.flow.name, time)
            self.listen(Note(f"{seat.flow.name} started for {rfc3339(time)} (pid {seat.child.pid})"))

    def _due(self, seat: _Seat, now: datetime) -> datetime | None:
        """The time that a flow is to be started for now."""
        name = seat.flow.name
        if Plans(self.paths).paused(name) or durable.holder(self.paths.running(name)) is not None:
            seat.past, seat.rests_until = None, now + _A_MOMENT
            return None
        if seat.past is None:
            seat.past = past_of(self.paths, seat.flow, now)
        due = turn(schedule_of(seat.flow), seat.flow.retries, name, seat.past, now)
        if due.time is None:
            seat.rests_until = due.wait
        return due.time

    def _reap(self) -> None:
        for seat in self._at_work():
            child = seat.child
            assert child is not None
            exit_code = child.exit_code()
            if exit_code is None:
                continue
            seat.child, seat.past = None, None
            if seat.flow.schedule is None:
                del self._seats[seat.flow.name]
            if exit_code == BUSY:
                # Somebody else runs it: it is looked at again in a moment.
                seat.rests_until = self.now() + _A_MOMENT
                continue
            self._settle(seat, child, exit_code)

    def _settle(self, seat: _Seat, child: Child, exit_code: int) -> None:
        """Tells how a run ended. One that could not even begin is written down, so that it counts as one."""
        name = seat.flow.name
        if exit_code and exit_code not in _STOPPED:
            self._write_down(seat.flow, child, exit_code)
        self.listen(Note(f"{name} ended {'well' if exit_code == 0 else f'with exit code {exit_code}'}"))
        if seat.flow.schedule is None:
            return
        past = past_of(self.paths, seat.flow, self.now())
        if past.in_a_row and past.in_a_row % TOO_MANY == 0:
            why = f"it failed {past.in_a_row} times in a row"
            Plans(self.paths).pause(name, Pause(rfc3339(self.now()), why))
            self.listen(Note(f"{name} is paused: {why}; orchestrator resume {name}"))
        elif past.last is not None and past.last.is_final:
            self.listen(Note(f"{name} needs you: orchestrator status {name}"))

    def _write_down(self, flow: Flow, child: Child, exit_code: int) -> None:
        """A run that could not even begin left no record; without one it would be started again and again."""
        due, runs = child.due.isoformat(), Runs(self.paths, flow.name)
        try:
            with durable.lock(self.paths.running(flow.name), note=f"pid {os.getpid()}"):
                last = runs.last()
                if last is None or last.pid != child.pid:
                    runs.refused(flow.tap, flow.destination, due, child.failure(), exit_code)
        except durable.Held:
            # Somebody runs it by hand, which is better.
            return

    def _take_in_changes(self) -> None:
        """Follows orchestrator.toml. While it cannot be meant, what it said before holds."""
        try:
            known = self.paths.config.stat()
            seen = (known.st_mtime_ns, known.st_size)
        except OSError:
            return
        if seen == self._read:
            return
        first, self._read = self._read is None, seen
        try:
            config = read_config(self.paths.config)
        except OrchestratorError as error:
            if first:
                raise
            said = " ".join(filter(None, (error.message, error.cause)))
            self.listen(Note(f"orchestrator.toml cannot be meant, so what it said before holds: {said}"))
            return
        self._seats = self._seated(config)
        count = sum(seat.flow.schedule is not None for seat in self._seats.values())
        self.listen(Note(f"orchestrator.toml says {count} schedule{'' if count == 1 else 's'}"))

    def _seated(self, config: Config) -> dict[str, _Seat]:
        """A seat for each flow that has a schedule; and for those that are at work and have none any more, or are gone,
        until they end."""
        seats = {seat.flow.name: _Seat(replace(seat.flow, schedule=None), child=seat.child) for seat in self._at_work()}
        for flow in config.flows.values():
            if flow.schedule is not None:
                begin_schedule(self.paths, flow, self.now())
                child = seats[flow.name].child if flow.name in seats else None
                seats[flow.name] = _Seat(flow, child=child)
        return seats

    def _at_work(self) -> list[_Seat]:
        return [seat for seat in self._seats.values() if seat.child is not None]

    def _sleep(self) -> None:
        rests = [seat.rests_until for seat in self._seats.values() if seat.child is None]
        until = (min(rests) - self.now()).total_seconds() if rests else LONGEST_SLEEP
        longest = _WATCHING if self._at_work() else LONGEST_SLEEP
        time.sleep(min(longest, max(SHORTEST_SLEEP, until)))
