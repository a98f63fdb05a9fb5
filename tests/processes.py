"""Runs in processes of their own: signals reach them, and `kill -9` at a chosen moment."""

import multiprocessing
import os
import signal
import sys
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from typing import Any

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
