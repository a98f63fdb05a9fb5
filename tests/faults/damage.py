"""Each file of a workspace is cut off, zeroed or deleted: what is said then, and what the next run brings."""

import io
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from unittest.mock import patch

from orchestrator.actions.keep_secrets import set_secret
from orchestrator.cli.program import main
from orchestrator.envs.lock import Lock, write_lock
from orchestrator.envs.receipt import read_receipt, write_receipt
from orchestrator.envs.recipe import Recipe
from orchestrator.hub.entries import read_entry
from orchestrator.hub.kept import keep_entry
from orchestrator.state import Pause, Plans
from tests.faults.figures import Figure
from tests.workspaces import FLOW, TAP, FakeWorkspace

DAMAGES: Mapping[str, Callable[[bytes], bytes | None]] = {
    "emptied": lambda content: b"",
    "cut in the middle": lambda content: content[: len(content) // 2],
    "cut by a byte": lambda content: content[:-1],
    "zeroed": lambda content: bytes(len(content)),
    "deleted": lambda content: None,
}
LOOKS = (
    ("status",),
    ("runs",),
    ("runs", "show", FLOW, "1"),
    ("runs", "diff", FLOW, "1", "2"),
    ("logs", FLOW),
    ("state", "show", FLOW),
    ("state", "history", FLOW),
    ("taps",),
    ("taps", "show", TAP),
    ("select", TAP, "--list"),
    ("secret", "list"),
    ("doctor",),
    ("query", f"from {FLOW}.issues select count(*)"),
)
RUN = ("run", FLOW)
REPLAY = ("replay", FLOW, "--run", "1", "--to", "scratch")
ROWS = 20
NEW = 3


def figures(folder: Path) -> Iterator[Figure]:
    tried, violations = 0, []
    # What is beside the destination is the same for both.
    for destination, below in (("duckdb", "."), ("parquet", "data")):
        with damaged_workspace(folder / destination, destination) as shop:
            for file, damage in product(shop.files(below), DAMAGES):
                tried += 1
                violations += shop.violations(file, damage)
    for violation in violations:
        print(violation, file=sys.stderr)
    reached = f"{len(violations)} violations in {tried} damages"
    promise = "damaged files: detected or harmless, the message names the file and the way out; no silent full re-sync"
    yield Figure(promise, "0 violations", reached, not violations)


@dataclass(frozen=True, slots=True)
class Said:
    words: tuple[str, ...]
    exit_code: int
    text: str


class DamagedWorkspace:
    """A workspace that ran twice, and whose source has rows for one more run; a copy of it is damaged each time."""

    def __init__(self, folder: Path, destination: str) -> None:
        self._whole, self._root = folder / "whole", folder / "workspace"
        self._root.mkdir(parents=True)
        self._workspace = FakeWorkspace(self._root, destination)
        self._fill()
        self._root.rename(self._whole)

    def _fill(self) -> None:
        workspace, paths = self._workspace, self._workspace.paths
        workspace.settle(schedule={"every": "1h"}, commit_rows=1)
        workspace.describe(properties={"login": {"type": "object"}})
        (self._root / "batches").mkdir()
        workspace.behave(
            state_every=5,
            confess=True,
            rotates=str(self._root / "source"),
            login={"user": "ada", "token": {"env": "SHOP_TOKEN"}},
            password={"secret": "PASSWORD"},
        )
        set_secret(paths, "PASSWORD", "correct horse battery staple")
        receipt = read_receipt(paths.receipt(TAP))
        assert receipt is not None
        write_receipt(paths.built_receipt(TAP, receipt.environment), receipt)
        lock = Lock(Recipe("tap-fake==1.0", python="3.11"), "tap-fake==1.0\n")
        write_lock(paths.lock(TAP), lock)
        write_lock(paths.built_lock(TAP, receipt.environment), lock)
        entry = b'{"name": "tap-fake", "variant": "us", "pip_url": "tap-fake", "settings": []}'
        keep_entry(paths, TAP, read_entry(entry))
        Plans(paths).begin(FLOW, "every 1h", datetime(2026, 1, 1, tzinfo=UTC))
        Plans(paths).pause(FLOW, Pause("2026-01-01T00:00:00Z", "because"))
        for rows in (ROWS // 2, ROWS):
            self._grow(rows)
            workspace.run()
        self._grow(ROWS + NEW)
        self._say("discover", TAP)

    def _grow(self, rows: int) -> None:
        batch = {"folder": str(self._root / "batches")}
        self._workspace.source(
            issues={"rows": rows}, events={"rows": rows, "key": []}, files={"rows": rows, "batch": batch}
        )

    def files(self, below: str = ".") -> list[Path]:
        """All that we have written in a folder of it."""
        files = [path for path in sorted((self._whole / below).rglob("*")) if path.is_file() and not path.is_symlink()]
        ours = [path.relative_to(self._whole) for path in files]
        return [path for path in ours if path.parts[0] not in ("source", "batches")]

    def violations(self, file: Path, damage: str, looks: Iterable[tuple[str, ...]] = LOOKS) -> list[str]:
        """What does not hold when a file was damaged, a sentence each; `looks` are commands to try beside a run."""
        shutil.rmtree(self._root, ignore_errors=True)
        shutil.copytree(self._whole, self._root, symlinks=True)
        _damage(self._root / file, DAMAGES[damage])
        said = [self._say(*words) for words in (*looks, RUN)]
        found = list(self._flaws_of_rows(said[-1])) if said[-1].exit_code == 0 else []
        said.append(self._say(*REPLAY))
        found += [flaw for each in said for flaw in _flaws(each, file, damage)]
        return [f"{self._workspace.types['warehouse']}: {file} {damage}: {flaw}" for flaw in found]

    def _flaws_of_rows(self, ran: Said) -> Iterator[str]:
        told = "note:" in ran.text
        with self._workspace.reading() as rows:
            for stream in ("issues", "events", "files"):
                numbers = [n for (n,) in rows(stream, "n")]
                if numbers != list(range(1, ROWS + NEW + 1)) and not told:
                    yield f"{stream} holds {numbers}, and nobody was told"
        read = sum(self._workspace.last_run.read.values())
        if read > 3 * NEW and not told:
            yield f"{read} rows were read again, and nobody was told"

    def _say(self, *words: str) -> Said:
        out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
        with chdir(self._root), redirect_stdout(out), redirect_stderr(err):
            exit_code = main(words)
        texts = [stream.buffer.getvalue().decode() for stream in (out, err)]
        return Said(words, exit_code, "".join(texts))


@contextmanager
def damaged_workspace(folder: Path, destination: str) -> Iterator[DamagedWorkspace]:
    with patch.dict(os.environ, {"XDG_CONFIG_HOME": str(folder / "home"), "SHOP_TOKEN": "refresh-token-1"}):
        yield DamagedWorkspace(folder, destination)


def _damage(path: Path, change: Callable[[bytes], bytes | None]) -> None:
    content = change(path.read_bytes())
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)


def _flaws(said: Said, file: Path, damage: str) -> Iterator[str]:
    what = f"`orchestrator {' '.join(said.words)}` ({said.exit_code})"
    if "internal error" in said.text or "Traceback" in said.text:
        yield f"{what} breaks: {said.text[-600:]}"
    elif said.exit_code and said.words != ("doctor",):
        # Of a file that is gone it is enough to be told what is missing.
        if file.name not in said.text and damage != "deleted":
            yield f"{what} does not name the file: {said.text[-600:]}"
        elif "hint:" not in said.text:
            yield f"{what} has no hint: {said.text[-600:]}"
