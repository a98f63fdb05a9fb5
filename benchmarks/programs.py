"""How our own program and DuckDB alone are started."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.data import Data
from benchmarks.measuring import Start, Trial, environment

HERE = Path(__file__).parent
# -P: the files beside a program are no modules of it.
PYTHON = (sys.executable, "-P")
OURS = (*PYTHON, "-m", "orchestrator")
READ_JSON = "DuckDB read_json"


def load(kind: str, *options: str, into: Path | None = None) -> Start:
    """`orchestrator load` to a `duckdb` or `parquet` that is new, or to a copy of the file `into`."""

    def start(folder: Path) -> list[str]:
        place = folder / "rows"
        if into is not None:
            shutil.copyfile(into, place)
        return [*OURS, "load", "--to", f"{kind}:{place}", *options]

    return start


def loading(data: Data, kind: str) -> Trial:
    """All messages of the data into a new destination."""
    return Trial(f"load to {kind}", data, load(kind), (data.messages,), ours=True)


def read_json(data: Data) -> Trial:
    """The bare rows, read by DuckDB itself: what everything is compared with."""
    return Trial(READ_JSON, data, lambda folder: duckdb_alone("read_json", *bare(data), folder / "rows"))


def read_json_to_parquet(data: Data) -> Trial:
    """The same rows into a parquet file instead."""
    return Trial(
        f"{READ_JSON} to parquet",
        data,
        lambda folder: duckdb_alone("read_json_to_parquet", *bare(data), folder / "rows"),
    )


def bare(data: Data) -> tuple[Path, str]:
    """The bare rows of one stream and their types, as verbs of duckdb_alone.py take them."""
    (stream,) = data.streams
    return data.bare, json.dumps(stream.types)


def duckdb_alone(verb: str, *arguments: object) -> list[str]:
    """The command line of a verb of duckdb_alone.py."""
    return [*PYTHON, str(HERE / "duckdb_alone.py"), verb, *map(str, arguments)]


def prepare(command: list[str], stdin: Path | None = None) -> None:
    """Runs what is not measured. Raises CalledProcessError."""
    with (stdin or Path("/dev/null")).open("rb") as source:
        subprocess.run(command, stdin=source, stdout=subprocess.DEVNULL, check=True, env=environment())
