"""How much longer does `run` take than its tap?"""

from benchmarks.data import FEW, narrow
from benchmarks.measuring import Failed, Results, Trial
from benchmarks.question import Bench
from benchmarks.table import Figure, ratio
from benchmarks.workspace import run_command, tap_command

_ROWS_A_SECOND = 50_000


class Runs:
    def __init__(self, bench: Bench) -> None:
        steady = bench.store.one(narrow(), bench.sizes.narrow // 2)
        few = bench.store.one(narrow(), FEW)
        tap = tap_command(steady, _ROWS_A_SECOND)
        said = f"a tap of {_ROWS_A_SECOND} rows/s"
        self._steady_tap = Trial(said, steady, lambda folder: tap, rounds=1)
        self._steady_run = Trial(
            f"run of {said}", steady, lambda folder: run_command(folder, steady, tap), rounds=1, ours=True
        )
        self._few_tap = Trial("a tap of few rows", few, lambda folder: tap_command(few))
        self._few_run = Trial(
            "run of a tap of few rows", few, lambda folder: run_command(folder, few, tap_command(few)), ours=True
        )
        self.trials = [self._steady_tap, self._steady_run, self._few_tap, self._few_run]

    def prepare(self) -> None:
        pass

    def figures(self, results: Results) -> list[Figure]:
        return [
            ratio(
                f"run of a tap of {_ROWS_A_SECOND} rows/s ÷ the tap to /dev/null, wall",
                1.05,
                results,
                self._steady_run,
                self._steady_tap,
                wall=True,
            ),
            self._more(results),
        ]

    def _more(self, results: Results) -> Figure:
        name = f"run of a tap of {FEW} rows less the tap, wall"
        run, tap = results.of(self._few_run), results.of(self._few_tap)
        if isinstance(run, Failed):
            return Figure(name, 0.5, None, why=run.reason)
        if isinstance(tap, Failed):
            return Figure(name, 0.5, None, why=tap.reason)
        return Figure(name, 0.5, run.wall - tap.wall, " s")
