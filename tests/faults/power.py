"""The power fails: what a run had not synced is gone, torn or there, and the next run goes on from it."""

import random
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from examples.databases import NotProvided
from orchestrator.errors import OrchestratorError
from orchestrator.state import Status, read_archive
from tests.disks.crashes import Crash, Names, Unsynced
from tests.disks.recording import Folder, Recording, record
from tests.disks.strace import strace
from tests.faults.figures import Figure
from tests.faults.oracle import Oracle
from tests.workspaces import FakeWorkspace

PROMISE = "power loss: what was told is there, and the next run just works"
STATES_A_RUN = 80


def figures(folder: Path) -> Iterator[Figure]:
    to_reach = "0 violations in ≥ 300 crash states"
    try:
        program = strace(folder / "debian")
    except NotProvided as reason:
        yield Figure(PROMISE, to_reach, f"no strace: {reason}", None)
        return
    states, violations = 0, []
    for destination in ("duckdb", "parquet"):
        for run in recorded(folder / destination, destination, program):
            crashes = run.crashes(STATES_A_RUN)
            states += len(crashes)
            violations += [violation for crash in crashes if (violation := run.violation(crash))]
    for violation in violations:
        print(violation, file=sys.stderr)
    reached = f"{len(violations)} violations in {states} crash states"
    yield Figure(PROMISE, to_reach, reached, not violations and states >= 300)


@dataclass
class RecordedRun:
    """A run of a workspace, and what it did to the disk. `step` is what its source held; `held` the commit before."""

    workspace: FakeWorkspace
    step: int
    held: int
    recording: Recording

    def crashes(self, count: int) -> list[Crash]:
        """So many moments, spread over the run, and of each one way in which it may have left the disk; at the end,
        nothing is there that was not synced."""
        chance = random.Random(f"{self.workspace.types} {self.step}")
        operations = len(self.recording.operations)
        spread = [
            Crash(int(operations * (place + chance.random()) / count), *_any_way(chance), seed=place)
            for place in range(count - 1)
        ]
        return [*spread, Crash(operations, Names.LOOSE, Unsynced.GONE)]

    def violation(self, crash: Crash) -> str | None:
        """What does not hold after the crash, if anything."""
        root = self.workspace.paths.root
        shutil.rmtree(root)
        crash.folder(self.recording).write(root)
        try:
            self._check(max(self.held, crash.told(self.recording)))
        except (AssertionError, OrchestratorError) as error:
            return f"{self.workspace.types['warehouse']}, run {self.step}, {crash}: {type(error).__name__}: {error}"
        return None

    def _check(self, told: int) -> None:
        workspace, oracle = self.workspace, Oracle(self.workspace, self.step, self.step - 1, with_files=False)
        # The oracle only reads, and what a power loss has torn is mended when the destination is asked for its commit.
        held = workspace.held_commit()
        found = oracle.after_a_fault([told])
        assert not found, found
        if held and held.number > self.held and held.state:
            said = b"".join(read_archive(workspace.paths.archive("shop", self.step)))
            assert held.state in said, f"commit {held.number} is not in the archive"

        workspace.run()

        found = oracle.after_a_run()
        assert not found, found
        assert not any(run.status is Status.DAMAGED for run in workspace.runs.all()), "a record of a run is damaged"


def _any_way(chance: random.Random) -> tuple[Names, Unsynced]:
    return chance.choice(list(Names)), chance.choice(list(Unsynced))


def recorded(folder: Path, destination: str, program: str) -> Iterator[RecordedRun]:
    """The first run of a workspace, which makes everything, and the second."""
    (folder / "workspace").mkdir(parents=True)
    workspace = FakeWorkspace(folder / "workspace", destination)
    # Only what the run itself writes is recorded.
    oracle = Oracle.of(workspace, with_files=False)
    for step in (1, 2):
        oracle.grow()
        held = workspace.held_commit()
        root, told = workspace.paths.root, folder / "told"
        command = [sys.executable, "-m", "tests.disks.telling", str(root), str(told)]
        recording = record(program, command, root, told)
        complete = Crash(len(recording.operations), Names.LOOSE, Unsynced.THERE).folder(recording)
        assert complete.files() == Folder.read(root).files(), "it wrote in a way that was not recorded"
        yield RecordedRun(workspace, step, held.number if held else 0, recording)
        shutil.rmtree(root)
        complete.write(root)
