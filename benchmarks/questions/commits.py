"""What do commits cost, beside a single one at the end?"""

from benchmarks.data import narrow
from benchmarks.measuring import Results, Trial
from benchmarks.programs import load
from benchmarks.question import Bench
from benchmarks.table import Figure, ratio

_NEVER = "1000000000"


class Commits:
    def __init__(self, bench: Bench) -> None:
        data = bench.store.one(narrow(), bench.sizes.narrow)
        self._often, self._once = (
            Trial(
                f"load to duckdb, {said}",
                data,
                load("duckdb", "--commit-rows", _NEVER, "--commit-seconds", seconds),
                (data.messages,),
                ours=True,
            )
            for said, seconds in (("a commit a second", "1"), ("one commit", _NEVER))
        )
        self.trials = [self._often, self._once]

    def prepare(self) -> None:
        pass

    def figures(self, results: Results) -> list[Figure]:
        name = "a commit every second ÷ one commit, wall"
        return [ratio(name, 1.15, results, self._often, self._once, wall=True)]
