"""What every destination promises, in four verbs. `tests/destinations/test_contract.py` holds each to it."""

from collections.abc import Mapping
from types import TracebackType
from typing import Protocol, Self

from orchestrator.errors import CommitConflict, CountMismatch
from orchestrator.load.batch import Batch
from orchestrator.load.commit import Commit
from orchestrator.load.quarantine import QUARANTINE


class Destination(Protocol):
    """Where the rows of one flow land."""

    def last_commit(self, flow: str) -> Commit | None:
        """The last commit that this destination holds of `flow`; None when there is none.

        This is also the moment of recovery: what a crash left half done is finished or undone here. Nothing is
        made at a destination that does not exist yet. Raises DestinationError.
        """

    def stage(self, batch: Batch) -> None:
        """Keeps the rows where no reader sees them. Batches settle in the order in which they were staged."""

    def commit(self, commit: Commit) -> None:
        """Shows all that was staged and keeps the state, in one step: after any failure either all of it holds or
        nothing. Raises DestinationError; CommitConflict when another process committed to the flow meanwhile;
        CountMismatch when fewer or more rows were staged than the commit says."""

    def close(self) -> None:
        """Forgets what was staged and not committed."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def check_counts(commit: Commit, staged: Mapping[str, int]) -> None:
    """Raises CountMismatch unless exactly the rows that the commit counts are staged, those in quarantine among
    them."""
    counted = dict(commit.rows)
    if refused := sum(commit.quarantined.values()):
        counted[QUARANTINE.stream] = refused
    if staged != counted:
        raise CountMismatch(
            f"commit {commit.number} of {commit.flow} counts {counted} rows, but {staged} were staged",
            data="the commit was not written",
        )


def check_number(commit: Commit, held: Commit | None, destination: str) -> None:
    """Raises CommitConflict unless the commit is the one after the last that the destination holds."""
    last = held.number if held else 0
    if last != commit.number - 1:
        raise CommitConflict(
            f"{destination} already holds commit {last} of {commit.flow}",
            cause=f"another process committed to the flow; this one wanted to write commit {commit.number}",
            data="nothing of this commit was written",
            hint=f"orchestrator run {commit.flow}",
        )
