"""Runs as a person starts them, on the command line: one to its end, and one that is killed."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping

from orchestrator import Workspace
from orchestrator.state import Status
from tests.workspaces import wait_until


def read_by(workspace: Workspace, flow: str) -> Mapping[str, int]:
    """How many records of each stream the next run reads, as `run --json` tells. It must succeed."""
    done = subprocess.run(_command(flow, "--json"), env=_environment(workspace), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (run,) = json.loads(done.stdout)["runs"]
    read: Mapping[str, int] = run["run"]["read"]
    return read


def kill_run(workspace: Workspace, flow: str, when: Callable[[], object]) -> None:
    """Starts a run that commits at each STATE, and ends it by SIGKILL when a moment has come."""
    command = _command(flow, "--commit-rows", "1")
    with subprocess.Popen(command, env=_environment(workspace), stderr=subprocess.PIPE) as process:
        try:
            wait_until(lambda: when() or process.poll() is not None, seconds=60)
        finally:
            process.kill()
        _, said = process.communicate()
    assert process.returncode == -signal.SIGKILL, said.decode()
    assert workspace.runs(flow)[0].status is Status.CRASHED


def _command(flow: str, *options: str) -> list[str]:
    return [sys.executable, "-m", "orchestrator", "run", flow, *options]


def _environment(workspace: Workspace) -> dict[str, str]:
    return {**os.environ, "ORCHESTRATOR_WORKSPACE": str(workspace.paths.root)}
