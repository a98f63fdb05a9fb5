"""Many at once: of the runs of one flow only one works, in turn where they wait; flows share a file."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import duckdb

from tests.faults.figures import Figure
from tests.processes import start
from tests.workspaces import FLOW, FakeWorkspace

RUNS = 20
ROWS = 4000
ROWS_A_COMMIT = 100


@dataclass(frozen=True, slots=True)
class End:
    """How a run ended, and how many seconds after it was started."""

    exit_code: int | None
    seconds: float


def figures(folder: Path) -> Iterator[Figure]:
    ends = at_once(folder / "at-once", RUNS)
    ran = [end for end in ends if end.exit_code == 0]
    refused = [end.seconds for end in ends if end.exit_code == 5]
    yield Figure(
        f"the same flow started {RUNS} times at once",
        f"1 runs, {RUNS - 1} exit 5 within 1 s",
        f"{len(ran)} ran, {len(refused)} exit 5 within {max(refused, default=math.nan):.2f} s",
        (len(ran), len(refused)) == (1, RUNS - 1) and max(refused) <= 1,
    )
    workspace, ends = in_turn(folder / "in-turn", RUNS)
    well = sum(end.exit_code == 0 for end in ends)
    yield Figure(
        f"the same, with `--wait`: {RUNS} runs one after the other",
        f"{RUNS} end well, none meets another",
        f"{well} ended well, {overlaps(workspace)} met another",
        well == RUNS and not overlaps(workspace) and workspace.numbers("issues") == [1, 2, 3],
    )
    rows = into_one_file(folder / "one-file", ROWS)
    yield Figure(
        f"two flows of {ROWS} rows into one DuckDB file, a commit every {ROWS_A_COMMIT}",
        "both finish",
        " and ".join(f"{count} rows of {flow}" for flow, count in rows.items()),
        set(rows.values()) == {ROWS},
    )


def at_once(folder: Path, count: int) -> list[End]:
    """So many runs of one flow, all started before the first of them ends. Their processes have made their imports: how
    long Python takes for those is no matter of ours."""
    workspace = _workspace(folder)
    # With the first one starts the process that all others are forked off.
    start(workspace).join()
    go_on = folder / "go on"
    workspace.behave(accidents=[{"after": 2, "await": str(go_on)}])
    runs = [(time.monotonic(), start(workspace)) for _ in range(count)]
    ends = list(_ends(runs, all_but=1))
    go_on.touch()
    return ends + list(_ends([each for each in runs if each[1].is_alive()]))


def in_turn(folder: Path, count: int) -> tuple[FakeWorkspace, list[End]]:
    """So many runs of one flow, each of which waits until it is its turn."""
    workspace = _workspace(folder)
    return workspace, list(_ends([(time.monotonic(), start(workspace, wait=math.inf)) for _ in range(count)]))


def overlaps(workspace: FakeWorkspace) -> int:
    """How many runs began before the one before them had ended."""
    runs = workspace.runs.all()
    assert all(run.ended for run in runs)
    return sum(later.started < str(earlier.ended) for earlier, later in pairwise(sorted(runs, key=lambda r: r.number)))


def into_one_file(folder: Path, rows: int) -> dict[str, int]:
    """Two flows that write into the same file at the same time: the rows of each that are there in the end."""
    workspace = _workspace(folder)
    workspace.source(issues={"rows": rows})
    workspace.behave(state_every=ROWS_A_COMMIT)
    workspace.settle(commit_rows=1)
    workspace.add_flow("other")
    flows = (FLOW, "other")
    runs = [(time.monotonic(), start(workspace, flow=flow)) for flow in flows]
    assert [end.exit_code for end in _ends(runs)] == [0, 0]
    with duckdb.connect(str(folder / "data" / "warehouse.duckdb"), read_only=True) as connection:
        counted = [connection.execute(f"SELECT count(DISTINCT n) FROM {flow}.issues").fetchall() for flow in flows]
    return {flow: count for flow, ((count,),) in zip(flows, counted, strict=True)}


def _workspace(folder: Path) -> FakeWorkspace:
    folder.mkdir()
    workspace = FakeWorkspace(folder)
    workspace.source(issues={"rows": 3})
    return workspace


def _ends(runs: list[tuple[float, ForkServerProcess]], all_but: int = 0) -> Iterator[End]:
    """The ends of runs as they come; those that end last are not waited for."""
    left: dict[Any, tuple[float, ForkServerProcess]] = {run.sentinel: (began, run) for began, run in runs}
    while len(left) > all_but:
        for sentinel in wait(list(left)):
            began, run = left.pop(sentinel)
            seconds = time.monotonic() - began
            run.join()
            yield End(run.exitcode, seconds)
