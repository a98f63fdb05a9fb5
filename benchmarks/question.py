"""What a question about speed or memory is: trials to run, and figures that follow from what they took."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.data import Store
from benchmarks.measuring import Results, Trial
from benchmarks.table import Figure


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many rows there are of each kind. An issue weighs as much as twenty-five narrow rows."""

    narrow: int = 2_000_000
    base: int = 2_000_000
    """Rows that an upsert finds."""
    long: int = 4
    """The narrow rows come so many times, for the long run."""

    @property
    def wide(self) -> int:
        return self.narrow // 10

    @property
    def issues(self) -> int:
        return self.narrow * 3 // 40

    @property
    def streams(self) -> int:
        return self.narrow // 2

    @property
    def narrow_for_peers(self) -> int:
        return max(20_000, self.narrow // 20)

    @property
    def issues_for_peers(self) -> int:
        return max(2_000, self.issues // 10)

    @property
    def changed(self) -> int:
        return min(100_000, self.base // 10)


@dataclass(frozen=True, slots=True)
class Bench:
    """What every question is given. In `folder` lies what is made for this run alone, in `cache` what outlasts it."""

    store: Store
    sizes: Sizes
    folder: Path
    cache: Path


class Question(Protocol):
    """One question. What it reads it asks of the store when it is made."""

    @property
    def trials(self) -> Sequence[Trial]: ...

    def prepare(self) -> None:
        """Makes what its trials need beside the store's files. Raises CalledProcessError."""

    def figures(self, results: Results) -> list[Figure]:
        """The answer. `results` has those of all questions."""
