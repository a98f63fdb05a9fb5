"""`kill -9` of a run, of its tap, and of both: at every edge of every step, and at moments that are drawn."""

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from orchestrator.durable import make_folder
from orchestrator.errors import TapFailed
from orchestrator.supervisor.process import GRACE
from tests.faults.figures import Figure
from tests.faults.oracle import Oracle, Violation, wait_for_the_end_of_processes
from tests.processes import start
from tests.strikes import After, AtCall, AtEdge, Moment, Whom, watched
from tests.workspaces import FLOW, FakeWorkspace, wait_until

DESTINATIONS = ("duckdb", "parquet")
WHOM: tuple[Whom, ...] = ("run", "tap", "both")
STOPS: dict[int, int] = {signal.SIGTERM: 143, signal.SIGINT: 130}
"""What asks a run to stop, and the exit code of one that did."""
_STRIKES_A_RUN = 4
"""So many runs are struck one after the other, before one is let to its end."""
_TRIES = 4


@dataclass(frozen=True, slots=True)
class Course:
    """How a run of the flow goes that nobody strikes: how often it reaches which edges, which of them with its tap at
    work, and how long that is."""

    edges: Counter[str]
    with_tap: frozenset[str]
    seconds: float
    calls: int


@cache
def course_of(destination: str) -> Course:
    """That of a run that finds rows to change and old runs to prune."""
    with TemporaryDirectory() as folder:
        oracle = Oracle.of(FakeWorkspace(Path(folder), destination))
        for _ in range(4):
            oracle.grow()
            oracle.workspace.run()
        oracle.grow()
        counted = watched(oracle.workspace, AtCall(0))
        oracle.grow()
        timed = watched(oracle.workspace)
    began = len(counted.edges) - counted.edges[::-1].index("after tap.start")
    return Course(Counter(counted.edges), frozenset(counted.edges[began:]), timed.seconds, counted.calls)


@dataclass(slots=True)
class Ordeal:
    """A flow that is struck again and again, and now and then completes a run."""

    oracle: Oracle
    strikes: Counter[str] = field(default_factory=Counter)
    found: list[Violation] = field(default_factory=list)
    outlived: list[float] = field(default_factory=list)
    """For how many seconds something of a run went on after each strike."""

    def strike(self, at: Moment, whom: Whom = "run", number: int = signal.SIGKILL) -> bool:
        """Lets the source go on and a run come to a moment; tells whether it was hit."""
        # A tap that is to be hit is so slow that it is at work while its rows are committed.
        self.oracle.grow(seconds_a_row=0.0 if whom == "run" else 0.005)
        ended = watched(self.oracle.workspace, at, whom, number)
        if ended.exit_code == 0:
            self.found += self.oracle.after_a_run()
            return False
        if ended.exit_code != _exit_code_after(number, whom):
            self.found.append(Violation("history", f"it ended with {ended.exit_code}, struck or not"))
        outlived = wait_for_the_end_of_processes(self.oracle.workspace.paths.root, 20)
        self.outlived.append(outlived if number == signal.SIGKILL else ended.heeded_after)
        self.found += self.oracle.after_a_fault(ended.told)
        self.strikes[whom] += 1
        if not self.strikes.total() % _STRIKES_A_RUN:
            self.complete()
        return True

    def strike_once(self, moments: Iterable[Moment], what: str, whom: Whom, number: int = signal.SIGKILL) -> None:
        """At one of these moments, each in a run of its own. A tap may be over before any of them."""
        if not any(self.strike(moment, whom, number) for moment in moments) and whom == "run":
            self.found.append(Violation("history", f"no run came to {what}"))

    def complete(self) -> None:
        run = start(self.oracle.workspace)
        run.join()
        if run.exitcode:
            self.found.append(Violation("history", f"the next run ended with {run.exitcode}"))
        self.found += self.oracle.after_a_run()


def _exit_code_after(number: int, whom: Whom) -> int:
    if whom == "tap":
        return TapFailed.exit_code
    return STOPS.get(number, -number)


def edges(destination: str, whom: Sequence[Whom] = WHOM) -> list[tuple[str, Whom]]:
    """Each edge that a run reaches, with each of those who can be struck there."""
    course = course_of(destination)
    return [(edge, each) for edge in course.edges for each in whom if each == "run" or edge in course.with_tap]


def edges_once(destination: str, chance: random.Random) -> list[tuple[str, Whom]]:
    """Each edge, with one who is drawn from those who can be struck there."""
    blows = edges(destination)
    chance.shuffle(blows)
    return list(dict(blows).items())


def moments(count: int, chance: random.Random) -> list[tuple[float, Whom]]:
    """Shares of the length of a run, one in each part of it, and whom to strike then."""
    blows = [((number + chance.random()) / count, chance.choice(WHOM)) for number in range(count)]
    chance.shuffle(blows)
    return blows


def at_edges(folder: Path, destination: str, blows: Iterable[tuple[str, Whom]], chance: random.Random) -> Ordeal:
    """Strikes at each of these edges, when it is reached for a time that is drawn."""
    course = course_of(destination)
    ordeal = Ordeal(Oracle.of(FakeWorkspace(folder, destination)))
    for edge, whom in blows:
        # A run that goes on where another one broke off may have less to do.
        highest = (max(1, course.edges[edge] >> attempt) for attempt in range(_TRIES))
        ordeal.strike_once((AtEdge(edge, chance.randint(1, times)) for times in highest), edge, whom)
    ordeal.complete()
    return ordeal


def at_moments(
    folder: Path,
    destination: str,
    blows: Iterable[tuple[float, Whom]],
    chance: random.Random,
    number: int = signal.SIGKILL,
) -> Ordeal:
    """Strikes when these shares of a run are over, by the clock or by the calls that it makes."""
    course = course_of(destination)
    ordeal = Ordeal(Oracle.of(FakeWorkspace(folder, destination)))
    for share, whom in blows:
        by_clock = chance.random() < 0.5
        # It may be quicker than the one that was measured.
        shares = (share * 0.7**attempt for attempt in range(_TRIES))
        moments: Iterator[Moment] = (
            After(each * course.seconds) if by_clock else AtCall(1 + int(each * course.calls)) for each in shares
        )
        ordeal.strike_once(moments, f"{share:.2f} of its length", whom, number)
    ordeal.complete()
    return ordeal


# ── the figures ──────────────────────────────────────────────────────────────────────────────────

MOMENTS = 1000
_DRAWN = 1200
"""Some come too late: the run is over before they do."""
STOPPED = 100
STARTED = 20
_BLOWS_A_FLOW = 25
_AT_ONCE = 4

Strike = Callable[[Path, str, Sequence[Any], random.Random], Ordeal]


def figures(folder: Path) -> Iterator[Figure]:
    edgewise = _ordeals(folder / "edges", at_edges, edges)
    yield _exactly_once("kill -9 of run, tap, both at each edge of each step", "all", edgewise)

    drawn = _ordeals(folder / "moments", at_moments, partial(_drawn, _DRAWN))
    figure = _exactly_once("kill -9 of run, tap, both at random moments", f"≥ {MOMENTS}", drawn)
    yield replace(figure, held=figure.held and sum(ordeal.strikes.total() for ordeal in drawn) >= MOMENTS)

    killed = [*edgewise, *drawn]
    outlived = max(seconds for ordeal in killed for seconds in ordeal.outlived)
    left = sum(violation.kind in ("files", "processes") for ordeal in killed for violation in ordeal.found)
    began = [seconds for destination in DESTINATIONS for seconds in _starts(folder / "starts", destination)]
    yield Figure(
        "the next run just works",
        "its tap starts within 2 s, nothing of the killed one lives after 1 s or lies aside",
        f"{len(began)} of {len(began)} within {max(began):.2f} s; gone after {outlived:.2f} s; {left} left aside",
        held=max(began) <= 2 and outlived <= 1 and not left,
    )

    stops = _ordeals(folder / "stops", at_a_stop, partial(_drawn, STOPPED))
    heeded = max(seconds for ordeal in stops for seconds in ordeal.outlived)
    figure = _exactly_once("SIGTERM or Ctrl-C at random moments", f"{STOPPED}, heeded within {GRACE:g} s", stops)
    yield replace(
        figure, reached=f"{figure.reached}; heeded within {heeded:.2f} s", held=figure.held and heeded <= GRACE
    )


def _drawn(count: int, destination: str) -> list[tuple[float, Whom]]:
    return moments(count // len(DESTINATIONS), random.Random(destination))


def at_a_stop(folder: Path, destination: str, blows: Sequence[tuple[float, Whom]], chance: random.Random) -> Ordeal:
    """Asks runs to stop, when these shares of them are over."""
    shares: list[tuple[float, Whom]] = [(share, "run") for share, _ in blows]
    return at_moments(folder, destination, shares, chance, chance.choice([*STOPS]))


def _ordeals(folder: Path, strike: Strike, blows: Callable[[str], Sequence[Any]]) -> list[Ordeal]:
    """Several flows at once, each with a few of the blows."""
    # Threads would take from each other how a child has ended.
    with ProcessPoolExecutor(_AT_ONCE, get_context("spawn")) as processes:
        futures = [
            processes.submit(
                strike,
                make_folder(folder / f"{destination}-{first}"),
                destination,
                blows(destination)[first : first + _BLOWS_A_FLOW],
                random.Random(f"{destination} {first}"),
            )
            for destination in DESTINATIONS
            for first in range(0, len(blows(destination)), _BLOWS_A_FLOW)
        ]
        return [future.result() for future in futures]


def _exactly_once(promise: str, to_reach: str, ordeals: Sequence[Ordeal]) -> Figure:
    found = [violation for ordeal in ordeals for violation in ordeal.found]
    for violation in found:
        print(f"{violation.kind}: {violation.what}", file=sys.stderr)
    kinds = Counter(violation.kind for violation in found)
    strikes = sum((ordeal.strikes for ordeal in ordeals), Counter[str]())
    by_whom = ", ".join(f"{count} {whom}" for whom, count in strikes.items())
    return Figure(
        promise,
        f"{to_reach}: 0 lost, 0 doubled, 0 acknowledged and missing",
        f"{strikes.total()} ({by_whom}): {kinds['lost']} lost, {kinds['doubled']} doubled, "
        f"{kinds['acknowledged']} acknowledged and missing, {kinds['history']} other",
        held=not any(kinds[kind] for kind in ("lost", "doubled", "acknowledged", "history")),
    )


def _starts(folder: Path, destination: str) -> Iterator[float]:
    """After how many seconds the tap of a run speaks, when the run before it was killed at a moment that is drawn."""
    root = folder / destination
    root.mkdir(parents=True)
    spoke, chance = root / "spoke", random.Random(destination)
    oracle = Oracle.of(FakeWorkspace(root, destination))
    oracle.workspace.behave(accidents=[{"after": 0, "touch": str(spoke)}])
    for _ in range(STARTED // len(DESTINATIONS)):
        oracle.grow(seconds_a_row=0.01)
        began = time.time()
        run = subprocess.Popen([sys.executable, "-m", "orchestrator", "run", FLOW], cwd=root, stderr=subprocess.DEVNULL)
        wait_until(spoke.exists)
        yield spoke.stat().st_mtime - began
        time.sleep(chance.random())
        run.kill()
        run.wait()
        spoke.unlink()
