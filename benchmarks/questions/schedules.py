"""With a thousand flows that are due each minute, how late does `up` start them, and what does it take?"""

import json
import subprocess
import sys
import time

from benchmarks.data import FEW, narrow
from benchmarks.measuring import Results, Trial, environment
from benchmarks.programs import HERE, OURS
from benchmarks.question import Bench
from benchmarks.table import Figure
from benchmarks.workspace import idle_flows

_MINUTE = 60
_LASTING = 2.6
"""Minutes: so often each flow is due, and a little more."""


class Schedules:
    """A run costs more than a thousandth of what a machine has in a minute: most flows wait for a worker. So what
    counts is how late a run starts that has one."""

    def __init__(self, bench: Bench) -> None:
        self._data = bench.store.one(narrow(), FEW)
        self._flows = max(10, bench.sizes.narrow // 2000)
        self._minute = _MINUTE if self._flows >= 1000 else _MINUTE / 20
        self._folder = bench.folder / "schedules"
        self.trials: list[Trial] = []

    def prepare(self) -> None:
        self._folder.mkdir()
        idle_flows(self._folder, self._data, self._flows, every=self._minute)
        keeping = [sys.executable, "-m", "benchmarks.keeping", str(self._folder), str(self._minute * _LASTING)]
        kept = subprocess.run(keeping, capture_output=True, check=True, cwd=HERE.parent, env=environment())
        self._kept = json.loads(kept.stdout)
        self._status = min(self._seconds("status") for _ in range(3))

    def _seconds(self, *command: str) -> float:
        began = time.monotonic()
        subprocess.run([*OURS, *command], cwd=self._folder, capture_output=True, check=True, env=environment())
        return time.monotonic() - began

    def figures(self, results: Results) -> list[Figure]:
        late = self._kept["lateness"]
        what = f"{self._flows} flows every {self._minute:g} s, 8 workers, {self._kept['runs']} runs"
        return [
            Figure(f"{what}: p99 of what up starts late", 1.0, late[int(len(late) * 0.99)], " s"),
            Figure("peak memory of this up", 200, self._kept["peak"] / 1e6, " MB"),
            Figure("what it grew by in its second half", 5, self._kept["growth"] / 1e6, " MB"),
            Figure("CPU of this up ÷ that of one core", 0.1, self._kept["cpu"]),
            Figure(f"status of {self._flows} flows, wall", 1.0, self._status, " s"),
        ]
