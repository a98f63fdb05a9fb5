"""`python -m benchmarks.keeping`: an `up` that writes down when it started which run, and what it took.

It is the one of the product, but for children that are watched from their start to their end. What it prints is JSON.
"""

import json
import os
import select
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from orchestrator.events import nobody
from orchestrator.paths import Paths
from orchestrator.schedule.children import Child
from orchestrator.schedule.loop import Up
from orchestrator.supervisor.stopping import Stop

_WORKERS = 8


@dataclass(slots=True)
class Watch:
    """When runs were due and started, and when they ended, as the kernel tells."""

    root: Path
    due_and_started: list[tuple[float, float]] = field(default_factory=list)
    ended: list[float] = field(default_factory=list)

    def start(self, flow: str, due: datetime) -> Child:
        child = Child(self.root, flow, due)
        self.due_and_started.append((due.timestamp(), child.started.timestamp()))
        threading.Thread(target=self._see_the_end, args=(os.pidfd_open(child.pid),)).start()
        return child

    def _see_the_end(self, process: int) -> None:
        select.select([process], [], [])
        self.ended.append(time.time())
        os.close(process)

    def lateness(self) -> list[float]:
        """Of each run the seconds from when it was due and there was a worker for it to when it was started, rising."""
        free = [0.0] * _WORKERS + sorted(self.ended)
        runs = zip(self.due_and_started, free, strict=False)
        return sorted(started - max(due, worker) for (due, started), worker in runs)


def main(root: str, seconds: str) -> None:
    """Keeps the schedules of the workspace at `root` for so long."""
    watch, stop = Watch(Path(root)), Stop()
    resident: list[float] = []

    def look() -> None:
        while not stop:
            resident.append(_resident())
            time.sleep(1)

    threading.Timer(float(seconds), stop.ask).start()
    threading.Thread(target=look).start()
    began = time.process_time()
    Up(Paths(watch.root), _WORKERS, nobody, watch.start).run(stop)
    half = len(resident) // 2
    found = {
        "runs": len(watch.due_and_started),
        "lateness": watch.lateness(),
        "peak": max(resident),
        "growth": max(resident[half:]) - max(resident[:half]),
        "cpu": (time.process_time() - began) / float(seconds),
    }
    print(json.dumps(found))


def _resident() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))


if __name__ == "__main__":
    main(*sys.argv[1:])
