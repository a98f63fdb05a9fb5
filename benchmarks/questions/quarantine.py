"""What does one bad record in each 10 000 cost, set aside, beside none?"""

from benchmarks.measuring import Results, Trial
from benchmarks.question import Bench
from benchmarks.table import Figure


class Quarantine:
    def __init__(self, bench: Bench) -> None:
        self.trials: list[Trial] = []

    def prepare(self) -> None:
        pass

    def figures(self, results: Results) -> list[Figure]:
        return [Figure("one bad record in each 10 000 ÷ clean", 1.5, None, why="not there yet")]
