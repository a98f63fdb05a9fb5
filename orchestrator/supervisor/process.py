"""A tap that runs: a process in a session of its own, read in large blocks, never waited for without an end."""

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from orchestrator.failpoints import Step, doing
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
        self.over: str | None = None
        """What it took more of than its limits allow, by the name of the limit: it is being ended, or was, for that."""
        self.limits = command.limits
        with doing(Step.TAP_START):
            self._launched = Launched(command, grace=grace, pipe=-1 if pipe == BLOCK else pipe)
        self._grace = grace
        self._pipe = pipe
        self.stderr = Stderr(self._launched.stderr, log, scrub, command.limits.log_size)

    @property
    def memory(self) -> int:
        """Bytes that its largest process took at most; 0 until it has ended, and where nobody knows."""
        return self._launched.memory

    @property
    def pid(self) -> int:
        return self._launched.pid

    def blocks(self) -> Iterator[bytes]:
        """What the tap prints, as it comes; an empty block tells that nothing came for a moment. Ends with stdout, or
        with the tap: a process that it left behind may hold the pipe for ever."""
        gone = False
        heard_at = time.monotonic()
        for block in read_blocks(self._launched.stdout.fileno(), pipe=self._pipe):
            if block:
                heard_at = time.monotonic()
            elif gone:
                return
            elif self._is_idle_since(max(heard_at, self.stderr.heard_at)):
                self.over = "idle_timeout"
                self._launched.end()
            # What it said last may have come after this silence; then there is another one.
            gone = not block and self._launched.has_ended
            self.over = self.over or self._launched.over
            yield block

    def _is_idle_since(self, heard_at: float) -> bool:
        """Whether it kept silent too long. Nobody is idle who waits for us: this is asked when its pipe is empty."""
        longest = self.limits.idle_timeout
        return not self.over and longest is not None and time.monotonic() - heard_at > longest

    def wait(self) -> int:
        """The exit code, once stdout has ended. A tap that closed stdout and goes on has `grace` seconds to end."""
        try:
            self._launched.wait(self._grace)
        except subprocess.TimeoutExpired:
            self.stop()
        self._launched.kill()
        self.stderr.wait(self._grace)
        self.over = self.over or self._launched.over
        return self._launched.exit_code

    def ask_to_end(self) -> None:
        """Sends SIGTERM and does not wait."""
        self._launched.ask()

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
