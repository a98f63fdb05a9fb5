"""Runs in processes of their own, which signals reach."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, Self

from orchestrator.errors import OrchestratorError
from tests.workspaces import FakeWorkspace

# Imports are most of what a short run costs: they are made once, in a process that all others are forked from.
forked = multiprocessing.get_context("forkserver")
forked.set_forkserver_preload(
    ["__main__", __name__, "orchestrator.destinations.duckdb", "orchestrator.destinations.parquet"]
)


def start(workspace: FakeWorkspace, **options: Any) -> ForkServerProcess:
    """A run in a process that ends with the exit code of the run."""
    # It is forked off a process that was started before the test said anything about its environment.
    process = forked.Process(target=run, args=(workspace, dict(os.environ), options))
    process.start()
    return process


def send(process: ForkServerProcess, number: signal.Signals) -> None:
    assert process.pid is not None
    os.kill(process.pid, number)


def run(workspace: FakeWorkspace, environ: dict[str, str], options: dict[str, Any]) -> None:
    os.environ.update(environ)
    try:
        workspace.run(**options)
    except OrchestratorError as error:
        sys.exit(error.exit_code)


class Command:
    """`orchestrator`, at work in a folder. `peak` is the most memory that its process has had so far, in bytes."""

    def __init__(self, folder: Path, *words: str) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ORCHESTRATOR_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "orchestrator", *words],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.peak = 0
        self.said = ""
        self._heard = [threading.Thread(target=work, daemon=True) for work in (self._listen, self._watch)]
        for thread in self._heard:
            thread.start()

    def ended(self, patience: float) -> int:
        """Its exit code; afterwards `said` is all that it said on stderr. Raises subprocess.TimeoutExpired."""
        exit_code = self.process.wait(patience)
        for thread in self._heard:
            thread.join()
        return exit_code

    def _listen(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            for line in lines:
                self.said += line

    def _watch(self) -> None:
        # It never shrinks, so little is missed at the end.
        while self.process.poll() is None and (peak := memory_of(self.process.pid, "VmHWM")):
            self.peak = peak
            time.sleep(0.01)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.ended(60)


def memory_of(pid: int, what: str) -> int | None:
    """Bytes, by their name in proc(5); None when the process has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{what}:")), None)
