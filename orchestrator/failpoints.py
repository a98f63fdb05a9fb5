"""The steps between a message and its commit, at whose edges a test may kill a run or make it fail.

Nothing happens unless one is armed, by a variable of the environment:

    ORCHESTRATOR_FAILPOINT="before file.rename manifest-*:kill"     kill -9 before a manifest takes its place
    ORCHESTRATOR_FAILPOINT="before file.sync:error=EIO@3"           the third fsync of all fails; without @3, each does
    ORCHESTRATOR_FAILPOINT="after commit.tell:stop"                 holds there (SIGSTOP), for who watches from outside
"""

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Literal

VARIABLE = "ORCHESTRATOR_FAILPOINT"


class Step(StrEnum):
    """What is done on the way, as named in the variable. `tests/faults/kills.py` reaches each of them."""

    RECOVER = "recover"
    """A destination is asked for its last commit, and finishes or undoes what a crash left."""
    TAP_START = "tap.start"
    MESSAGES_TAKE = "messages.take"
    """Bytes that the tap printed go to the archive, before anybody reads them."""
    ARCHIVE_FRAME = "archive.frame"
    BATCH_STAGE = "batch.stage"
    BATCH_SPILL = "batch.spill"
    """Staged rows that are too many for the memory go to a file without a name."""
    COMMIT_WRITE = "commit.write"
    """All that a destination does to commit."""
    TRANSACTION_BEGIN = "transaction.begin"
    TRANSACTION_COMMIT = "transaction.commit"
    PART_END = "part.end"
    """A parquet file gets its footer and is closed."""
    PART_REWRITE = "part.rewrite"
    COMMIT_TELL = "commit.tell"
    """Whoever listens hears of a commit: it is acknowledged."""
    FILE_WRITE = "file.write"
    """A file is written aside, before it takes the place of another."""
    FILE_SYNC = "file.sync"
    FILE_RENAME = "file.rename"
    FILE_KEEP = "file.keep"
    """A file of a BATCH message gets a second name."""
    FILE_REMOVE = "file.remove"
    LINES_APPEND = "lines.append"
    FOLDER_SYNC = "folder.sync"
    FOLDER_REMOVE = "folder.remove"


@dataclass(frozen=True, slots=True)
class Point:
    """An edge of a step; `path` is the file or folder that the step is about, where it is about one."""

    moment: Literal["before", "after"]
    step: Step
    path: Path | None = None

    def __str__(self) -> str:
        return f"{self.moment} {self.step}" + (f" {self.path.name}" if self.path else "")


Hit = Callable[[Point], None]

_hit: Hit | None = None


def doing(step: Step, path: Path | None = None) -> contextlib.AbstractContextManager[None, None]:
    """The block is this step. Its second edge is only reached if the block succeeds."""
    return _NOTHING if _hit is None else _Edges(_hit, step, path)


def arm(hit: Hit | None) -> None:
    """From now on each edge that is reached is told to `hit`, which may raise, or end the process; None: to nobody."""
    global _hit
    _hit = hit


def failpoint(text: str) -> Hit:
    """What is written `MOMENT STEP [PATTERN]:ACTION[@COUNT]`: whenever that edge is reached, or only when it is for the
    COUNTth time, does the action. PATTERN is one of the shell, for the name of what the step is about.

    An action is `kill`, `stop`, or `error=NAME` with the name of an error of the system. Raises ValueError.
    """
    import errno
    import re
    import signal
    from fnmatch import fnmatchcase

    written = re.fullmatch(r"(before|after) (\S+)(?: (.+))?:(kill|stop|error=(E\w+))(?:@(\d+))?", text)
    if written is None or not hasattr(errno, written[5] or "EIO"):
        raise ValueError(f"{text!r} is no failpoint: MOMENT STEP [PATTERN]:ACTION[@COUNT]")
    moment, name, pattern, action, error, count = written.groups()
    at = Step(name)
    reached = 0

    def hit(point: Point) -> None:
        nonlocal reached
        about = point.path.name if point.path else ""
        if (point.moment, point.step) != (moment, at) or not fnmatchcase(about, pattern or "*"):
            return
        reached += 1
        if count is not None and reached != int(count):
            return
        if error is not None:
            number: int = getattr(errno, error)
            raise OSError(number, os.strerror(number), about or None)
        os.kill(os.getpid(), signal.SIGKILL if action == "kill" else signal.SIGSTOP)

    return hit


@dataclass(frozen=True, slots=True)
class _Edges:
    """A step that somebody watches."""

    hit: Hit
    step: Step
    path: Path | None

    def __enter__(self) -> None:
        self.hit(Point("before", self.step, self.path))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.hit(Point("after", self.step, self.path))


_NOTHING = contextlib.nullcontext()

if VARIABLE in os.environ:
    arm(failpoint(os.environ[VARIABLE]))
