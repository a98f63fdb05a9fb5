"""A tap that runs: a process in a session of its own, read in large blocks, never waited for without an end."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from orchestrator.supervisor.blocks import BLOCK, read_blocks
from orchestrator.supervisor.command import Command
from orchestrator.supervisor.launching import Launched
from orchestrator.supervisor.stderr import Stderr

GRACE = 5.0
"""Seconds that a tap has to end after SIGTERM before SIGKILL."""


class TapProcess:
    """One running tap. Leaving the block ends it and everything it started; so does our own end, whatever it is."""

    def __init__(
        self,
        command: Command,
        log: Path,
        *,
        scrub: Callable[[str], str] = str,
        grace: float = GRACE,
        pipe: int = BLOCK,
    ) -> None:
        self._launched = Launched(command, grace=grace, timeout=None, pipe=-1 if pipe == BLOCK else pipe)
        self._grace = grace
        self._pipe = pipe
        self.stderr = Stderr(self._launched.stderr, log, scrub)

    @property
    def pid(self) -> int:
        return self._launched.pid

    def blocks(self) -> Iterator[bytes]:
        """What the tap prints, as it comes; an empty block tells that nothing came for a moment. Ends with stdout, or
        with the tap: a process that it left behind may hold the pipe for ever."""
        gone = False
        for block in read_blocks(self._launched.stdout.fileno(), pipe=self._pipe):
            if not block and gone:
                return
            # What it said last may have come after this silence; then there is another one.
            gone = not block and self._launched.has_ended
            yield block

    def wait(self) -> int:
        """The exit code, once stdout has ended. A tap that closed stdout and goes on has `grace` seconds to end."""
        try:
            self._launched.wait(self._grace)
        except subprocess.TimeoutExpired:
            self.stop()
        self._launched.kill()
        self.stderr.wait(self._grace)
        return self._launched.exit_code

    def ask_to_end(self) -> None:
        """Sends SIGTERM and does not wait."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGTERM)

    def stop(self) -> None:
        """Ends the tap and everything it started: SIGTERM, and SIGKILL for what remains after the grace."""
        self._launched.end()
        try:
            self._launched.wait(self._grace + 1.0)
        except subprocess.TimeoutExpired:
            pass
        finally:
            # Also when whoever waits loses patience: one more Ctrl-C raises here.
            self._launched.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._launched.stdout:
            if not self._launched.has_ended:
                self.stop()
            self._launched.kill()
            self.stderr.wait(1.0)
