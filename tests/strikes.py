"""Runs that are watched step by step, and struck by a signal at a chosen moment: they, their taps, or both."""

import contextlib
import os
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, Literal

from orchestrator import failpoints
from orchestrator.destinations import staging
from orchestrator.events import Committed, Event, RunStarted
from orchestrator.failpoints import Point, Step
from tests.processes import forked, run
from tests.workspaces import FakeWorkspace

Whom = Literal["run", "tap", "both"]


@dataclass(frozen=True, slots=True)
class AtEdge:
    """When an edge of a step is reached for the `nth` time."""

    edge: str
    nth: int = 1


@dataclass(frozen=True, slots=True)
class AtCall:
    """At a call of a function, Python's or C's, or a return from one: moments that do not depend on the machine. They
    count from 1, once the tap was started."""

    number: int


@dataclass(frozen=True, slots=True)
class After:
    """So many seconds after the tap was started."""

    seconds: float


Moment = AtEdge | AtCall | After


@dataclass(slots=True)
class Ended:
    """A run that was watched."""

    edges: list[str] = field(default_factory=list)
    """Of steps, as it reached them."""
    told: list[int] = field(default_factory=list)
    """The commits that it told of."""
    seconds: float = 0.0
    """From the start of its tap to its end."""
    calls: int = 0
    """In these seconds, where they were counted."""
    heeded_after: float = 0.0
    """Seconds from the signal that it got after a while to its end."""
    exit_code: int | None = None


def watched(
    workspace: FakeWorkspace, at: Moment | None = None, whom: Whom = "run", number: int = signal.SIGKILL
) -> Ended:
    """Runs to the end; at the moment `at`, if it comes to that, it sends the signal to itself, its tap, or both."""
    began = sent = time.monotonic()
    told, telling = forked.Pipe(duplex=False)
    process = forked.Process(target=_run_watched, args=(workspace, dict(os.environ), at, whom, number, telling))
    process.start()
    telling.close()
    ended = Ended()
    for said in _all_of(told):
        match said:
            case str():
                ended.edges.append(said)
            case Committed():
                ended.told.append(said.number)
            case RunStarted():
                began = time.monotonic()
                if isinstance(at, After):
                    time.sleep(at.seconds)
                    sent = time.monotonic()
                    _send_to(whom, number, run=process.pid, tap=said.pid)
            case int():
                ended.calls = said
    process.join()
    ended.seconds, ended.heeded_after = time.monotonic() - began, time.monotonic() - sent
    ended.exit_code = process.exitcode
    return ended


def edge_of(point: Point) -> str:
    """What a point is called in every run: without numbers, and without the names of folders."""
    is_folder = point.step in (Step.FOLDER_SYNC, Step.FOLDER_REMOVE)
    return re.sub(r"[0-9a-f]{16}|\d+", "N", f"{point.moment} {point.step}" if is_folder else str(point))


def _all_of(told: Connection) -> Iterator[Any]:
    with contextlib.suppress(EOFError):
        while True:
            yield told.recv()


def _send_to(whom: Whom, number: int, *, run: int | None, tap: int | None) -> None:
    for pid in (tap if whom != "run" else None, run if whom != "tap" else None):
        # One that has ended meanwhile is nobody's to kill.
        with contextlib.suppress(ProcessLookupError):
            if pid is not None:
                os.kill(pid, number)


def _run_watched(
    workspace: FakeWorkspace, environ: dict[str, str], at: Moment | None, whom: Whom, number: int, telling: Connection
) -> None:
    tap: int | None = None
    calls = 0
    reached: Counter[str] = Counter()

    def strike() -> None:
        _send_to(whom, number, run=os.getpid(), tap=tap)

    def hit(point: Point) -> None:
        edge = edge_of(point)
        reached[edge] += 1
        telling.send(edge)
        if at == AtEdge(edge, reached[edge]):
            strike()

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += 1
        if at == AtCall(calls):
            strike()

    def listen(event: Event) -> None:
        nonlocal tap
        if isinstance(event, RunStarted | Committed):
            telling.send(event)
        if isinstance(event, RunStarted):
            tap = event.pid
            if isinstance(at, AtCall):
                sys.setprofile(count)

    # Of the batches of a commit some wait in memory and some in a file.
    staging.BYTES_IN_MEMORY = 300
    failpoints.arm(hit)
    try:
        run(workspace, environ, {"listen": listen})
    finally:
        sys.setprofile(None)
        telling.send(calls)
