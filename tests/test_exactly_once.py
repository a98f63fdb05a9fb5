"""`kill -9` at any moment of a run, then another run: every row is there, and exactly once."""

import random
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from orchestrator.state import Status
from tests.processes import Length, killed_after, killed_at_call, measure
from tests.workspaces import FakeWorkspace, bookmarks_in

MOMENTS = 50
MOMENTS_A_TEST = 5

ROWS_MORE = 5
IDS = 7


def table_rows(step: int) -> int:
    return 5 + step % 3


def grow(workspace: FakeWorkspace, step: int) -> None:
    """What the source holds at a step: streams that are read on have more rows, full tables more or fewer."""
    rows = {"rows": ROWS_MORE * step}
    table = {"rows": table_rows(step), "method": "FULL_TABLE"}
    workspace.source(
        keyed={**rows, "ids": IDS, "inclusive": True},
        keyless={**rows, "key": []},
        table={**table, "key": []},
        versioned={**table, "activates": "both"},
        versioned_keyless={**table, "key": [], "activates": "last"},
    )


def new_workspace(folder: Path, destination: str) -> FakeWorkspace:
    workspace = FakeWorkspace(folder, destination)
    workspace.behave(state_every=4)
    workspace.settle(commit_rows=1)
    return workspace


@cache
def length_of_a_run(destination: str) -> Length:
    with TemporaryDirectory() as folder:
        workspace = new_workspace(Path(folder), destination)
        grow(workspace, 1)
        workspace.run()
        grow(workspace, 2)
        return measure(workspace)


@pytest.mark.parametrize("first", range(MOMENTS // MOMENTS_A_TEST))
@pytest.mark.parametrize("destination", ["duckdb", "parquet"])
def test_every_row_is_there_exactly_once_after_kill_9_at_any_moment(tmp_path, destination, first):
    """The moments of all tests together are spread over the whole run, one in each fiftieth of it."""
    chance = random.Random(f"{destination} {first}")
    shares = [(number + chance.random()) / MOMENTS for number in range(first, MOMENTS, MOMENTS // MOMENTS_A_TEST)]
    chance.shuffle(shares)
    workspace = new_workspace(tmp_path, destination)
    step = 0

    for share in shares:
        how = chance.choice([kill_by_call, kill_by_clock])
        step += 1
        grow(workspace, step)
        # It has to fall inside: the run has begun, its process is alive, and it cannot write down how it ended.
        while not (how(workspace, share) and workspace.last_run.status is Status.CRASHED):
            # The run was quicker than the one that was measured, and is complete.
            assert workspace.last_run.status is Status.SUCCEEDED
            check_complete(workspace, step)
            share *= 0.9
            step += 1
            grow(workspace, step)
        check_committed(workspace)

        workspace.run()

        check_complete(workspace, step)


def kill_by_call(workspace: FakeWorkspace, share: float) -> bool:
    return killed_at_call(workspace, 1 + int(share * length_of_a_run(workspace.types["warehouse"]).calls))


def kill_by_clock(workspace: FakeWorkspace, share: float) -> bool:
    return killed_after(workspace, share * length_of_a_run(workspace.types["warehouse"]).seconds)


def check_complete(workspace: FakeWorkspace, step: int) -> None:
    with workspace.reading() as rows:
        numbers = [(n,) for n in range(1, ROWS_MORE * step + 1)]
        assert rows("keyed", "n") == numbers[-IDS:]
        assert rows("keyless", "n") == numbers
        for stream in ("table", "versioned", "versioned_keyless"):
            assert rows(stream, "n") == [(n,) for n in range(1, table_rows(step) + 1)], stream


def check_committed(workspace: FakeWorkspace) -> None:
    """What the destination holds after the crash is what its bookmarks say: all of it, and nothing else."""
    bookmarks = bookmarks_in(workspace.held_state())
    with workspace.reading() as rows:
        for stream, ids in (("keyed", IDS), ("keyless", None)):
            numbers = [(n,) for n in range(1, bookmarks.get(stream, {}).get("n", 0) + 1)]
            assert rows(stream, "n") == (numbers[-ids:] if ids else numbers)
