"""Couriers that are killed at any moment: every trouble is told, and what is told twice is counted."""

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from orchestrator.actions.deliver import deliver
from orchestrator.actions.take_notice import take_notice
from orchestrator.state import Notices, Status
from tests.faults.figures import Figure
from tests.notices.service import listening
from tests.workspaces import FakeWorkspace


@dataclass(frozen=True, slots=True)
class Told:
    """Messages that never came, that came more than once, and that still wait in the end."""

    lost: int
    doubled: int
    waiting: int


def told_though_killed(root: Path, kills: int, seed: int) -> Told:
    """A flow fails and recovers so many times; each time the courier is killed at a moment of its life, by lot."""
    draw = random.Random(seed)
    root.mkdir(parents=True, exist_ok=True)
    workspace = FakeWorkspace(root)
    with listening() as service:
        workspace.notify(name="team", to=service.address, on=["failed", "recovered"])
        life = _life_of_a_courier(workspace)
        service.taken.clear()
        for number in range(kills):
            _run_ends(workspace, 0 if number % 2 else 3)
            # What happened is noted, as a run does it at its end; then somebody brings it on its way.
            take_notice(workspace.paths, workspace.config, workspace.config.flows.values())
            with _courier(workspace) as courier:
                time.sleep(draw.uniform(0.0, life))
                courier.send_signal(signal.SIGKILL)
        deliver(workspace.paths, workspace.config)
        waiting = len(Notices(workspace.paths).read().waiting)
        came = Counter(title.split()[1] for title in service.titles)
        runs = Counter(message["message"].split()[1] for message in service.taken if " failed " in message["title"])
    recoveries = kills // 2 - came["recovered"]
    return Told(
        kills - kills // 2 - len(runs) + max(0, recoveries), came["failed"] - len(runs) + max(0, -recoveries), waiting
    )


def _life_of_a_courier(workspace: FakeWorkspace) -> float:
    """The seconds in which one that has a message brings it and ends."""
    _run_ends(workspace, 3)
    began = time.monotonic()
    with _courier(workspace) as courier:
        courier.wait()
    life = time.monotonic() - began
    _run_ends(workspace, 0)
    deliver(workspace.paths, workspace.config)
    return life


def _run_ends(workspace: FakeWorkspace, exit_code: int) -> None:
    runs = workspace.runs
    run = runs.begin(tap="fake", package="tap-fake 1.0", destination="warehouse")
    runs.update(
        replace(run, status=Status.FAILED if exit_code else Status.SUCCEEDED, ended=run.started, exit_code=exit_code)
    )


def _courier(workspace: FakeWorkspace) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "orchestrator", "notify", "deliver"],
        cwd=workspace.paths.root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def figures(folder: Path) -> Iterator[Figure]:
    kills = 100
    told = told_though_killed(folder, kills, seed=1)
    yield Figure(
        f"A courier is killed at any moment, {kills} times",
        "no message lost; few come twice",
        f"{told.lost} lost, {told.doubled} twice, {told.waiting} waiting",
        (told.lost, told.waiting) == (0, 0) and told.doubled <= kills // 10,
    )
