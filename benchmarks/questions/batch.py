"""What do rows cost that come as parquet files in a BATCH, beside DuckDB inserting the same files?"""

import json

from benchmarks.data import Data, narrow
from benchmarks.measuring import Results, Trial
from benchmarks.programs import bare, duckdb_alone, load, prepare
from benchmarks.question import Bench
from benchmarks.table import Figure, ratio

_FILES = 4


class Batches:
    def __init__(self, bench: Bench) -> None:
        self._data: Data = bench.store.one(narrow(), bench.sizes.narrow // 4)
        self._folder = bench.folder / "batch"
        self._messages = self._folder / "messages"
        self._files = files = [self._folder / f"{number}.parquet" for number in range(_FILES)]
        self._ours = Trial(
            "load to duckdb, BATCH of parquet",
            self._data,
            load("duckdb", "--batch-root", str(self._folder)),
            (self._messages,),
            ours=True,
        )
        self._insert = Trial(
            "DuckDB INSERT FROM read_parquet",
            self._data,
            lambda folder: duckdb_alone("insert_parquet", folder / "rows", *files),
        )
        self.trials = [self._ours, self._insert]

    def prepare(self) -> None:
        self._folder.mkdir()
        prepare(duckdb_alone("to_parquet", *bare(self._data), self._folder, -(-self._data.rows // _FILES)))
        (stream,) = self._data.streams
        schema = {"type": "SCHEMA", "stream": stream.name, "schema": {"properties": stream.properties}}
        batch = {
            "type": "BATCH",
            "stream": stream.name,
            "encoding": {"format": "parquet", "compression": "none"},
            "manifest": [file.as_uri() for file in self._files],
        }
        messages = [schema | {"key_properties": []}, batch, {"type": "STATE", "value": {"done": True}}]
        self._messages.write_text("".join(json.dumps(message) + "\n" for message in messages))

    def figures(self, results: Results) -> list[Figure]:
        return [
            ratio("BATCH of parquet files ÷ DuckDB INSERT FROM read_parquet", 1.3, results, self._ours, self._insert)
        ]
