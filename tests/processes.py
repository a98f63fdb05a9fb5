"""Runs in processes of their own: signals reach them, and `kill -9` at a chosen moment."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, Self

from orchestrator.errors import OrchestratorError
from orchestrator.events import Event, RunStarted
from tests.workspaces import FakeWorkspace

# Imports are most of what a short run costs: they are made once, in a process that all others are forked from.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["__main__", __name__, "orchestrator.destinations.duckdb"])


@dataclass(frozen=True, slots=True)
class Length:
    """How long a run lasts from the start of its tap to its end."""

    seconds: float
    calls: int
    """Calls of functions, Python's and C's, and returns from them: moments that do not depend on the machine."""


def start(workspace: FakeWorkspace, **options: Any) -> ForkServerProcess:
    """A run in a process that ends with the exit code of the run."""
    # It is forked off a process that was started before the test said anything about its environment.
    process = _processes.Process(target=_run, args=(workspace, dict(os.environ), options))
    process.start()
    return process


def send(process: ForkServerProcess, number: signal.Signals) -> None:
    assert process.pid is not None
    os.kill(process.pid, number)


def measure(workspace: FakeWorkspace) -> Length:
    """Runs to the end."""
    process, told = _start_counted(workspace, None)
    began = time.monotonic()
    calls = told.recv()
    seconds = time.monotonic() - began
    process.join()
    return Length(seconds, calls)


def killed_at_call(workspace: FakeWorkspace, number: int) -> bool:
    """Runs to a call of this number, if it comes to that many, and ends there by SIGKILL."""
    process, _ = _start_counted(workspace, number)
    process.join()
    return process.exitcode == -signal.SIGKILL


def killed_after(workspace: FakeWorkspace, seconds: float) -> bool:
    """Runs for so many seconds after the tap was started, if it lasts so long, and is ended by SIGKILL."""
    process, _ = _start_counted(workspace, None)
    time.sleep(seconds)
    process.kill()
    process.join()
    return process.exitcode == -signal.SIGKILL


def _start_counted(workspace: FakeWorkspace, last_call: int | None) -> tuple[ForkServerProcess, Connection]:
    """Returns once the tap was started; the connection tells the number of calls when the run has ended."""
    told, telling = _processes.Pipe(duplex=False)
    process = _processes.Process(target=_run_counted, args=(workspace, last_call, telling))
    process.start()
    telling.close()
    told.recv()
    return process, told


def _run(workspace: FakeWorkspace, environ: dict[str, str], options: dict[str, Any]) -> None:
    os.environ.update(environ)
    try:
        workspace.run(**options)
    except OrchestratorError as error:
        sys.exit(error.exit_code)


def _run_counted(workspace: FakeWorkspace, last_call: int | None, telling: Connection) -> None:
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += 1
        if calls == last_call:
            os.kill(os.getpid(), signal.SIGKILL)

    def listen(event: Event) -> None:
        if isinstance(event, RunStarted):
            telling.send(None)
            sys.setprofile(count)

    workspace.run(listen=listen)
    sys.setprofile(None)
    telling.send(calls)


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
