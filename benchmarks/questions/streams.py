"""What does it cost that streams take turns, beside the same rows one stream after the other?"""

from benchmarks.data import five
from benchmarks.measuring import Results
from benchmarks.programs import loading
from benchmarks.question import Bench
from benchmarks.table import Figure, ratio


class Streams:
    def __init__(self, bench: Bench) -> None:
        streams, rows = five(), bench.sizes.streams
        self._in_runs = loading(bench.store.in_runs(streams, rows), "duckdb")
        self._in_turns = loading(bench.store.interleaved(streams, rows), "duckdb")
        self.trials = [self._in_runs, self._in_turns]

    def prepare(self) -> None:
        pass

    def figures(self, results: Results) -> list[Figure]:
        return [ratio("five interleaved streams ÷ the same rows in runs", 1.3, results, self._in_turns, self._in_runs)]
