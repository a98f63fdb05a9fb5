"""A workspace around the fake tap: all of it is real but the environment of the tap, in which nothing was installed."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import tomlkit

from orchestrator.actions.recording import RunReport, destination_of
from orchestrator.actions.replay import replay
from orchestrator.actions.run_flow import run_flow
from orchestrator.config import Config, read_config
from orchestrator.envs.receipt import Receipt, write_receipt
from orchestrator.events import nobody
from orchestrator.load.commit import Commit
from orchestrator.paths import Paths
from orchestrator.state import CommitLog, Run, Runs

FLOW = "shop"
TAP = "fake"
PROGRAM = Path(__file__).parent / "taps" / "tap_fake.py"

_PLACES = {"duckdb": "data/{id}.duckdb", "parquet": "data/{id}"}
_OTHER = {"duckdb": "parquet", "parquet": "duckdb"}


class FakeWorkspace:
    """The flow `shop`, from the fake tap to `warehouse`; `scratch` is a destination of the other type."""

    def __init__(self, root: Path, destination: str = "duckdb") -> None:
        self.paths = Paths(root)
        self.types = {"warehouse": destination, "scratch": _OTHER[destination]}
        # No environment was built for it that it could be allowed to read; its accidents leave files in the workspace.
        self._tap: dict[str, Any] = {
            "package": "tap-fake==1.0",
            "allow_read": [str(PROGRAM.parent)],
            "allow_write": [str(root)],
            "config": {"streams": {}},
        }
        self._flow: dict[str, Any] = {"name": FLOW, "from": TAP, "to": "warehouse"}
        self._other_flows: list[dict[str, Any]] = []
        self._others: dict[str, Any] = {}
        self._write()
        self.install()

    # ── what is in orchestrator.toml ──

    def source(self, **streams: dict[str, Any]) -> None:
        """What the source holds from now on; see tests/taps/tap_fake.py."""
        self._tap["config"]["streams"] = streams
        self._write()

    def behave(self, **config: Any) -> None:
        """How the tap behaves from now on, on top of what was told before."""
        self._tap["config"] |= config
        self._write()

    def settle(self, **settings: Any) -> None:
        """Settings of the flow."""
        self._flow |= settings
        self._write()

    def add_flow(self, name: str, **settings: Any) -> None:
        """One more flow, from the same tap to the same destination unless `to` says otherwise."""
        self._other_flows.append({"name": name, "from": TAP, "to": "warehouse", **settings})
        self._write()

    def choose(self, **settings: Any) -> None:
        """Settings of the tap: `select`, `streams`."""
        self._tap |= settings
        self._write()

    def keep(self, **retention: int) -> None:
        self._others["retention"] = retention
        self._write()

    def notify(self, **settings: Any) -> None:
        """Somebody who is told, in the place of one of the same name."""
        others = [each for each in self._others.get("notify", []) if each["name"] != settings["name"]]
        self._others["notify"] = [*others, settings]
        self._write()

    def unnotify(self) -> None:
        """Nobody is told any more."""
        del self._others["notify"]
        self._write()

    @property
    def config(self) -> Config:
        return read_config(self.paths.config, environ={})

    def install(self, *capabilities: str, program: str | None = None) -> None:
        """Stands in for an environment: a receipt, and a program where it points: the fake tap, or a Python file."""
        binaries = self.paths.build(TAP, "made-up") / "bin"
        binaries.mkdir(parents=True, exist_ok=True)
        python, started = binaries / "python", binaries / "tap-fake"
        if not python.exists():
            python.symlink_to(sys.executable)
        # -I and -S: the fake tap needs nothing but the standard library, and starts in a fraction of the time.
        line = f"{sys.executable} {program}" if program else f"{sys.executable} -IS {PROGRAM}"
        started.write_text(f'#!/bin/sh\nexec {line} "$@"\n')
        started.chmod(0o755)
        if program:
            self.choose(allow_read=[*self._tap["allow_read"], str(Path(program).parent)])
        write_receipt(
            self.paths.receipt(TAP),
            Receipt(
                environment="made-up",
                package="tap-fake",
                version="1.0",
                author=None,
                executable=str(started),
                python=sys.executable,
                python_version="3.11",
                capabilities=capabilities or ("catalog", "config", "discover", "state"),
                built_at="2026-01-01T00:00:00Z",
            ),
        )

    def describe(self, **schema: Any) -> None:
        """What the tap says of its settings when it is asked with --about: a JSON schema, by its members."""
        answer = json.dumps({"name": "tap-fake", "settings": {"type": "object", **schema}})
        self.paths.built_about(TAP, "made-up").write_text(answer)

    def coded(self, source: str) -> None:
        """What is found as the code of the tap."""
        packages = self.paths.build(TAP, "made-up") / "lib" / "python3.11" / "site-packages"
        metadata = packages / "tap_fake-1.0.dist-info"
        metadata.mkdir(parents=True, exist_ok=True)
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: tap-fake\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text("[console_scripts]\ntap-fake = tap_fake:main\n")
        (packages / "tap_fake.py").write_text(source)

    def _write(self) -> None:
        destinations = {id: {"type": type, "path": _PLACES[type].format(id=id)} for id, type in self.types.items()}
        flows = [self._flow, *self._other_flows]
        document = {"taps": {TAP: self._tap}, "destinations": destinations, "flows": flows, **self._others}
        self.paths.config.write_text(tomlkit.dumps(document))
        # The tap may offer something else now.
        self.paths.catalog(TAP).unlink(missing_ok=True)

    # ── what is done ──

    def run(self, flow: str = FLOW, **options: Any) -> RunReport:
        return run_flow(self.paths, self.config, flow, **options)

    def replay(self, run: int, **options: Any) -> RunReport:
        return replay(self.paths, self.config, FLOW, run=run, **options)

    # ── what came of it ──

    @contextmanager
    def reading(self, at: str = "warehouse", flow: str = FLOW) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
        """A function that gives what anybody reads there now: of a stream of a flow, the columns asked for, in order;
        nothing where there is no such table."""
        place = self.paths.root / _PLACES[self.types[at]].format(id=at)
        is_file = place.is_file()

        def rows(stream: str, columns: str = "id, n, name") -> list[tuple[Any, ...]]:
            table = f'"{flow}"."{stream}"' if is_file else f"read_parquet('{place}/{flow}/{stream}/*.parquet')"
            try:
                return connection.execute(f"SELECT {columns} FROM {table} ORDER BY ALL").fetchall()
            except (duckdb.CatalogException, duckdb.IOException):
                return []

        with duckdb.connect(str(place) if is_file else ":memory:", read_only=is_file) as connection:
            yield rows

    def rows(self, stream: str, columns: str = "id, n, name", *, at: str = "warehouse") -> list[tuple[Any, ...]]:
        with self.reading(at) as rows:
            return rows(stream, columns)

    def numbers(self, stream: str, *, at: str = "warehouse") -> list[int]:
        """The `n` of every row."""
        return [n for (n,) in self.rows(stream, "n", at=at)]

    def held_commit(self, *, at: str = "warehouse") -> Commit | None:
        """The last commit that the destination holds."""
        with destination_of(self.config, self.config.flow(FLOW), nobody, to=at) as destination:
            return destination.last_commit(FLOW)

    def held_state(self, *, at: str = "warehouse") -> bytes | None:
        """The state that the destination holds."""
        last = self.held_commit(at=at)
        return last.state if last else None

    @property
    def log(self) -> CommitLog:
        return CommitLog(self.paths, FLOW)

    @property
    def commits(self) -> list[Commit]:
        return self.log.commits()

    @property
    def runs(self) -> Runs:
        return Runs(self.paths, FLOW)

    @property
    def last_run(self) -> Run:
        run = self.runs.last()
        assert run is not None
        return run

    @property
    def bookmarks(self) -> dict[str, Any]:
        """Those of the last commit, by stream."""
        return bookmarks_in(self.commits[-1].state)


def bookmarks_in(state: bytes | None) -> dict[str, Any]:
    """The bookmarks that the fake tap keeps in its state, by stream."""
    return dict(json.loads(state or b"{}").get("bookmarks", {}))


def wait_until(happened: Callable[[], object], seconds: float = 20) -> None:
    """Returns as soon as it happened; fails when it does not happen in time."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that ended and that nobody waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
