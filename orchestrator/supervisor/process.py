"""A tap that runs: a process in a session of its own, read in large blocks, never waited for without an end."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from orchestrator.errors import EnvironmentBroken
from orchestrator.supervisor.blocks import read_blocks
from orchestrator.supervisor.command import Command
from orchestrator.supervisor.stderr import Stderr

GRACE = 5.0
"""Seconds that a tap has to end after SIGTERM before SIGKILL."""


class TapProcess:
    """One running tap. Leaving the block ends it and everything it started."""

    def __init__(self, command: Command, log: Path, *, scrub: Callable[[str], str] = str, grace: float = GRACE) -> None:
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
            )
        except OSError as error:
            raise EnvironmentBroken(
                f"{command.arguments[0]} cannot be started", cause=str(error), hint="orchestrator install"
            ) from error
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._stdout = self._process.stdout.fileno()
        self._grace = grace
        self.stderr = Stderr(self._process.stderr, log, scrub)

    @property
    def pid(self) -> int:
        return self._process.pid

    def blocks(self) -> Iterator[bytes]:
        """What the tap prints, as it comes; an empty block tells that nothing came for a moment. Ends with stdout."""
        return read_blocks(self._stdout)

    def wait(self) -> int:
        """The exit code, once stdout has ended. A tap that closed stdout and goes on has `grace` seconds to end."""
        try:
            self._process.wait(self._grace)
        except subprocess.TimeoutExpired:
            self.stop()
        self.stderr.wait(self._grace)
        return self._process.returncode

    def stop(self) -> None:
        """Ends the tap and every process of its session: SIGTERM, and SIGKILL for what remains after the grace."""
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(self._grace)
        self._signal(signal.SIGKILL)
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self.stop()
        else:
            # The tap is gone; what it left behind goes too.
            self._signal(signal.SIGKILL)
        self.stderr.wait(1.0)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a tap printed when it was asked one thing, and how it ended."""

    stdout: bytes
    last_lines: tuple[str, ...]
    exit_code: int


def ask(command: Command, log: Path, *, scrub: Callable[[str], str] = str) -> Answer:
    """Runs a tap to its end, for what it prints at once (a catalog)."""
    with TapProcess(command, log, scrub=scrub) as process:
        printed = b"".join(process.blocks())
        exit_code = process.wait()
        return Answer(printed, tuple(process.stderr.last), exit_code)
