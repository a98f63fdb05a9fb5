"""What a tap says on stderr: kept line by line, with the METRIC lines added up, and what tells of a bad end."""

import contextlib
import os
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from orchestrator.config.measures import size
from orchestrator.durable import PRIVATE_FILE
from orchestrator.protocol.metrics import metric_in

LAST_LINES = 20
_LONGEST_LINE = 1 << 20
"""Bytes; what a line has beyond them is left out. A tap may print without end, and never end a line."""
_MARGIN = 1 << 16
_LONGEST_REMEMBERED = 10_000
_REFUSALS = 10
_METRICS = 1000
# Answers that no retry mends, as requests, the Singer SDK and the taps of Stitch write them.
_REFUSED = re.compile(
    r"\b(?:HTTP[\w./-]*|status|code|response)(?: code| of| is| was)?\W{1,4}4(?:01|03|04|10)\b"
    r"|(?<!\d)4(?:01|03|04|10)(?: Client Error|:? (?:Unauthorized|Forbidden|Not Found|Gone)\b)",
    re.IGNORECASE,
)
# The Singer SDK says it when it is sent SIGTERM; then it ends with exit code 0.
_SHUTS_DOWN = "Gracefully shutting down"


class Stderr:
    """Drains a pipe into a log file in a thread of its own, so that a loud tap never waits for us.

    `last` holds the last lines; `heard_at` tells when the last one came, by the monotonic clock; `metrics` the counters
    of METRIC lines and the seconds of their timers, by metric and endpoint or stream: `record_count:issues`; `refusals`
    the first lines that tell of an HTTP 401, 403, 404 or 410. `was_stopped` is true of a tap that said it was sent a
    signal. Of more than `limit` bytes the log keeps the beginning, and the last lines.
    """

    def __init__(self, pipe: IO[bytes], log: Path, scrub: Callable[[str], str], limit: int) -> None:
        self.last: deque[str] = deque(maxlen=LAST_LINES)
        self.metrics: dict[str, float] = {}
        self.refusals: list[str] = []
        self.was_stopped = False
        self.heard_at = 0.0
        self._scrub = scrub
        self._limit = limit
        self._thread = threading.Thread(target=self._drain, args=(pipe, log), name="tap-stderr", daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> None:
        """Until all was read, but no longer: a grandchild may hold the pipe."""
        self._thread.join(seconds)

    def _drain(self, pipe: IO[bytes], log: Path) -> None:
        # A full disk must not stop the draining: the tap would hang on its pipe.
        with pipe, _opened(log) as file:
            written, is_full = 0, False
            for raw, is_whole in _lines(pipe):
                line = self._scrub(raw.decode(errors="replace"))
                if not is_whole:
                    # A secret that was cut in two is not known as one.
                    line = f"{line[:-_MARGIN]} [...]"
                self.heard_at = time.monotonic()
                self.last.append(line[:_LONGEST_REMEMBERED])
                self._notice(line)
                written += len(line) + 1
                with contextlib.suppress(OSError):
                    if written <= self._limit:
                        file.write(line + "\n")
                    elif not is_full:
                        is_full = True
                        file.write(
                            f"[{size(self._limit)}, the log_size: nothing is kept from here but the last lines]\n"
                        )
            if is_full:
                with contextlib.suppress(OSError):
                    file.write("\n".join((*self.last, "")))

    def _notice(self, line: str) -> None:
        self._count(line)
        self.was_stopped |= _SHUTS_DOWN in line
        if len(self.refusals) < _REFUSALS and _REFUSED.search(line):
            self.refusals.append(line)

    def _count(self, line: str) -> None:
        metric = metric_in(line)
        # A tap may name a page, or a row; and all of it is kept.
        if metric is not None and (metric.name in self.metrics or len(self.metrics) < _METRICS):
            self.metrics[metric.name] = self.metrics.get(metric.name, 0.0) + metric.value


@contextlib.contextmanager
def _opened(log: Path) -> Iterator[IO[str]]:
    """The file, or nothing at all where the disk has no room for one more."""
    try:
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE_FILE)
    except OSError:
        descriptor = os.open(os.devnull, os.O_WRONLY)
    file = os.fdopen(descriptor, "w", errors="replace", buffering=1)
    try:
        yield file
    finally:
        # What could not be written before is tried once more.
        with contextlib.suppress(OSError):
            file.close()


def _lines(pipe: IO[bytes]) -> Iterator[tuple[bytes, bool]]:
    """The lines without their ends, and whether they are whole: of one that is too long comes the beginning."""
    is_rest = False
    while part := pipe.readline(_LONGEST_LINE):
        has_end = part.endswith(b"\n")
        if not is_rest:
            yield part.rstrip(b"\n"), has_end or len(part) < _LONGEST_LINE
        is_rest = not has_end
