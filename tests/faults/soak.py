"""`up` keeps several flows fresh while it and its runs are killed at random: no row is lost or doubled, and it does not
grow.

`python -m tests.faults.soak --minutes 60` goes on for longer than `make faults` does.
"""

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import duckdb

from orchestrator import durable
from orchestrator.state import Runs, Status
from tests.faults.figures import Figure, table
from tests.workspaces import FLOW, FakeWorkspace, wait_until

WORKERS = 3
MOST_DESCRIPTORS = 16 + 2 * WORKERS
"""What a Python opens, the lock, the socket with who asks there, and for each run its answer."""
MOST_GROWTH = 8e6
"""Bytes that an allocator may take its time to give back."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds: how long it goes on, between two runs of a flow, between kills of runs, and how long an `up` lives, the
    last three on average."""

    lasting: float
    every: float
    between_kills: float
    life: float


def pace(minutes: float) -> Pace:
    return Pace(minutes * 60, every=6, between_kills=4, life=60)


@dataclass(slots=True)
class Life:
    """What one `up` took from its start to its end."""

    began: float = field(default_factory=time.monotonic)
    resident: list[int] = field(default_factory=list)
    descriptors: int = 0

    def look(self, pid: int) -> None:
        with suppress(OSError):
            fields = Path(f"/proc/{pid}/statm").read_text().split()
            self.resident.append(int(fields[1]) * os.sysconf("SC_PAGE_SIZE"))
            self.descriptors = max(self.descriptors, len(os.listdir(f"/proc/{pid}/fd")))

    @property
    def growth(self) -> int:
        """By how much its last tenth is larger than its second: the first one still reads what it needs."""
        tenth = len(self.resident) // 10
        return max(self.resident[-tenth:]) - max(self.resident[tenth : 2 * tenth]) if tenth >= 3 else 0


class Soak:
    """Flows of both kinds of destinations, from a source that grows, under an `up` that does not live long."""

    def __init__(self, folder: Path, pace: Pace, seed: int = 1) -> None:
        self.pace, self.lots = pace, random.Random(seed)
        self.rows = 0
        self.killed: Counter[str] = Counter()
        self.lives: list[Life] = []
        self.workspace = FakeWorkspace(folder)
        self.workspace.behave(state_every=10, seconds_a_row=0.002)
        self.workspace.keep(runs=40, archives=3)
        # No table has a key, so that a row that comes twice is there twice.
        settings = {"mode": "append", "commit_rows": 20, "retries": {"attempts": 5, "backoff": "0.5 s", "max": "2 s"}}
        self.workspace.settle(schedule={"every": self.pace.every}, **settings)
        for name, to, more in (
            ("beside", "warehouse", {"priority": 1}),
            ("report", "warehouse", {"after": [FLOW]}),
            ("lake", "scratch", {}),
            ("pond", "scratch", {}),
        ):
            schedule = {"every": self.pace.every + len(self.flows), "catch_up": "all" if name == "pond" else "one"}
            self.workspace.add_flow(name, to=to, schedule=schedule, **settings, **more)
        self.grow()

    @property
    def flows(self) -> dict[str, str]:
        """Where each flow goes to."""
        return {flow.name: flow.destination for flow in self.workspace.config.flows.values()}

    def grow(self) -> None:
        self.rows += self.lots.randrange(20, 80)
        self.workspace.source(issues={"rows": self.rows, "key": []})

    def run(self) -> None:
        """Goes on for as long as it is meant to, but not without a kill of each kind, and then until every flow has
        everything."""
        until = time.monotonic() + self.pace.lasting
        while time.monotonic() < until or not (self.killed["up"] and self.killed["runs"]):
            self.live_and_die(until)
        with self.up() as process:
            wait_until(self.is_complete, 120)
            process.terminate()
            process.wait()

    def is_complete(self) -> bool:
        """Whether every flow has as many rows as its source."""
        try:
            return all(len(self.numbers(flow)) >= self.rows for flow in self.flows)
        except duckdb.IOException:
            # Somebody commits.
            return False

    def live_and_die(self, until: float) -> None:
        """One `up`, from its start until it is ended, mostly by SIGKILL; its runs go on without it."""
        end = min(until, time.monotonic() + self.pace.life * self.lots.uniform(0.2, 1.8))
        next_kill = time.monotonic()
        with self.up() as process:
            life = Life()
            self.lives.append(life)
            while time.monotonic() < end or not self.killed["runs"]:
                time.sleep(0.2)
                life.look(process.pid)
                if time.monotonic() > next_kill and self.kill_a_run():
                    next_kill = time.monotonic() + self.pace.between_kills * self.lots.uniform(0, 2)
                    self.grow()
            gently = self.lots.random() < 0.2
            self.killed["asked" if gently else "up"] += 1
            process.send_signal(signal.SIGTERM if gently else signal.SIGKILL)
            process.wait()

    def kill_a_run(self) -> bool:
        """One of those that are at work, if any is."""
        notes = [durable.holder(self.workspace.paths.running(flow)) for flow in self.flows]
        pids = [int(found[1]) for note in notes if note and (found := re.match(r"pid (\d+)", note))]
        if pids:
            with suppress(ProcessLookupError):
                os.kill(self.lots.choice(pids), signal.SIGKILL)
                self.killed["runs"] += 1
        return bool(pids)

    @contextmanager
    def up(self) -> Iterator[subprocess.Popen[bytes]]:
        command = [sys.executable, "-m", "orchestrator", "up", "--workers", str(WORKERS)]
        with open(self.workspace.paths.root / "up.log", "ab") as log:
            process = subprocess.Popen(command, cwd=self.workspace.paths.root, stderr=log)
        try:
            wait_until(lambda: durable.holder(self.workspace.paths.up))
            yield process
        finally:
            process.kill()
            process.wait()

    def numbers(self, flow: str) -> list[int]:
        with self.workspace.reading(self.flows[flow], flow) as rows:
            return [n for (n,) in rows("issues", "n")]

    def figures(self) -> Iterator[Figure]:
        minutes, killed = self.pace.lasting / 60, self.killed
        what = f"{minutes:.1f} min of up, with kill -9 of {killed['runs']} runs and of up {killed['up']} times"
        wrong = sum(self.wrong(flow) for flow in self.flows)
        rows = self.rows * len(self.flows)
        yield Figure(f"{what}: rows lost or doubled", "0", f"{wrong} of {rows}", wrong == 0)
        again = sum(count - 1 for flow in self.flows for count in Counter(self.ran_well(flow)).values())
        yield Figure("the same: due times that ran well more than once", "0", str(again), again == 0)
        most = max(life.descriptors for life in self.lives)
        yield Figure("the same: open descriptors of up", f"≤ {MOST_DESCRIPTORS}", str(most), most <= MOST_DESCRIPTORS)
        growth = max(life.growth for life in self.lives)
        yield Figure("the same: memory that an up grew by", "≤ 8 MB", f"{growth / 1e6:.1f} MB", growth <= MOST_GROWTH)

    def wrong(self, flow: str) -> int:
        """How many rows are missing or there too often."""
        there, whole = Counter(self.numbers(flow)), Counter(range(1, self.rows + 1))
        return ((there - whole) + (whole - there)).total()

    def ran_well(self, flow: str) -> list[str]:
        runs = Runs(self.workspace.paths, flow).all()
        return [run.due for run in runs if run.due and run.status is Status.SUCCEEDED]


def figures(folder: Path, minutes: float = 2) -> Iterator[Figure]:
    soak = Soak(folder, pace(minutes))
    soak.run()
    yield from soak.figures()


@click.command()
@click.option("--minutes", type=click.FloatRange(min=0.2), default=2, show_default=True)
def main(minutes: float) -> None:
    with TemporaryDirectory(prefix="soak-") as folder:
        reached = list(figures(Path(folder), minutes))
    click.echo(table(reached))
    sys.exit(any(figure.held is False for figure in reached))


if __name__ == "__main__":
    main()
