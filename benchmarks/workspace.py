"""A workspace with one flow, whose tap prints a file."""

import json
import shlex
import sys
from pathlib import Path

from benchmarks.data import Data
from benchmarks.programs import HERE, OURS
from orchestrator.envs.receipt import Receipt, write_receipt
from orchestrator.paths import Paths

_FLOW = "bench"
_TAP = "bench"


def tap_command(data: Data, rows_a_second: int | None = None) -> list[str]:
    """The tap by itself: it prints the messages as fast as they are taken, or so many rows a second."""
    if rows_a_second is None:
        return ["cat", str(data.messages)]
    return [sys.executable, "-IS", str(HERE / "steady.py"), str(data.messages), str(rows_a_second)]


def run_command(root: Path, data: Data, tap: list[str]) -> list[str]:
    """Makes the workspace in the folder `root`. Gives the command that runs its flow."""
    paths = Paths(root)
    paths.config.write_text(
        f'[taps.{_TAP}]\npackage = "tap-bench==1.0"\nallow_read = ["{data.messages}", "{HERE}"]\n\n'
        '[destinations.warehouse]\ntype = "duckdb"\npath = "warehouse.duckdb"\n\n'
        f'[[flows]]\nname = "{_FLOW}"\nfrom = "{_TAP}"\nto = "warehouse"\nmode = "append"\n'
    )
    _keep_catalog(paths, data)
    _install(paths, tap)
    return [*OURS, "run", _FLOW]


def idle_flows(root: Path, data: Data, flows: int, *, every: float) -> None:
    """Makes the workspace in the folder `root`: so many flows of a tap that announces its stream and has no row."""
    paths = Paths(root)
    schema = root / "schema"
    schema.write_text(data.messages.read_text().splitlines()[0] + "\n")
    said = [
        f'[taps.{_TAP}]\npackage = "tap-bench==1.0"\nallow_read = ["{schema}"]\n',
        '[destinations.warehouse]\ntype = "duckdb"\npath = "warehouse.duckdb"\n',
    ]
    said += [
        f'[[flows]]\nname = "f{number}"\nfrom = "{_TAP}"\nto = "warehouse"\nschedule = {{ every = {every} }}\n'
        for number in range(flows)
    ]
    paths.config.write_text("\n".join(said))
    _keep_catalog(paths, data)
    _install(paths, ["cat", str(schema)])


def _install(paths: Paths, tap: list[str]) -> None:
    """What building an environment leaves, around a tap that needs none."""
    programs = paths.build(_TAP, "made") / "bin"
    programs.mkdir(parents=True)
    (programs / "python").symlink_to(sys.executable)
    executable = programs / "tap-bench"
    executable.write_text(f"#!/bin/sh\nexec {shlex.join(tap)}\n")
    executable.chmod(0o755)
    write_receipt(
        paths.receipt(_TAP),
        Receipt(
            environment="made",
            package="tap-bench",
            version="1.0",
            author=None,
            executable=str(executable),
            python=sys.executable,
            python_version=f"{sys.version_info.major}.{sys.version_info.minor}",
            capabilities=("catalog", "config", "discover", "state"),
            built_at="2026-01-01T00:00:00Z",
        ),
    )


def _keep_catalog(paths: Paths, data: Data) -> None:
    streams = [
        {
            "tap_stream_id": stream.name,
            "stream": stream.name,
            "schema": {"type": "object", "properties": stream.properties},
            "key_properties": list(stream.key),
            "metadata": [{"breadcrumb": [], "metadata": {"selected": True, "inclusion": "available"}}],
        }
        for stream in data.streams
    ]
    path = paths.catalog(_TAP)
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"streams": streams}))
