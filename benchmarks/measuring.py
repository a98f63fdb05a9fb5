"""Programs run and measured: CPU of a program and its children, wall, and memory at its peak."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from benchmarks.data import Data

# They make every Python slower, ours and others', and who sets them does not think of benchmarks.
_UNSET = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")

Start = Callable[[Path], list[str]]
"""Puts what a program needs into the empty folder in which it runs. Gives its command line. Raises CannotStart."""


class CannotStart(Exception):
    """A program that is not there; the message tells why."""


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """A program that is measured. `data` is what it reads, from stdin where `feed` names files: several come through
    a pipe, one after the other. `rounds` is how often it takes part at most; `ours` marks our own. `empty` is the
    same with next to no rows: what that takes is taken off."""

    program: str
    data: Data
    start: Start
    feed: tuple[Path, ...] = ()
    rounds: int = 100
    ours: bool = False
    empty: "Trial | None" = None

    @property
    def name(self) -> str:
        return f"{self.data.name}: {self.program}"

    @property
    def rows(self) -> int:
        return self.data.rows * max(1, len(self.feed))

    @property
    def bytes(self) -> int:
        """Of the rows as bare JSON, in whatever form this program reads them."""
        return self.data.bare.stat().st_size * max(1, len(self.feed))


@dataclass(frozen=True, slots=True)
class Usage:
    """What one run took: seconds, and bytes."""

    cpu: float
    wall: float
    peak: float


@dataclass(frozen=True, slots=True)
class Failed:
    """The program could not be measured."""

    reason: str


Outcome = Usage | Failed


@dataclass(frozen=True, slots=True)
class Results:
    """What came of trials. Of several runs of one the least counts: whatever else the machine did only adds."""

    outcomes: Mapping[Trial, Sequence[Outcome]]

    def of(self, trial: Trial) -> Outcome:
        """What the program took, start and all."""
        usages = []
        for outcome in self.outcomes[trial]:
            if isinstance(outcome, Failed):
                return outcome
            usages.append(outcome)
        return Usage(
            min(usage.cpu for usage in usages),
            min(usage.wall for usage in usages),
            max(usage.peak for usage in usages),
        )

    def net(self, trial: Trial) -> Outcome:
        """What its rows took: the same without what it takes with next to none, for a trial with such an `empty`."""
        whole = self.of(trial)
        empty = None if trial.empty is None else self.of(trial.empty)
        if isinstance(whole, Usage) and isinstance(empty, Usage):
            net = Usage(whole.cpu - empty.cpu, whole.wall - empty.wall, whole.peak)
            return net if min(net.cpu, net.wall) > 0 else Failed("too few rows to be told from the start")
        return empty if isinstance(empty, Failed) else whole


def in_rounds(trials: Sequence[Trial], rounds: int, folder: Path, tell: Callable[[str], None]) -> Results:
    """Runs all trials in each round, every other round from the last to the first, so that a machine that grows
    slower or faster favours none of them."""
    outcomes: dict[Trial, list[Outcome]] = {trial: [] for trial in trials}
    for number in range(rounds):
        for trial in trials if number % 2 == 0 else reversed(trials):
            if number < trial.rounds:
                outcome = measure(trial, folder)
                outcomes[trial].append(outcome)
                took = f"{outcome.wall:.1f} s" if isinstance(outcome, Usage) else outcome.reason
                tell(f"round {number + 1} of {rounds}: {trial.name}  {took}")
    return Results(outcomes)


def measure(trial: Trial, folder: Path) -> Outcome:
    """Runs the program once, in a folder of its own below `folder` that is removed afterwards."""
    work = folder / "trial"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        # A parent of little memory: the system counts what it holds at the start as the child's.
        command = trial.start(work)
        with _fed(trial.feed) as stdin, tempfile.TemporaryFile() as stderr:
            began = time.perf_counter()
            with subprocess.Popen(
                command, stdin=stdin, stdout=subprocess.DEVNULL, stderr=stderr, cwd=work, env=environment()
            ) as process:
                _, status, used = os.wait4(process.pid, 0)
                wall = time.perf_counter() - began
                process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                return Failed(f"exit code {process.returncode}: {_last_line(stderr)}")
            return Usage(used.ru_utime + used.ru_stime, wall, used.ru_maxrss * 1024)
    except (CannotStart, OSError) as error:
        return Failed(str(error))
    finally:
        shutil.rmtree(work, ignore_errors=True)


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _UNSET}


@contextlib.contextmanager
def _fed(files: tuple[Path, ...]) -> Iterator[IO[bytes] | int | None]:
    if len(files) > 1:
        with subprocess.Popen(["cat", *map(str, files)], stdout=subprocess.PIPE) as cat:
            yield cat.stdout
    elif files:
        with files[0].open("rb") as file:
            yield file
    else:
        yield subprocess.DEVNULL


def _last_line(stderr: IO[bytes]) -> str:
    stderr.seek(0)
    lines = stderr.read().decode(errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else "it said nothing"
