"""Taps that take more memory than they may: how near to their limit they are ended, and what it costs the run."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.faults.figures import Figure
from tests.processes import Command, memory_of
from tests.workspaces import FakeWorkspace

GB = 1_000_000_000
LIMIT = "1 GB"
NEAR = 1.3 * GB
UNMOVED = 20_000_000
"""Bytes. So much do two runs of one kind differ."""
AFTER_FIVE_ROWS = 1 + 4 + 2 + 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run: its own memory at its peak and that of its tap, in bytes, and what it said."""

    exit_code: int
    run: int
    tap: int
    said: str


def figures(folder: Path) -> Iterator[Figure]:
    folder = folder / "shop"
    folder.mkdir()
    workspace = FakeWorkspace(folder)
    workspace.source(issues={"rows": 10})
    workspace.settle(commit_rows=2)
    workspace.choose(limits={"memory": LIMIT})
    workspace.behave(state_every=2, accidents=[{"after": AFTER_FIVE_ROWS, "allocate": 4 * GB}])
    greedy = measured(workspace)
    kept = workspace.numbers("issues")
    workspace.behave(accidents=[])
    modest = measured(workspace)
    says_so = f"used more than {LIMIT} of memory" in greedy.said
    whole = (kept, workspace.numbers("issues")) == ([1, 2, 3, 4], list(range(1, 11)))
    moved = greedy.run - modest.run
    yield Figure(
        f"a tap that takes 4 GB at once, of {LIMIT} that it may",
        f'ended below {NEAR / GB} GB, "used more than {LIMIT}", the run\'s own memory unmoved',
        f"ended at {greedy.tap / GB:.2f} GB, {'says so' if says_so else 'does not say so'}, "
        f"the run took {greedy.run / 1e6:.0f} MB, and {modest.run / 1e6:.0f} MB with a modest tap",
        greedy.exit_code == 1 and says_so and whole and GB <= greedy.tap <= NEAR and abs(moved) <= UNMOVED,
    )


def measured(workspace: FakeWorkspace) -> Outcome:
    with Command(workspace.paths.root, "run", "shop") as command:
        tap = 0
        while command.process.poll() is None:
            tap = max(tap, _largest_below(command.process.pid))
        return Outcome(command.ended(60), command.peak, tap, command.said)


def _largest_below(run: int) -> int:
    """The most memory that one of the processes has had which the run started."""
    try:
        family = psutil.Process(run).children(recursive=True)
    except psutil.NoSuchProcess:
        return 0
    return max((memory_of(each.pid, "VmHWM") or 0 for each in family), default=0)
