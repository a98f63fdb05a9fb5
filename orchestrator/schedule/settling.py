"""A run that ended: what is written down of it, and what of it is told."""

import os
import signal
from collections.abc import Iterator
from datetime import datetime

from orchestrator import durable
from orchestrator.actions.scheduled import past_of
from orchestrator.cadence.turn import TOO_MANY
from orchestrator.clock import rfc3339
from orchestrator.config import Flow
from orchestrator.paths import Paths
from orchestrator.schedule.children import Child
from orchestrator.state import Pause, Plans, Runs

BUSY = 5
"""The exit code of a run that found another one of its flow at work."""
_STOPPED = (130, 143, -signal.SIGINT, -signal.SIGTERM)
"""Those of one that was asked to stop."""


def settle(paths: Paths, flow: Flow, child: Child, exit_code: int, now: datetime) -> Iterator[str]:
    """What is to be told of a run that ended. One that could not even begin is written down, so that it counts as one;
    a flow that failed too often is paused."""
    name = flow.name
    if exit_code and exit_code not in _STOPPED:
        _write_down(paths, flow, child, exit_code)
    yield f"{name} ended {'well' if exit_code == 0 else f'with exit code {exit_code}'}"
    if flow.schedule is None or exit_code == 0:
        return
    past = past_of(paths, flow, now)
    if past.in_a_row and past.in_a_row % TOO_MANY == 0:
        why = f"it failed {past.in_a_row} times in a row"
        Plans(paths).pause(name, Pause(rfc3339(now), why))
        yield f"{name} is paused: {why}; orchestrator resume {name}"
    elif past.last is not None and past.last.is_final:
        yield f"{name} needs you: orchestrator status {name}"


def _write_down(paths: Paths, flow: Flow, child: Child, exit_code: int) -> None:
    """A run that could not even begin left no record; without one it would be started again and again."""
    due, runs = child.due.isoformat(), Runs(paths, flow.name)
    try:
        with durable.lock(paths.running(flow.name), note=f"pid {os.getpid()}"):
            last = runs.last()
            if last is None or last.pid != child.pid:
                runs.refused(flow.tap, flow.destination, due, child.failure(), exit_code)
    except durable.Held:
        # Somebody runs it by hand, which is better.
        return
