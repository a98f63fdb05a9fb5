"""Fixtures of the command line: the real command, and a workspace to call it in."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.workspaces import FakeWorkspace

COMMAND = [sys.executable, "-m", "orchestrator"]


@dataclass(frozen=True, slots=True)
class Said:
    """What a command said on either stream, and its exit code."""

    exit_code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)

    @property
    def next(self) -> str:
        """The command that was proposed at the end."""
        return self.err.splitlines()[-1].removeprefix("Next  ")


Orchestrator = Callable[..., Said]


def surroundings(**environ: str) -> dict[str, str]:
    """The environment of a command: ours, without what would decide for it."""
    deciding = ("ORCHESTRATOR_", "PYTHONUNBUFFERED", "NO_COLOR")
    ours = {name: value for name, value in os.environ.items() if not name.startswith(deciding)}
    return ours | {"TZ": "UTC", "COLUMNS": "100"} | environ


@pytest.fixture
def orchestrator(tmp_path: Path) -> Orchestrator:
    """Runs a command line in the test's folder."""

    def run(*words: str, stdin: str = "", at: Path = tmp_path, **environ: str) -> Said:
        ended = subprocess.run(
            [*COMMAND, *words], cwd=at, env=surroundings(**environ), input=stdin, capture_output=True, text=True
        )
        return Said(ended.returncode, ended.stdout, ended.stderr)

    return run


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Starts a command line in the test's folder, with pipes. It does not outlive the test, nor keeps it waiting."""
    with contextlib.ExitStack() as started:

        def begin(*words: str, **options: Any) -> Any:
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
            settings = {"cwd": tmp_path, "env": surroundings(), "text": True, **pipes, **options}
            process = started.enter_context(subprocess.Popen([*COMMAND, *words], **settings))
            started.callback(process.kill)
            patience = threading.Timer(60, process.kill)
            started.callback(patience.cancel)
            patience.start()
            return process

        yield begin


@pytest.fixture
def shop(tmp_path: Path) -> FakeWorkspace:
    """The flow `shop` from the fake tap, which has three issues, to a DuckDB file."""
    workspace = FakeWorkspace(tmp_path)
    workspace.source(issues={"rows": 3})
    return workspace
