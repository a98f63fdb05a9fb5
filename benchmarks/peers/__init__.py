"""Other loaders, each in an environment of its own: how they are installed, told what to do, and started."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uv

from benchmarks.data import Data
from benchmarks.measuring import CannotStart, environment
from benchmarks.peers.airbyte_source import write_source

_HERE = Path(__file__).parent

Command = Callable[[Path, Path, Data], list[str]]
"""Puts a loader's config into the folder (the second) in which it runs. Gives its command line, from the folder of its
programs (the first)."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A loader with its own defaults. `kind` is that of our destinations which is nearest to what it writes."""

    name: str
    kind: str
    requirements: tuple[str, ...]
    command: Command

    def install(self, cache: Path) -> Path:
        """The folder of its programs, in an environment below `cache` that is made unless it is there.

        Raises CannotStart, with the resolver's reason.
        """
        folder = cache / self.name
        receipt = folder / "requirements.json"
        wanted = json.dumps([sys.version, *self.requirements])
        if not receipt.exists() or receipt.read_text() != wanted:
            shutil.rmtree(folder, ignore_errors=True)
            _uv("venv", "--python", sys.executable, str(folder))
            _uv("pip", "install", "--compile-bytecode", "--python", str(folder / "bin" / "python"), *self.requirements)
            receipt.write_text(wanted)
        return folder / "bin"


def _uv(*arguments: str) -> None:
    command = [uv.find_uv_bin(), "--quiet", "--no-progress", *arguments]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, env=environment(), check=False)
    if done.returncode:
        reason = " ".join(done.stderr.split()).removeprefix("error: ") or "uv gave no reason"
        raise CannotStart(f"does not install: {reason:.120}")


def _target(program: str, **config: object) -> Command:
    """A Singer target. A path in its config is a name in the folder in which it runs."""

    def command(programs: Path, folder: Path, data: Data) -> list[str]:
        (folder / "config.json").write_text(json.dumps(config))
        return [str(programs / program), "--config", "config.json"]

    return command


def _dlt(programs: Path, folder: Path, data: Data) -> list[str]:
    return [str(programs / "python"), "-P", str(_HERE / "with_dlt.py")]


def _airbyte(programs: Path, folder: Path, data: Data) -> list[str]:
    return [str(programs / "python"), "-P", str(_HERE / "with_airbyte.py"), str(write_source(folder, data))]


# Where a peer leaves the choice it gets the DuckDB that we have.
_DUCKDB = "duckdb==1.5.5"

PEERS = (
    Peer("target-jsonl", "parquet", ("target-jsonl==0.1.4",), _target("target-jsonl")),
    Peer(
        "target-duckdb",
        "duckdb",
        ("target-duckdb==0.8.0", _DUCKDB),
        _target("target-duckdb", path="rows.duckdb", default_target_schema="main", primary_key_required=False),
    ),
    Peer(
        "target-csv of singer-sdk",
        "parquet",
        ("meltanolabs-target-csv==0.5.0", "singer-sdk==0.54.9"),
        _target("target-csv"),
    ),
    Peer("dlt", "duckdb", ("dlt[duckdb]==1.31.0", _DUCKDB), _dlt),
    Peer("PyAirbyte", "duckdb", ("airbyte==0.71.3",), _airbyte),
)
