"""What has to be true of a flow after any fault, held against its source: rows, bookmark, history, leftovers."""

import json
import math
import os
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import duckdb

from orchestrator.durable import make_folder
from orchestrator.load.commit import Commit
from orchestrator.state import Break
from tests.workspaces import FLOW, FakeWorkspace, bookmarks_in

Row = tuple[int, int, str]
Kind = Literal["lost", "doubled", "acknowledged", "history", "files", "processes"]

ROWS_MORE = 5
IDS = 7
STRAY = "Warning: a line that is no message"
_TABLES = ("table", "versioned", "versioned_keyless")


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that was promised and does not hold. Of a row that nobody sent it counts as doubled."""

    kind: Kind
    what: str


@dataclass(frozen=True, slots=True)
class Held:
    """What is committed at a destination, read without any code of ours: nothing is finished or undone by looking."""

    number: int
    run: int
    state: bytes | None
    rows: dict[str, list[Row]]
    shown: dict[str, list[Row]]
    """What readers see. While parquet files move they may see rows of the commit before, or miss some."""
    quarantined: int


@dataclass
class Oracle:
    """Knows what the source of a flow holds, and looks at what became of it.

    Its streams: upserts by a key, rows that are appended, the same in files of BATCH messages, a table that is
    replaced, and versions, with a key and without. Each run brings a line that is no message.
    """

    workspace: FakeWorkspace
    step: int = 0
    """How often the source has gone on."""
    whole: int = 0
    """The step after which a run ended well."""
    with_files: bool = True
    """Its tap writes files."""
    _acknowledged: int = 0
    _known: dict[int, bytes | None] = field(default_factory=dict)

    @classmethod
    def of(cls, workspace: FakeWorkspace, *, with_files: bool = True) -> "Oracle":
        """That of a new workspace, whose tap and flow are set up for it."""
        workspace.behave(state_every=4, accidents=[{"after": 10, "babble": STRAY}])
        workspace.settle(commit_rows=6, on_bad_line="quarantine")
        workspace.keep(runs=4, archives=2)
        return cls(workspace, with_files=with_files)

    def grow(self, *, seconds_a_row: float = 0.0) -> None:
        """The source goes on: streams that are read on have more rows, full tables more or fewer."""
        self.step += 1
        self.workspace.behave(seconds_a_row=seconds_a_row)
        rows = {"rows": ROWS_MORE * self.step}
        table = {"rows": _rows_of_tables(self.step), "method": "FULL_TABLE"}
        streams: dict[str, dict[str, Any]] = {
            "keyed": {**rows, "ids": IDS, "inclusive": True},
            "keyless": {**rows, "key": []},
            "table": {**table, "key": []},
            "versioned": {**table, "activates": "last"},
            "versioned_keyless": {**table, "key": [], "activates": "both"},
        }
        if self.with_files:
            incoming = make_folder(self.workspace.paths.root / "incoming")
            streams["filed"] = {**rows, "key": [], "batch": {"folder": str(incoming)}}
        self.workspace.source(**streams)

    def after_a_fault(self, told: Iterable[int] = ()) -> list[Violation]:
        """Before anything else runs. `told` are the numbers of commits of which somebody heard."""
        held = held_by(self.workspace)
        return [*self._of_history(held, told), *self._of_what_settled(held)]

    def after_a_run(self) -> list[Violation]:
        """When a run has ended well."""
        held = held_by(self.workspace)
        self.whole = self.step
        return [
            *self._of_history(held, ()),
            *_of_a_clean_end(self.workspace, held),
            *self._of_all_rows(held),
            *_of_files(self.workspace),
            *_of_processes(self.workspace.paths.root),
        ]

    @property
    def _growing(self) -> tuple[str, ...]:
        return ("keyed", "keyless", "filed") if self.with_files else ("keyed", "keyless")

    def _of_all_rows(self, held: Held) -> Iterator[Violation]:
        for stream in (*self._growing, *_TABLES):
            last = ROWS_MORE * self.step if stream in self._growing else _rows_of_tables(self.step)
            yield from _differences(stream, _rows(stream, last), held.rows.get(stream, []))
            yield from _differences(f"{stream} as it is shown", _rows(stream, last), held.shown.get(stream, []))

    def _of_what_settled(self, held: Held) -> Iterator[Violation]:
        """What the destination holds is what its bookmarks say: all of it, and nothing else."""
        bookmarks = bookmarks_in(held.state)
        for stream in self._growing:
            last = bookmarks.get(stream, {}).get("n", 0)
            yield from _differences(stream, _rows(stream, last), held.rows.get(stream, []))
        for stream in _TABLES:
            yield from self._of_a_table(stream, held.rows.get(stream, []))
        for stream, shown in held.shown.items():
            twice = Counter(id for id, _, _ in shown) - Counter({id for id, _, _ in shown})
            yield from (Violation("doubled", f"{stream} as it is shown: {id}") for id in twice)
            # Of a table that became shorter, the rows of the commit before may still be shown.
            newest = bookmarks.get(stream, {}).get("n", 0) if stream in self._growing else math.inf
            yield from (Violation("doubled", f"{stream}, too early: {n}") for _, n, _ in shown if n > newest)

    def _of_a_table(self, stream: str, rows: list[Row]) -> Iterator[Violation]:
        """It is as the last whole run left it, or as one after that did or will."""
        counts = {_rows_of_tables(step) for step in range(max(self.whole, 1), self.step + 1)}
        if not self.whole:
            counts.add(0)
        if stream == "versioned":
            # An upsert shows new rows beside the old ones, until its version is active.
            counts = set(range(min(counts), max(counts) + 1))
        if len(rows) not in counts or rows != _rows(stream, len(rows)):
            yield from _differences(stream, _rows(stream, max(counts)), rows)

    def _of_history(self, held: Held, told: Iterable[int]) -> Iterator[Violation]:
        """Commits are numbered without a gap; the log ends where the destination does, or one commit before; nothing
        that was acknowledged is missing, and none became another."""
        entries = self.workspace.log.entries()
        commits = [entry for entry in entries if isinstance(entry, Commit)]
        yield from (Violation("history", entry.reason) for entry in entries if isinstance(entry, Break))
        if [commit.number for commit in commits] != list(range(1, len(commits) + 1)):
            yield Violation("history", f"the log numbers its commits {[commit.number for commit in commits]}")
        if held.number not in (len(commits), len(commits) + 1):
            yield Violation("history", f"the log ends at {len(commits)}, the destination holds {held.number}")
        if held.number == len(commits) > 0 and (held.state, held.run) != (commits[-1].state, commits[-1].run):
            yield Violation("history", f"the log and the destination tell commit {held.number} differently")
        known = {commit.number: commit.state for commit in commits}
        for number, state in self._known.items():
            if number in known and known[number] != state:
                yield Violation("acknowledged", f"commit {number} became another")
        self._known |= known
        self._acknowledged = max([self._acknowledged, len(commits), *told])
        if held.number < self._acknowledged:
            yield Violation("acknowledged", f"commit {self._acknowledged} was, and only {held.number} is held")


def held_by(workspace: FakeWorkspace) -> Held:
    """What the destination of the flow holds."""
    data = workspace.paths.root / "data"
    if workspace.types["warehouse"] == "duckdb":
        return _held_by_duckdb(data / "warehouse.duckdb")
    return _held_by_parquet(data / "warehouse" / FLOW)


def processes_of(root: Path) -> list[int]:
    """The processes that work below a folder; but not this one."""
    return [pid for pid in _processes() if pid != os.getpid() and _works_below(pid, root)]


def wait_for_the_end_of_processes(root: Path, seconds: float) -> float:
    """Waits until none works below the folder, at most so many seconds; gives the seconds that it took."""
    began = time.monotonic()
    while processes_of(root) and time.monotonic() - began < seconds:
        time.sleep(0.01)
    return time.monotonic() - began


def _rows_of_tables(step: int) -> int:
    return 5 + step % 3


def _rows(stream: str, last: int) -> list[Row]:
    """What a stream comes to, once `last` is the last row of it that was read."""
    ids = IDS if stream == "keyed" else max(last, 1)
    numbers = range(1, last + 1)[-ids:]
    return sorted(((n - 1) % ids + 1, n, f"{stream} {n}") for n in numbers)


def _differences(stream: str, expected: list[Row], found: list[Row]) -> Iterator[Violation]:
    yield from (Violation("lost", f"{stream}: {row}") for row in Counter(expected) - Counter(found))
    yield from (Violation("doubled", f"{stream}: {row}") for row in Counter(found) - Counter(expected))


# ── what a destination holds ─────────────────────────────────────────────────────────────────────


def _held_by_duckdb(path: Path) -> Held:
    if not path.exists():
        return _NOTHING
    with duckdb.connect(str(path), read_only=True) as connection:
        named = "SELECT table_schema || '.' || table_name FROM information_schema.tables WHERE table_catalog = ?"
        tables = {name for (name,) in connection.execute(named, [path.stem]).fetchall()}
        if "_orchestrator.commits" not in tables:
            return _NOTHING
        last = connection.execute("FROM _orchestrator.commits SELECT number, run, state ORDER BY number DESC LIMIT 1")
        number, run, state = last.fetchone() or (0, 0, None)
        (quarantined,) = connection.execute("SELECT count(*) FROM _orchestrator.quarantine").fetchone() or (0,)
        rows = {
            stream: connection.execute(f'SELECT id, n, name FROM {FLOW}."{stream}" ORDER BY ALL').fetchall()
            for stream in sorted(name.removeprefix(f"{FLOW}.") for name in tables if name.startswith(f"{FLOW}."))
        }
    return Held(number, run, None if state is None else state.encode(), rows, rows, quarantined)


def _held_by_parquet(root: Path) -> Held:
    memory = root / "_orchestrator" / FLOW
    manifests = sorted(memory.glob("manifest-*.json"))
    if not manifests:
        return _NOTHING
    manifest = json.loads(manifests[-1].read_bytes())
    rows: dict[str, list[Row]] = {}
    shown: dict[str, list[Row]] = {}
    quarantined = 0
    for table in manifest["tables"]:
        stream, folder = table["stream"], root / table["folder"]
        places = [(folder / file["name"], memory / "files" / file["name"]) for file in table["files"]]
        files = [shown if shown.exists() else waiting for shown, waiting in places]
        if table["folder"].endswith("/quarantine"):
            quarantined = len(_in_parquet(files, "line"))
        elif table["folder"]:
            rows[stream] = _in_parquet(files)
            shown[stream] = _in_parquet(sorted(folder.glob("*.parquet")))
    state = manifest["state"]
    return Held(
        manifest["number"], manifest["run"], None if state is None else state.encode(), rows, shown, quarantined
    )


def _in_parquet(files: list[Path], columns: str = "id, n, name") -> list[Any]:
    if not files:
        return []
    paths = [str(file) for file in files]
    with duckdb.connect() as connection:
        return connection.execute(f"SELECT {columns} FROM read_parquet(?) ORDER BY ALL", [paths]).fetchall()


_NOTHING = Held(0, 0, None, {}, {}, 0)


# ── what is left ─────────────────────────────────────────────────────────────────────────────────


def _of_a_clean_end(workspace: FakeWorkspace, held: Held) -> Iterator[Violation]:
    commits = workspace.commits
    if held.number != len(commits):
        yield Violation("history", f"the log ends at {len(commits)}, the destination holds {held.number}")
    told = sum(sum(commit.quarantined.values()) for commit in commits)
    if held.quarantined != told:
        yield Violation("lost", f"{told} lines were set aside, and {held.quarantined} are there")


_MEANT_TO_BE = re.compile(
    r"""orchestrator\.toml | envs/fake/.* | catalogs/fake\.json | incoming/.*
    | state/shop/([a-z]+\.(jsonl? | lock) | ran-with/[0-9a-f]{16})
    | state/shop/runs/\d+/(run\.json | tap\.log | messages\.zst | files/(index\.jsonl | \d+\.jsonl))
    | data/warehouse\.duckdb | data/warehouse/shop/_orchestrator/(\.lock | shop/manifest-\d+\.json)""",
    re.VERBOSE,
)


def _of_files(workspace: FakeWorkspace) -> Iterator[Violation]:
    """Nothing lies aside, unfinished or unnamed."""
    root = workspace.paths.root
    named = _parts_named(root / "data" / "warehouse" / FLOW)
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.is_file():
            if path not in named and not _MEANT_TO_BE.fullmatch(name):
                yield Violation("files", name)
        elif path.name.startswith((".", "tmp")) and path.name not in (".processes", ".work"):
            yield Violation("files", f"{name}/")


def _parts_named(root: Path) -> set[Path]:
    memory = root / "_orchestrator" / FLOW
    manifests = sorted(memory.glob("manifest-*.json"))
    tables = json.loads(manifests[-1].read_bytes())["tables"] if manifests else []
    return {
        (root / table["folder"] if table["folder"] else memory / "files") / file["name"]
        for table in tables
        for file in table["files"]
    }


def _of_processes(root: Path) -> Iterator[Violation]:
    wait_for_the_end_of_processes(root, 20)
    yield from (Violation("processes", _called(pid)) for pid in processes_of(root))


def _processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]


def _works_below(pid: int, root: Path) -> bool:
    try:
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return False
        return Path(os.readlink(f"/proc/{pid}/cwd")).is_relative_to(root)
    except OSError:
        return False


def _called(pid: int) -> str:
    try:
        return f"{pid}: {Path(f'/proc/{pid}/cmdline').read_text()}"
    except OSError:
        return str(pid)
