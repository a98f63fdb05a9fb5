"""Which flows run at this moment, and the lock that only one run of a flow holds."""

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

from orchestrator import durable
from orchestrator.clock import rfc3339
from orchestrator.config import Config
from orchestrator.disk import refusals
from orchestrator.errors import AlreadyRunning
from orchestrator.events import Listener, Waiting, nobody
from orchestrator.paths import Paths

_SECONDS_A_TRY = 1.0


@contextmanager
def only_run_of(
    paths: Paths, flow: str, *, wait: float = 0.0, listen: Listener = nobody, hint: str | None = None
) -> Iterator[None]:
    """Holds the flow's OS lock. While another process does, it is waited for, `wait` seconds at most, and told.

    Raises AlreadyRunning, with who holds it, and with `hint` where it is no run that is held up; and for what a disk
    refuses meanwhile DestinationFull or DiskFailed.
    """
    deadline, told = time.monotonic() + wait, ""
    with ExitStack() as stack:
        stack.enter_context(refusals(paths.flow(flow)))
        while True:
            # When somebody else comes before us, it is tried anew: the note tells since when we run, not since we wait.
            left = min(deadline - time.monotonic(), _SECONDS_A_TRY) if told else 0.0
            try:
                note = f"pid {os.getpid()}, started {rfc3339()}"
                stack.enter_context(durable.lock(paths.running(flow), note=note, wait=left))
                break
            except durable.Held as held:
                if time.monotonic() >= deadline:
                    raise _running_already(flow, held.note, hint) from held
                if held.note != told:
                    told = held.note
                    listen(Waiting(f'"{flow}" is running ({told})'))
        yield


def refuse_second_run(paths: Paths, flow: str) -> None:
    """Raises AlreadyRunning when the flow runs. Whoever holds the lock is asked, and nothing is held."""
    if (holder := durable.holder(paths.running(flow))) is not None:
        raise _running_already(flow, holder)


def running_flows(paths: Paths, config: Config, environment: str) -> list[str]:
    """The flows whose tap runs in this environment now."""
    return [
        flow.name
        for flow in config.flows.values()
        if config.tap(flow.tap).environment == environment and durable.holder(paths.running(flow.name)) is not None
    ]


def refuse_while_running(paths: Paths, flows: Iterable[str], what: str) -> None:
    """Raises AlreadyRunning, which says that `what` has to wait, when one of the flows runs. What it runs in must not
    be taken away from under it."""
    for flow in flows:
        if (holder := durable.holder(paths.running(flow))) is not None:
            raise AlreadyRunning(
                f'flow "{flow}" is running, so {what}',
                cause=holder or None,
                data="nothing was changed",
                hint="wait for its end, or stop it with Ctrl-C",
            )


def _running_already(flow: str, holder: str, hint: str | None = None) -> AlreadyRunning:
    return AlreadyRunning(
        f'"{flow}" is running already ({holder})',
        data="nothing was changed",
        hint=hint or f"orchestrator run {flow} --wait",
    )
