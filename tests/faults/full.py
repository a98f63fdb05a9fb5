"""The disk is full, or a sync fails: the run says so and ends, and the next one goes on once the disk is well."""

import errno
import itertools
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from examples.databases import NotProvided
from orchestrator import failpoints
from orchestrator.failpoints import Point, Step
from tests.disks.refused import Refused, judged, refused
from tests.disks.small import Unmountable, runs_on_a_small_disk
from tests.disks.strace import strace
from tests.faults.figures import Figure
from tests.faults.oracle import Oracle
from tests.workspaces import FakeWorkspace

PROMISE = "{}: exit 7, the volume named, rows equal bookmark, the next run completes"
ROOM = {
    ("duckdb", "data"): [0, 16, 128, 300, 500, 600, 700, 800],
    ("duckdb", "state"): [0, 4, 8, 12, 16, 20, 24],
    ("duckdb", "."): [0, 8, 16, 24, 300, 600],
    ("parquet", "data"): [0, 4, 8, 12, 16, 20, 24],
    ("parquet", "state"): [0, 4, 8, 12, 16, 20, 24],
    ("parquet", "."): [0, 8, 16, 24, 32, 40],
}
"""Kilobytes that are left when a run begins, for a destination and the folder of the workspace that is on the disk."""
SYNCS = 12
"""So many of the syncs of a run fail, spread over it, each in a run of its own."""


def figures(folder: Path) -> Iterator[Figure]:
    yield _figure("disk full", 30, full(folder / "full", ROOM))
    yield _figure("fsync error", 30, unsynced(folder / "unsynced", SYNCS))


def full(folder: Path, room: Mapping[tuple[str, str], list[int]]) -> Iterator[Refused]:
    """Raises Unmountable."""
    for number, ((destination, place), kilobytes) in enumerate(room.items()):
        root = folder / str(number)
        root.mkdir(parents=True)
        yield from runs_on_a_small_disk(root, destination, place, kilobytes)


def unsynced(folder: Path, count: int) -> Iterator[Refused]:
    """`count` syncs of ours for each destination, and as many of DuckDB's. Raises NotProvided."""
    for destination in ("duckdb", "parquet"):
        yield from unsynced_by_us(folder / destination, destination, count)
    yield from _unsynced_by_duckdb(folder, strace(folder / "debian"), count)


def unsynced_by_us(root: Path, destination: str, count: int) -> Iterator[Refused]:
    oracle = _oracle(root, destination)
    syncs = _syncs_of(oracle.workspace)
    for each in range(count):
        oracle.grow()
        number = 1 + each * syncs // count
        yield _with_failing_sync(oracle.workspace, f"{destination}, sync {number}", number).checked(oracle)


def _unsynced_by_duckdb(folder: Path, program: str, count: int) -> Iterator[Refused]:
    oracle = _oracle(folder / "traced", "duckdb")
    oracle.workspace.run()
    for number in range(1, 1 + count):
        oracle.grow()
        yield _with_failing_sync_of_duckdb(oracle.workspace, program, number).checked(oracle)


def _oracle(root: Path, destination: str) -> Oracle:
    root.mkdir(parents=True, exist_ok=True)
    oracle = Oracle.of(FakeWorkspace(root, destination))
    oracle.grow()
    return oracle


def _syncs_of(workspace: FakeWorkspace) -> int:
    """How many a run makes."""
    reached: list[Point] = []
    failpoints.arm(lambda point: reached.append(point) if _is_sync(point) else None)
    try:
        workspace.run()
    finally:
        failpoints.arm(None)
    return len(reached)


def _with_failing_sync(workspace: FakeWorkspace, how: str, number: int) -> Refused:
    reached = itertools.count(1)

    def fail(point: Point) -> None:
        if _is_sync(point) and next(reached) == number:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    failpoints.arm(fail)
    try:
        return refused(f"{how} fails", workspace.run, workspace.paths.root)
    finally:
        failpoints.arm(None)


def _is_sync(point: Point) -> bool:
    return point.moment == "before" and point.step in (Step.FILE_SYNC, Step.FOLDER_SYNC)


def _with_failing_sync_of_duckdb(workspace: FakeWorkspace, program: str, number: int) -> Refused:
    root = workspace.paths.root
    inject = ["-P", str(root / "data" / "warehouse.duckdb"), "-e", f"inject=fsync:error=EIO:when={number}"]
    run = [sys.executable, "-m", "tests.disks.telling", str(root), "/dev/null"]
    done = subprocess.run([program, "-qq", "-o", "/dev/null", *inject, *run], capture_output=True, text=True)
    how = f"sync {number} of DuckDB fails"
    return judged(how, done.returncode, done.stdout + done.stderr, root) if done.returncode else Refused(how, False)


def _figure(what: str, times: int, fared: Iterable[Refused]) -> Figure:
    promise, to_reach = PROMISE.format(what), f"{times} of {times}"
    try:
        met = [each for each in fared if each.met]
    except (Unmountable, NotProvided) as reason:
        return Figure(promise, to_reach, str(reason), None)
    broken = [each for each in met if each.violation]
    for each in broken:
        print(f"{each.how}: {each.violation}", file=sys.stderr)
    reached = f"{len(met) - len(broken)} of {len(met)}"
    return Figure(promise, to_reach, reached, not broken and len(met) >= times)
