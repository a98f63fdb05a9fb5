"""What do rows cost that are only added, beside DuckDB reading the same rows as bare JSON?"""

from benchmarks.data import PIPELINEWISE, SINGER_PYTHON, SINGER_SDK, issues, narrow, wide
from benchmarks.measuring import Results, Trial
from benchmarks.programs import loading, read_json, read_json_to_parquet
from benchmarks.question import Bench
from benchmarks.table import Figure, ratio


class Append:
    def __init__(self, bench: Bench) -> None:
        store, sizes = bench.store, bench.sizes
        self.trials: list[Trial] = []
        self._bars: list[tuple[Trial, float, Trial]] = []
        for data, to_duckdb, to_parquet in (
            (store.one(narrow(), sizes.narrow, SINGER_PYTHON), 2.0, 2.0),
            (store.one(narrow(), sizes.narrow, PIPELINEWISE), 2.0, None),
            (store.one(narrow(), sizes.narrow, SINGER_SDK), 2.0, None),
            (store.one(wide(), sizes.wide, PIPELINEWISE), 1.6, 1.5),
            (store.one(issues(), sizes.issues, SINGER_PYTHON), 1.0, 1.0),
        ):
            yardstick, ours = read_json(data), loading(data, "duckdb")
            self.trials += [yardstick, ours]
            self._bars.append((ours, to_duckdb, yardstick))
            if to_parquet is not None:
                ours = loading(data, "parquet")
                self.trials += [read_json_to_parquet(data), ours]
                self._bars.append((ours, to_parquet, yardstick))

    def prepare(self) -> None:
        pass

    def figures(self, results: Results) -> list[Figure]:
        return [ratio(f"{ours.name} ÷ read_json", reach, results, ours, other) for ours, reach, other in self._bars]
