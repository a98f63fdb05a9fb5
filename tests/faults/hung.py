"""Taps that hang, and do not let themselves be ended: how late their limits of time take effect, and what is left."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from orchestrator.supervisor.process import GRACE
from tests.faults.figures import Figure
from tests.processes import start
from tests.workspaces import FakeWorkspace, is_alive, wait_until

LIMIT = 2.0
LATE = 2.0
ROWS = 10
AFTER_FIVE_ROWS = 1 + 4 + 2 + 1
MEMBERS = 3


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run whose tap hung. `late` are the seconds from its limit to when it was asked to end, `gone`
    those from there to when nothing of it was left; `kept` are the rows after it, `complete` tells whether the next
    run brought the others."""

    exit_code: int | None
    late: float
    gone: float
    kept: list[int]
    complete: bool

    @property
    def keeps_its_promise(self) -> bool:
        timely = self.late <= LATE and self.gone <= GRACE + 1
        return timely and self.exit_code == 124 and self.kept == [1, 2, 3, 4] and self.complete


def figures(folder: Path) -> Iterator[Figure]:
    for limit in ("idle_timeout", "timeout"):
        outcome = hung(folder / limit, limit)
        yield Figure(
            f"`{limit}`: hangs, ignores SIGTERM, as do its child and one that left its session; all hold the pipe",
            f"asked to end within {LATE:.0f} s, all gone within {GRACE + 1:.0f} s, exit 124, what was committed stays",
            f"asked after {outcome.late:.2f} s, all gone after {outcome.gone:.2f} s, exit {outcome.exit_code}, "
            f"{len(outcome.kept)} rows stay, {'complete' if outcome.complete else 'incomplete'} after the next run",
            outcome.keeps_its_promise,
        )


def hung(folder: Path, limit: str) -> Outcome:
    """A run with this limit of time whose tap says five rows of ten, and then nothing."""
    folder.mkdir()
    told = folder / "told"
    workspace = FakeWorkspace(folder)
    workspace.source(issues={"rows": ROWS})
    workspace.settle(commit_rows=2)
    workspace.choose(limits={limit: LIMIT})
    workspace.behave(state_every=2, accidents=[{"after": AFTER_FIVE_ROWS, "stubborn": str(told), "hang": 600}])
    run = start(workspace)
    wait_until(lambda: _count(told, "member") == MEMBERS)
    members = [int(pid) for pid in _said(told, "member")]
    wait_until(lambda: _count(told, "asked"))
    wait_until(lambda: not any(map(is_alive, members)))
    gone = time.monotonic()
    run.join()
    # Its whole time counts from its start, which was a little before it fell silent.
    ((silent,), (asked, *_)) = ([float(when) for when in _said(told, word)] for word in ("silent", "asked"))
    kept = workspace.numbers("issues")
    workspace.behave(accidents=[])
    workspace.run()
    complete = workspace.numbers("issues") == list(range(1, ROWS + 1))
    return Outcome(run.exitcode, max(0.0, asked - silent - LIMIT), gone - asked, kept, complete)


def _said(file: Path, word: str) -> list[str]:
    lines = file.read_text().splitlines() if file.exists() else []
    return [line.removeprefix(f"{word} ") for line in lines if line.startswith(f"{word} ")]


def _count(file: Path, word: str) -> int:
    return len(_said(file, word))
