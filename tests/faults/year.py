"""A year of many flows on a clock of its own: runs that fail, machines that sleep, clocks that are set, edits, kills of
`up`. Each look of the real `up` is held against a plain list of all times.

The flows, their files and `up` are real; made up are the clock and what the runs do.
"""

import heapq
import itertools
import json
import os
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import tomlkit

from orchestrator import durable
from orchestrator.cadence.due import GRACE
from orchestrator.cadence.retry import pause
from orchestrator.cadence.times import chance, delay, latest_until, next_after
from orchestrator.config import CatchUp, Flow, Schedule, read_config
from orchestrator.errors import FINAL
from orchestrator.events import nobody
from orchestrator.paths import Paths
from orchestrator.schedule.loop import Up
from orchestrator.state import Failure, Pause, Plans, Status
from tests.faults.figures import Figure

START = datetime(2025, 1, 1, 0, 0, 30, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
WORKERS = 6
_MEMORY = Path("/dev/shm")
KEPT = 30
"""So many runs of a flow are kept, as retention does."""
_SCHEDULES: list[dict[str, Any]] = [
    {"every": "3 h", "jitter": "10 min"},
    {"every": "6 h", "catch_up": "all"},
    {"every": "5 h", "catch_up": "none"},
    {"every": "1 d"},
    {"cron": "30 2 * * *", "tz": "Europe/Paris"},
    {"cron": "30 1-3 * * *", "tz": "America/New_York", "catch_up": "all"},
    {"cron": "0 */4 * * 1-5", "tz": "Australia/Sydney", "catch_up": "none", "jitter": "90 s"},
    {"cron": "15 6 1,15 * *", "catch_up": "all"},
]
_NARROW, _MOST = "narrow", 2
"""A tap that is at work in so many runs at most."""
_DAYS_BETWEEN = {"sleep": 6, "set": 15, "kill": 4, "edit": 3, "rest": 5, "hand": 1}
"""Of what happens, on average; times how `quiet` the year is."""
_PAUSE = Pause("2025-01-01T00:00:00Z", "somebody paused it")
_ENDS = {0: 90, 1: 6, 4: 1, 8: 1, -9: 2}
"""How runs end, and how often: well, with a failure that passes, one that does not, without having begun, killed."""


@dataclass(slots=True)
class Run:
    """A run that is made up. It stands in for a child of `up`."""

    flow: str
    due: datetime | None
    started: datetime
    pid: int
    lock: ExitStack
    ends: int = 0
    ended: datetime | None = None
    by_up: Up | None = None

    def exit_code(self) -> int | None:
        return None if self.ended is None else self.ends

    def failure(self) -> Failure:
        return Failure("it could not begin")

    @property
    def record(self) -> dict[str, Any]:
        """What it leaves behind; a run that was killed wrote nothing when it ended."""
        is_written = self.ended is not None and self.ends != -9
        return {
            "flow": self.flow,
            "pid": self.pid,
            "status": (Status.FAILED if self.ends else Status.SUCCEEDED) if is_written else Status.RUNNING,
            "started": self.started.isoformat(),
            "ended": self.ended.isoformat() if is_written and self.ended else None,
            "due": None if self.due is None else self.due.isoformat(),
            "exit_code": self.ends if is_written else None,
        }


@dataclass(slots=True)
class Plain:
    """When one flow should be started, by the words of the manual and a list of all its times."""

    flow: Flow
    began: datetime
    since: datetime
    runs: list[Run] = field(default_factory=list)
    _ahead: list[tuple[datetime, datetime]] = field(default_factory=list)
    _waiting: list[tuple[datetime, datetime]] = field(default_factory=list)

    @property
    def schedule(self) -> Schedule:
        assert self.flow.schedule is not None
        return self.flow.schedule

    def due(self, now: datetime) -> datetime | None:
        """What it is to be started for."""
        again = self.again()
        if again is not None:
            return self.since if again <= now else None
        self._waiting = [each for each in self._until(now) if each[0] > self.since]
        over = [(time, start) for time, start in self._waiting if start <= now]
        if self.schedule.catch_up is CatchUp.ALL:
            return self._waiting[0][0] if self._waiting and self._waiting[0][1] <= now else None
        if not over or (self.schedule.catch_up is CatchUp.NONE and now - over[-1][1] > GRACE):
            return None
        return over[-1][0]

    def again(self) -> datetime | None:
        """When the last due time is tried again; None where it is not."""
        failed = list(itertools.takewhile(lambda run: run.ends != 0, reversed(self.runs)))
        tried = [run for run in failed if run.due == self.since]
        if not tried or tried[0].ends in FINAL:
            return None
        failures = len(tried)
        seconds = pause(self.flow.retries, failures, chance(f"{self.flow.name} {self.since.isoformat()} {failures}"))
        last = tried[0].started if tried[0].ends == -9 else tried[0].ended
        return None if seconds is None or last is None else last + timedelta(seconds=seconds)

    def wakes(self, now: datetime) -> datetime:
        """The next moment at which something may change by itself."""
        self._until(now)
        starts = [start for _, start in (*self._waiting, self._ahead[-1]) if start > now]
        again = self.again()
        return min([*starts, *([again] if again is not None and again > now else [])], default=now + HOUR)

    def had_its_run(self, time: datetime) -> bool:
        """Whether who comes after it may start for a time."""
        wanted = latest_until(self.schedule, time)
        well = [run for run in self.runs if run.ends == 0]
        return wanted <= self.began or any(max(run.due or run.started, run.started) >= wanted for run in well[-1:])

    def _until(self, now: datetime) -> list[tuple[datetime, datetime]]:
        """Its times up to a moment, each with that at which it starts; those that were seen to are left out."""
        last = self._ahead[-1][0] if self._ahead else self.began
        while not self._ahead or self._ahead[-1][0] <= now:
            last = next_after(self.schedule, last)
            self._ahead.append((last, last + delay(self.schedule, self.flow.name, last)))
        self._waiting += self._ahead[:-1]
        self._ahead = self._ahead[-1:]
        return self._waiting


class Year:
    """The flows, an `up` that is killed now and then, and the world around them. `wrong` is what should not have
    been."""

    def __init__(self, folder: Path, flows: int, days: int, *, quiet: float = 1, seed: int = 1) -> None:
        self.paths, self.lots = Paths(folder), random.Random(seed)
        self.true, self.until, self.offset = START, START + timedelta(days=days), timedelta(0)
        self.plain: dict[str, Plain] = {}
        self.at_work: dict[str, Run] = {}
        self.started: dict[str, datetime] = {}
        self.left: dict[str, datetime] = {}
        self.happened: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._number = itertools.count(1)
        self._events: list[tuple[datetime, int, str, str]] = []
        self._is_broken = self._is_new = False
        self._written: dict[str, Any] = self._document(flows)
        self.write()
        self.up: Up | None = self._new_up()
        self.quiet = quiet
        for kind in _DAYS_BETWEEN:
            self._soon(kind)

    def now(self) -> datetime:
        """What the clock says, right or wrong."""
        return self.true + self.offset

    def run(self) -> None:
        assert self.up is not None
        self.look(self.up)
        while self.true < self.until:
            idle = [plain for name, plain in self.plain.items() if name not in self.at_work]
            wake = min((plain.wakes(self.now()) for plain in idle), default=self.now() + HOUR) - self.offset
            self.true = max(self.true, min(wake, self._events[0][0]))
            while self._events[0][0] <= self.true:
                _, _, kind, flow = heapq.heappop(self._events)
                self.happened[kind] += 1
                getattr(self, kind)(flow)
            if self.up is not None:
                self.look(self.up)

    # ── what is checked ──

    def look(self, up: Up) -> None:
        """One look of `up`, and whether it started what it should have, and nothing else."""
        now = self.now()
        self._take_in_edits(now)
        self.started = {}
        up.look()
        self.happened["looks"] += 1
        for name, plain in self.plain.items():
            if name in self.at_work and name not in self.started:
                continue
            if Plans(self.paths).paused(name):
                self._check(name not in self.started, f"{now}: {name} was started, and rests")
                continue
            wanted, got = plain.due(now), self.started.get(name)
            if got is not None:
                self._check(got == wanted, f"{now}: {name} was started for {got} and not for {wanted}")
            elif wanted is not None:
                self._check(self._may_wait(plain, wanted, now), f"{now}: {name} was not started for {wanted}")
        # Of a run that an `up` before it started and that wrote nothing yet, nobody can tell that it was due.
        seen = [run for run in self.at_work.values() if run.due and (run.by_up is up or run.ends != 8)]
        self._check(len(seen) <= WORKERS, f"{now}: {len(seen)} runs of schedules at work")

    def _may_wait(self, plain: Plain, wanted: datetime, now: datetime) -> bool:
        """Whether something keeps a flow that is due from being started; who left a moment ago may not be missed
        yet."""
        flow = plain.flow
        same_tap = [name for name in self.at_work if name in self.plain and self.plain[name].flow.tap == flow.tap]
        left = [name for name, at in self.left.items() if abs(now - at) <= SECOND]
        if left:
            heapq.heappush(self._events, (self.true + 2 * SECOND, next(self._number), "look_again", ""))
        return (
            bool(left)
            or sum(run.due is not None for run in self.at_work.values()) >= WORKERS
            or (flow.tap == _NARROW and len(same_tap) >= _MOST)
            or not all(self.plain[other].had_its_run(wanted) for other in flow.after)
        )

    def _check(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self.wrong.append(otherwise)

    # ── what happens ──

    def start(self, flow: str, due: datetime | None) -> Any:
        """A run begins, of `up` or of a person."""
        lock = ExitStack()
        run = Run(flow, due, self.now(), next(self._number), lock, by_up=self.up)
        lock.enter_context(durable.lock(self.paths.running(flow), note=f"pid {run.pid}"))
        run.ends = self.lots.choices(list(_ENDS), list(_ENDS.values()))[0]
        if due is not None:
            self.started[flow] = due
        self._check(flow not in self.at_work, f"{self.now()}: {flow} overlaps itself")
        self.at_work[flow] = run
        self.happened["runs"] += 1
        if run.ends != 8:
            self._record(run, is_new=True)
        # One that cannot begin is over at once.
        seconds = 0.5 if run.ends == 8 else min(self.lots.lognormvariate(6, 1.6), 20_000)
        heapq.heappush(self._events, (self.true + timedelta(seconds=seconds), next(self._number), "end", flow))
        return run

    def end(self, flow: str) -> None:
        run = self.at_work.pop(flow)
        run.ended = self.now()
        is_ours = run.due is not None and run.by_up is self.up
        if run.ends != 8:
            self._record(run)
        if run.ends != 8 or is_ours:
            self._remember(run)
        run.lock.close()
        if not is_ours:
            self.left[flow] = self.now()

    def _remember(self, run: Run) -> None:
        plain = self.plain[run.flow]
        plain.runs = [*plain.runs[-KEPT:], run]
        plain.since = max(plain.since, run.due or plain.since)

    def sleep(self, _: str) -> None:
        """The machine sleeps, with all that is at work."""
        self.offset += timedelta(minutes=self.lots.randrange(20, 1000))
        self._soon("sleep")

    def set(self, _: str) -> None:
        """Somebody sets the clock."""
        self.offset += self.lots.choice([HOUR, -HOUR])
        self._soon("set")

    def kill(self, _: str) -> None:
        """`up` is killed; its runs go on. Another one comes at once, or after hours."""
        self._soon("kill")
        if self.up is None:
            return
        self.up = None
        when = self.true + self.lots.choice([0, 0, 1, 14]) * HOUR
        heapq.heappush(self._events, (when, next(self._number), "rise", ""))

    def rise(self, _: str) -> None:
        if self._is_broken:
            self.mend("")
        self.up = self._new_up()

    def rest(self, _: str) -> None:
        """Somebody resumes what was paused, and pauses something."""
        for name in self.plain:
            if Plans(self.paths).paused(name):
                Plans(self.paths).resume(name)
                self.left[name] = self.now()
        if self.lots.random() < 0.5:
            Plans(self.paths).pause(self._any_flow()["name"], _PAUSE)
        self._soon("rest")

    def hand(self, _: str) -> None:
        """A person runs a flow."""
        name = self._any_flow()["name"]
        if name not in self.at_work:
            self.start(name, None)
        self._soon("hand")

    def _new_up(self) -> Up:
        return Up(self.paths, WORKERS, nobody, self.start, self.now)

    def look_again(self, _: str) -> None:
        """`up` looks each second; here it is asked to."""

    # ── orchestrator.toml ──

    def edit(self, _: str) -> None:
        """Somebody gives a flow another schedule, or breaks the file for an hour."""
        if self.lots.random() < 0.2:
            self._is_broken, self._is_new = True, False
            self.paths.config.write_text("[[flows")
            heapq.heappush(self._events, (self.true + HOUR, next(self._number), "mend", ""))
        elif not self._is_broken:
            self._any_flow()["schedule"] = self.lots.choice(_SCHEDULES)
            self.write()
        self._soon("edit")

    def mend(self, _: str) -> None:
        self._is_broken = False
        self.write()

    def write(self) -> None:
        self._is_new = True
        self.paths.config.write_text(tomlkit.dumps(self._written))
        stamp = next(self._number)
        os.utime(self.paths.config, ns=(stamp, stamp))

    def _take_in_edits(self, now: datetime) -> None:
        """What a flow says that `up` sees now for the first time, holds from now on."""
        if not self._is_new:
            return
        self._is_new = False
        for flow in read_config(self.paths.config).flows.values():
            plain = self.plain.get(flow.name)
            if plain is None:
                self.plain[flow.name] = Plain(flow, now, now)
            elif plain.flow != flow:
                since = max([now, *(run.due for run in plain.runs if run.due)])
                same = replace(plain.flow, schedule=flow.schedule) == flow and _times(plain.flow) == _times(flow)
                began = plain.began if same else now
                self.plain[flow.name] = Plain(flow, began, plain.since if same else since, plain.runs)

    def _document(self, flows: int) -> dict[str, Any]:
        retries = {"attempts": 3, "backoff": "1 min", "max": "30 min"}
        return {
            "taps": {"free": {"package": "tap-x"}, _NARROW: {"package": "tap-x", "max_runs": _MOST}},
            "destinations": {"lake": {"type": "parquet", "path": "lake"}},
            "flows": [
                {
                    "name": f"flow-{number}",
                    "from": _NARROW if number % 5 == 0 else "free",
                    "to": "lake",
                    "schedule": _SCHEDULES[number % len(_SCHEDULES)],
                    "retries": retries,
                    "priority": number % 3,
                    **({"after": [f"flow-{number - 1}"]} if number % 7 == 6 else {}),
                }
                for number in range(flows)
            ],
        }

    def _any_flow(self) -> Any:
        return self.lots.choice(self._written["flows"])

    def _soon(self, kind: str) -> None:
        when = self.true + timedelta(days=_DAYS_BETWEEN[kind] * self.quiet) * self.lots.expovariate(1)
        heapq.heappush(self._events, (when, next(self._number), kind, ""))

    def _record(self, run: Run, *, is_new: bool = False) -> None:
        """Writes what a run leaves behind, and takes away what is too old. A file system tells times of a few
        milliseconds apart, and here a year goes by in minutes: so they are made up, too."""
        runs = self.paths.runs(run.flow)
        runs.mkdir(parents=True, exist_ok=True)
        numbers = sorted(int(name) for name in os.listdir(runs))
        number = (numbers[-1] if numbers else 0) + is_new
        record = self.paths.record(run.flow, number)
        record.parent.mkdir(exist_ok=True)
        record.write_text(json.dumps({"number": number, **run.record}))
        for old in numbers[:-KEPT]:
            shutil.rmtree(self.paths.run(run.flow, old))
        stamp = next(self._number)
        for folder in (runs, record.parent):
            os.utime(folder, ns=(stamp, stamp))


def _times(flow: Flow) -> tuple[Any, ...]:
    assert flow.schedule is not None
    return flow.schedule.every, flow.schedule.cron, flow.schedule.tz


def figures(folder: Path, flows: int = 50, days: int = 365) -> Iterator[Figure]:
    # What is on a disk would take an hour to write.
    with TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else folder) as place:
        year = Year(Path(place), flows, days)
        year.run()
    happened = year.happened
    what = (
        f"{days} days of {flows} flows: {happened['runs']} runs, {happened['kill']} kills of up, {happened['sleep']} "
        f"sleeps, {happened['set']} wrong clocks, {happened['edit']} edits; of {happened['looks']} looks, those that "
        "started what they should not, or not what they should"
    )
    yield Figure(what, "0", str(len(year.wrong)), not year.wrong)
