"""How much memory does a load need at its peak, and does it need more for more rows?"""

from benchmarks.data import narrow
from benchmarks.measuring import Failed, Results, Trial, Usage
from benchmarks.programs import load
from benchmarks.question import Bench
from benchmarks.table import Figure

_REACH = 400


class Memory:
    def __init__(self, bench: Bench) -> None:
        data = bench.store.one(narrow(), bench.sizes.narrow)
        feed = (data.messages,) * bench.sizes.long
        self._long = Trial("load to duckdb, through a pipe", data, load("duckdb"), feed, rounds=1, ours=True)
        self.trials = [self._long]

    def prepare(self) -> None:
        pass

    def figures(self, results: Results) -> list[Figure]:
        peaks = {
            trial: outcome.peak / 1e6
            for trial in results.outcomes
            if trial.ours and isinstance(outcome := results.of(trial), Usage)
        }
        if self._long not in peaks:
            failed = results.of(self._long)
            return [Figure("peak memory", _REACH, None, why=failed.reason if isinstance(failed, Failed) else "")]
        most = max(peaks, key=lambda trial: peaks[trial])
        return [
            Figure(f"peak memory of {self._long.rows} narrow rows", _REACH, peaks[self._long], " MB"),
            Figure(f"peak memory of any load here ({most.name})", _REACH, peaks[most], " MB"),
        ]
