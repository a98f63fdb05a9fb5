"""What a tap said on stderr during a run: plain text, line by line, also while it is being written."""

import time
from collections.abc import Iterator

from orchestrator.paths import Paths
from orchestrator.state.runs import Runs, Status

_PAUSE = 0.2


def read_log(paths: Paths, flow: str, run: int, *, follow: bool = False) -> Iterator[str]:
    """The lines of a run's log, without their ends; none when the tap said nothing.

    `follow` goes on while the run lasts, and ends with it. Raises UnknownName when there is no such run.
    """
    runs, path = Runs(paths, flow), paths.tap_log(flow, run)
    lasts = runs.find(run).status is Status.RUNNING
    while not path.exists():
        if not (follow and lasts):
            return
        time.sleep(_PAUSE)
        lasts = runs.find(run).status is Status.RUNNING
    with path.open("rb") as file:
        line = b""
        while True:
            for part in file:
                line += part
                if line.endswith(b"\n"):
                    yield line.rstrip(b"\r\n").decode(errors="replace")
                    line = b""
            if not (follow and lasts):
                break
            time.sleep(_PAUSE)
            # Asked before the next look, so that the last words of the run are still read.
            lasts = runs.find(run).status is Status.RUNNING
        if line:
            yield line.decode(errors="replace")
