"""Hears a tap out, without anything of it landing: for who wants to know the tap, and not its source."""

import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from orchestrator.actions.starting import Prepared, command_of
from orchestrator.aside import folder_aside
from orchestrator.paths import Paths
from orchestrator.supervisor.command import Command, command_for
from orchestrator.supervisor.process import GRACE, TapProcess

NARROW = 4096
"""Bytes of a pipe in which a tap cannot run far ahead of who listens."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a sync is heard at most: so many records (0: all), for so many seconds. Of each stream only the
    first `each` records are remembered (0: all)."""

    seconds: float
    records: int = 0
    each: int = 0


@dataclass(frozen=True, slots=True)
class Heard:
    """What a tap said until its end, or until it was cut off.

    `lines` are those of its stdout without their ends, `torn` is what came after the last one; `log` is its stderr,
    with the secrets in it. `cut` says why it was not heard out; None when it ended by itself. `leave` are the seconds
    that it took to end when it was asked to; None when nobody asked, or when it did not.
    """

    lines: tuple[bytes, ...]
    torn: bytes
    log: str
    exit_code: int
    cut: str | None = None
    leave: float | None = None


class _Envelope(msgspec.Struct):
    type: str
    stream: str = ""
    value: msgspec.Raw = msgspec.Raw()


_ENVELOPES = msgspec.json.Decoder(_Envelope)


def hear(
    paths: Paths, prepared: Prepared, limits: Limits, *, stop_after: int | None = None, told: bytes | None = None
) -> Heard:
    """Starts the tap and listens; after `stop_after` records it is asked to end, as a run is that is stopped. `told` is
    a config in the place of its own; what it writes into that one is not kept.

    Raises EnvironmentBroken.
    """
    with (
        folder_aside(paths.at_work) as work,
        _command(paths, prepared, work, told) as command,
        _unseen_log(work) as log,
        TapProcess(command, log, pipe=NARROW) as process,
    ):
        ear = _Ear(process, limits, stop_after)
        for block in process.blocks():
            ear.take(block)
            if ear.cut:
                process.stop()
                break
        exit_code = process.wait()
        leave = ear.seconds_since_asked() if ear.was_asked and not ear.cut else None
        return Heard(tuple(ear.lines), bytes(ear.torn), log.read_text(), exit_code, ear.cut, leave)


@contextmanager
def _unseen_log(work: Path) -> Iterator[Path]:
    """A file for a log with secrets in it: in memory where the system can, so that it dies with us however we die."""
    if not sys.platform.startswith("linux"):
        yield work / "tap.log"
        return
    descriptor = os.memfd_create("tap.log", os.MFD_CLOEXEC)
    try:
        yield Path(f"/dev/fd/{descriptor}")
    finally:
        os.close(descriptor)


def _command(paths: Paths, prepared: Prepared, work: Path, told: bytes | None) -> AbstractContextManager[Command]:
    if told is None:
        return command_of(paths, prepared, work)
    invocation = replace(prepared.invocation, config=told)
    return command_for(invocation, folder=paths.root, work=work, environ=os.environ)


def with_state(prepared: Prepared, state: bytes | None) -> Prepared:
    """The same, started from a state."""
    return replace(prepared, invocation=replace(prepared.invocation, state=state))


def states_in(lines: tuple[bytes, ...]) -> Iterator[bytes]:
    """The values of the STATE messages among lines, as they were written."""
    for line in lines:
        message = _envelope(line)
        if message and message.type == "STATE" and bytes(message.value):
            yield bytes(message.value)


def _envelope(line: bytes) -> _Envelope | None:
    """A message; None for a line that is none."""
    try:
        return _ENVELOPES.decode(line)
    except msgspec.DecodeError:
        return None


class _Ear:
    """Takes in what comes, and knows when it is enough."""

    def __init__(self, process: TapProcess, limits: Limits, stop_after: int | None) -> None:
        self.lines: list[bytes] = []
        self.torn = bytearray()
        self.cut: str | None = None
        self._process = process
        self._limits = limits
        self._stop_after = stop_after
        self._records = 0
        self._of_stream: Counter[str] = Counter()
        self._began = time.monotonic()
        self._asked: float | None = None

    @property
    def was_asked(self) -> bool:
        return self._asked is not None

    def seconds_since_asked(self) -> float:
        assert self._asked is not None
        return time.monotonic() - self._asked

    def take(self, block: bytes) -> None:
        self.torn += block
        *whole, rest = self.torn.split(b"\n")
        self.torn = bytearray(rest)
        for line in whole:
            self._take_line(bytes(line))
        if self._asked is None and time.monotonic() - self._began > self._limits.seconds:
            self.cut = f"it was heard for {self._limits.seconds:g} s"
        if self._asked is not None and self.seconds_since_asked() > GRACE:
            self.cut = f"it did not end within {GRACE:g} s"

    def _take_line(self, line: bytes) -> None:
        if self.cut:
            return
        message = _envelope(line)
        if message is None or message.type != "RECORD":
            self.lines.append(line)
        else:
            self._records += 1
            self._of_stream[message.stream] += 1
            if not self._limits.each or self._of_stream[message.stream] <= self._limits.each:
                self.lines.append(line)
            if self._records == self._stop_after:
                self._asked = time.monotonic()
                self._process.ask_to_end()
            if self._records == self._limits.records and self._asked is None:
                self.cut = f"{self._records} records were heard"
