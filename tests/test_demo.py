"""`make demo`, in a copy of the sample workspace: it can be repeated, and interrupted, and leaves nothing running."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from orchestrator import Workspace
from tests.docs.markdown import ROOT
from tests.workspaces import wait_until

pytestmark = pytest.mark.index


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What git has of the sample workspace."""
    for name in ("orchestrator.toml", "envs/gitlab.lock", "examples/demo.py", "examples/fingerprints.sql"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def start(clone: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, clone / "examples" / "demo.py"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "ORCHESTRATOR_WORKSPACE": "/somewhere/else"},
        start_new_session=True,
    )


def running_in(folder: Path) -> list[str]:
    """The processes that work in a folder, or in one below: taps do."""
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(folder):
                found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found


def test_the_demo_runs_again_and_again_and_leaves_a_workspace_to_look_at(clone):
    first, _ = (demo := start(clone)).communicate()
    assert demo.returncode == 0, first
    second, _ = (demo := start(clone)).communicate()
    assert demo.returncode == 0, second

    assert "removing data/warehouse.duckdb, data/lake, state/gitlab of the last demo" in second
    assert "✓ Both hold the same rows now" in second
    assert running_in(clone) == []
    for name in ("orchestrator.toml", "envs/gitlab.lock"):
        assert (clone / name).read_bytes() == (ROOT / name).read_bytes()
    workspace = Workspace.open(clone)
    assert [run.number for run in workspace.runs("gitlab")] == [4, 3, 2, 1]
    for destination in ("warehouse", "lake"):
        (counted,) = workspace.query("select count(*) as issues from gitlab.issues", to=destination).to_pylist()
        assert counted == {"issues": 2500}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_that_is_interrupted_while_the_tap_reads_leaves_nothing_running(clone, number):
    with start(clone) as demo:
        wait_until(lambda: [each for each in running_in(clone) if "--config" in each and "--discover" not in each])
        # As a terminal does: Ctrl-C goes to everything in the foreground.
        os.killpg(demo.pid, number)
        demo.communicate()

    assert demo.returncode == 128 + number
    assert running_in(clone) == []
