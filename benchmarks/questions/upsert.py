"""What do changed rows cost in a large table, beside DuckDB's MERGE of the same rows?"""

import shutil
from pathlib import Path

from benchmarks.data import narrow
from benchmarks.measuring import Results, Trial
from benchmarks.programs import duckdb_alone, load, prepare
from benchmarks.question import Bench
from benchmarks.table import Figure, ratio

_TABLE, _KEY, _SEQUENCE = "narrow", "id", "_sdc_sequence"
_LOADED_AT_ONCE = 1_000_000


class Upsert:
    def __init__(self, bench: Bench) -> None:
        stream, sizes = narrow(key=(_KEY,)), bench.sizes
        self._folder = bench.folder
        self._base, self._merged = bench.folder / "base.duckdb", bench.folder / "changes.arrow"
        self._times = max(1, sizes.base // _LOADED_AT_ONCE)
        self._first = bench.store.one(stream, sizes.base // self._times)
        self._changes = bench.store.changes(stream, sizes.changed, sizes.base)
        self._ours = Trial(
            "load to duckdb", self._changes, load("duckdb", into=self._base), (self._changes.messages,), ours=True
        )
        self._merge = Trial("DuckDB MERGE of the Arrow table", self._changes, self._start_merge)
        self.trials = [self._ours, self._merge]
        self._name = f"upsert of {sizes.changed} changed rows into {sizes.base} ÷ DuckDB MERGE"

    def prepare(self) -> None:
        """A table that we loaded, grown by DuckDB to its size; and the changes as an upsert of ours leaves them."""
        prepare(load("duckdb")(self._folder), self._first.messages)
        shutil.move(self._folder / "rows", self._base)
        prepare(duckdb_alone("multiply", self._base, _TABLE, _KEY, _SEQUENCE, self._times))
        prepare(load("duckdb", into=self._base)(self._folder), self._changes.messages)
        prepare(duckdb_alone("since", self._folder / "rows", _TABLE, _SEQUENCE, self._base, self._merged))
        (self._folder / "rows").unlink()

    def figures(self, results: Results) -> list[Figure]:
        return [ratio(self._name, 1.5, results, self._ours, self._merge)]

    def _start_merge(self, folder: Path) -> list[str]:
        shutil.copyfile(self._base, folder / "rows")
        return duckdb_alone("merge", folder / "rows", _TABLE, _KEY, self._merged)
