"""A tap that runs: a process in a session of its own, read in large blocks, never waited for without an end."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from orchestrator.errors import EnvironmentBroken
from orchestrator.supervisor.blocks import BLOCK, read_blocks
from orchestrator.supervisor.command import Command
from orchestrator.supervisor.stderr import Stderr

GRACE = 5.0
"""Seconds that a tap has to end after SIGTERM before SIGKILL."""


class TapProcess:
    """One running tap. Leaving the block ends it and everything it started."""

    def __init__(
        self,
        command: Command,
        log: Path,
        *,
        scrub: Callable[[str], str] = str,
        grace: float = GRACE,
        pipe: int = BLOCK,
    ) -> None:
        try:
            self._process = subprocess.Popen(
                command.arguments,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(command.environment),
                cwd=command.folder,
                pass_fds=command.open_files,
                start_new_session=True,
                # Before it begins: a pipe in which more is waiting cannot be made narrower.
                pipesize=-1 if pipe == BLOCK else pipe,
            )
        except OSError as error:
            raise EnvironmentBroken(
                f"{command.arguments[0]} cannot be started", cause=str(error), hint="orchestrator install"
            ) from error
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._stdout = self._process.stdout.fileno()
        self._grace = grace
        self._pipe = pipe
        self.stderr = Stderr(self._process.stderr, log, scrub)

    @property
    def pid(self) -> int:
        return self._process.pid

    def blocks(self) -> Iterator[bytes]:
        """What the tap prints, as it comes; an empty block tells that nothing came for a moment. Ends with stdout, or
        with the tap: a process that it left behind may hold the pipe for ever."""
        gone = False
        for block in read_blocks(self._stdout, pipe=self._pipe):
            if not block and gone:
                return
            # What it said last may have come after this silence; then there is another one.
            gone = not block and self._process.poll() is not None
            yield block

    def wait(self) -> int:
        """The exit code, once stdout has ended. A tap that closed stdout and goes on has `grace` seconds to end."""
        try:
            self._process.wait(self._grace)
        except subprocess.TimeoutExpired:
            self.stop()
        # What it left behind would hold stderr open.
        self._signal(signal.SIGKILL)
        self.stderr.wait(self._grace)
        return self._process.returncode

    def ask_to_end(self) -> None:
        """Sends SIGTERM and does not wait."""
        self._signal(signal.SIGTERM)

    def stop(self) -> None:
        """Ends the tap and every process of its session: SIGTERM, and SIGKILL for what remains after the grace."""
        self._signal(signal.SIGTERM)
        try:
            self._process.wait(self._grace)
        except subprocess.TimeoutExpired:
            pass
        finally:
            # Also when whoever waits loses patience: one more Ctrl-C raises here.
            self._signal(signal.SIGKILL)
            self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdout is not None
        with self._process.stdout:
            if self._process.poll() is None:
                self.stop()
            self._signal(signal.SIGKILL)
            self.stderr.wait(1.0)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)
