"""`down`: asks the process that keeps the schedules to end, and waits until it did."""

import contextlib
import os
import re
import signal
import time

from orchestrator import durable
from orchestrator.paths import Paths
from orchestrator.schedule.asking import Ask, ask

_PAUSE = 0.1


def end_up(paths: Paths) -> int | None:
    """The pid of the process that ended; None when there was none."""
    held = durable.holder(paths.up)
    found = re.fullmatch(r"pid (\d+)", held or "")
    if found is None:
        return None
    if ask(paths, Ask.DOWN) is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(found[1]), signal.SIGTERM)
    while durable.holder(paths.up) == held:
        time.sleep(_PAUSE)
    return int(found[1])
