"""`up`: looks whose turn it is, starts their runs as children, and waits until something changes.

What it knows it can lose: which times were seen to stands in the records of the runs, and a child goes on without it.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from orchestrator import durable
from orchestrator.cadence.queue import DueFlow, Waiting, choose
from orchestrator.cadence.turn import has_had_its_run
from orchestrator.clock import rfc3339
from orchestrator.config import read_config
from orchestrator.errors import AlreadyRunning, OrchestratorError
from orchestrator.events import Listener, Note
from orchestrator.paths import Paths
from orchestrator.schedule.answering import Answering
from orchestrator.schedule.asking import Ask, AtWork, Overview, Question, Queued
from orchestrator.schedule.children import Child
from orchestrator.schedule.messenger import Messenger
from orchestrator.schedule.seats import LONG_AGO, WORKER, Seat, most_of, seats_of
from orchestrator.schedule.settling import BUSY, settle
from orchestrator.supervisor.stopping import Stop

LONGEST_SLEEP = 1.0
"""Seconds. A clock that is set and a changed orchestrator.toml are seen so soon."""
SHORTEST_SLEEP = 0.02
_WATCHING = 0.1
"""The same while runs are at work: it is how late their end is seen."""
_A_MOMENT = timedelta(seconds=1)


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
class Up:
    """The schedules of one workspace. `workers` runs are at work at once at most."""

    paths: Paths
    workers: int
    listen: Listener
    start: Callable[[str, datetime], Child]
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    waiting: tuple[Waiting, ...] = ()
    """Who is due and could not be started, in the order in which they will be."""
    _since: datetime = field(default_factory=lambda: datetime.now(UTC))
    _seats: dict[str, Seat] = field(default_factory=dict)
    _most: Mapping[str, int] = field(default_factory=dict)
    _others: Sequence[Sequence[str]] = ()
    _read: tuple[int, int] | None = None
    _looked: datetime = LONG_AGO
    _looked_around: datetime = LONG_AGO
    _trouble: str = ""
    _messenger: Messenger = field(init=False)

    def __post_init__(self) -> None:
        self._messenger = Messenger(self.paths)

    def run(self, stop: Stop) -> None:
        """Keeps the schedules until it is asked to stop; then its runs stop after their next commit. Raises
        AlreadyRunning."""

        def answer(question: Question) -> Overview:
            match question.ask:
                case Ask.DOWN:
                    stop.ask()
                case Ask.LOOK:
                    self._look_again(question.flow)
            return self.overview()

        with only_up(self.paths), stop.on_signals(), Answering(self.paths) as socket:
            self.listen(Note(f"up with {self.workers} workers (pid {os.getpid()}); Ctrl-C stops"))
            if socket.why_not:
                self.listen(Note(f"{self.paths.up_socket} cannot be made, so status cannot ask: {socket.why_not}"))
            self.look()
            while not stop:
                socket.wait(self.rest(), answer)
                self._look_through_trouble()
            for child in self.at_work():
                child.ask_to_stop()
            while self.at_work():
                self._reap()
                socket.wait(SHORTEST_SLEEP, answer)

    def _look_through_trouble(self) -> None:
        """A look that may fail: a disk may be full, or no process may be had. That passes, and flows are due as
        before."""
        try:
            self.look()
            self._trouble = ""
        except (OSError, OrchestratorError) as error:
            if str(error) != self._trouble:
                self.listen(Note(f"what is due cannot be seen to, and is tried again: {error}"))
            self._trouble = str(error)

    def look(self) -> None:
        """Sees what ended and what changed, and starts of what is due as much as there is room for."""
        self._reap()
        self._take_in_changes()
        now = self.now()
        if now < self._looked:
            # The clock was set back: what rests would rest for longer than it was meant to.
            self._look_again()
        self._looked = now
        self._look_around(now)
        for seat in self._seats.values():
            if seat.child is None and seat.flow.schedule is not None and seat.rests_until <= now:
                self._look_at(seat, now)
        while True:
            choice = choose(self._due(), self._taken(), self._most)
            self.waiting = choice.waits
            kept_free = [due.flow for due in choice.starts if not self._start(self._seats[due.flow], now)]
            if not kept_free:
                break
        self._messenger.look(now)

    def overview(self) -> Overview:
        """What it does at this moment."""
        return Overview(
            os.getpid(),
            rfc3339(self._since),
            self.workers,
            tuple(AtWork(run.flow, rfc3339(run.due), rfc3339(run.started), run.pid) for run in self.at_work()),
            tuple(
                Queued(each.due.flow, rfc3339(each.due.time), rfc3339(each.due.since), each.waits_for)
                for each in self.waiting
            ),
        )

    def at_work(self) -> list[Child]:
        """The runs that it started, and that did not end yet."""
        return [seat.child for seat in self._seats.values() if seat.child is not None]

    def rest(self) -> float:
        """For how many seconds nothing has to be looked at."""
        rests = [seat.rests_until for seat in self._seats.values() if seat.child is None and seat.flow.schedule]
        until = (min(rests) - self.now()).total_seconds() if rests else LONGEST_SLEEP
        return min(_WATCHING if self.at_work() else LONGEST_SLEEP, max(SHORTEST_SLEEP, until))

    def _look_at(self, seat: Seat, now: datetime) -> None:
        seat.look(now)
        if seat.due is not None:
            seat.due = replace(seat.due, awaits=self._awaited(seat, seat.due.time, now))

    def _awaited(self, seat: Seat, time: datetime, now: datetime) -> str | None:
        """The first of the flows that it comes after, and that did not have its run."""
        for name in seat.flow.after:
            other = self._seats[name]
            past = other.past(now)
            if not has_had_its_run(other.flow.schedule, past, time, seat.past(now).well):
                failed = past.last is not None and past.last.failed
                return f"{name}, which failed" if failed else name
        return None

    def _start(self, seat: Seat, now: datetime) -> bool:
        """Whether it was started. It may have waited for a while, and has its turn only if it still is due."""
        self._look_at(seat, now)
        if seat.due is None or seat.due.awaits is not None:
            return False
        time, seat.due = seat.due.time, None
        seat.child = self.start(seat.flow.name, time)
        self.listen(Note(f"{seat.flow.name} started for {rfc3339(time)} (pid {seat.child.pid})"))
        return True

    def _due(self) -> Iterator[DueFlow]:
        return (seat.due for seat in self._seats.values() if seat.due is not None)

    def _taken(self) -> Iterator[Sequence[str]]:
        yield from (seat.takes for seat in self._seats.values() if seat.child is not None)
        yield from self._others

    def _look_around(self, now: datetime) -> None:
        """Sees which flows somebody else runs: a person, or an `up` that was killed before."""
        if now < self._looked_around + _A_MOMENT:
            return
        self._looked_around = now
        self._others = [takes for seat in self._seats.values() if (takes := seat.taken_by_others())]

    def _look_again(self, flow: str | None = None) -> None:
        """Lets one flow, or all, be looked at without waiting for their time."""
        self._looked_around = LONG_AGO
        for name, seat in self._seats.items():
            if flow in (name, None):
                seat.forget()

    def _reap(self) -> None:
        """Sees which runs ended. Who comes after somebody is looked at again, too."""
        ended = [seat for seat in self._seats.values() if seat.child is not None and self._has_ended(seat, seat.child)]
        for seat in self._seats.values() if ended else ():
            if seat.due is not None and seat.due.awaits is not None:
                seat.rests_until = LONG_AGO
        for seat in ended:
            if seat.is_gone:
                del self._seats[seat.flow.name]

    def _has_ended(self, seat: Seat, child: Child) -> bool:
        exit_code = child.exit_code()
        if exit_code is None:
            return False
        seat.child = None
        seat.forget()
        if exit_code == BUSY:
            # Somebody else runs it: it is looked at again in a moment.
            seat.rests_until = self.now() + _A_MOMENT
            return True
        if exit_code:
            self._messenger.hurry()
        for said in settle(self.paths, seat.flow, child, exit_code, self.now()):
            self.listen(Note(said))
        return True

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
        self._seats = seats_of(self.paths, config, self._seats, self.now())
        self._messenger.wanted = bool(config.notify)
        self._most = {WORKER: self.workers, **most_of(config)}
        count = sum(seat.flow.schedule is not None for seat in self._seats.values())
        said = f"orchestrator.toml says {count} schedule{'' if count == 1 else 's'}"
        self.listen(Note(said if count else f"{said}; orchestrator schedule FLOW --every 15m"))
