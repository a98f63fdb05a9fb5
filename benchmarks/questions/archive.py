"""How much of a run's CPU goes into the archive of its messages?"""

from dataclasses import replace

from benchmarks.data import FEW, Data, narrow
from benchmarks.measuring import Results, Trial
from benchmarks.programs import HERE, PYTHON
from benchmarks.question import Bench
from benchmarks.table import Figure, ratio
from benchmarks.workspace import run_command, tap_command


class Archive:
    def __init__(self, bench: Bench) -> None:
        data = bench.store.one(narrow(), bench.sizes.narrow)
        nothing = _archiving(bench.store.one(narrow(), FEW))
        self._alone = replace(_archiving(data), empty=nothing)
        self._run = Trial(
            "run of a tap that does not wait",
            data,
            lambda folder: run_command(folder, data, tap_command(data)),
            ours=True,
        )
        self.trials = [nothing, self._alone, self._run]

    def prepare(self) -> None:
        pass

    def figures(self, results: Results) -> list[Figure]:
        return [ratio("archive ÷ run", 0.15, results, self._alone, self._run)]


def _archiving(data: Data) -> Trial:
    return Trial(
        "archive alone",
        data,
        lambda folder: [*PYTHON, str(HERE / "archiving.py"), str(data.messages), str(folder / "archive")],
    )
