"""What every destination promises, in four verbs. `tests/destinations/test_contract.py` holds each to it."""

from types import TracebackType
from typing import Protocol, Self

from orchestrator.load.batch import Batch
from orchestrator.load.commit import Commit


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
