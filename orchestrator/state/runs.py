"""The runs of a flow: who ran when, how it ended, and what it brought."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Self

import msgspec

from orchestrator import durable
from orchestrator.clock import rfc3339
from orchestrator.config import USUAL_SCRUTINY, Scrutiny
from orchestrator.errors import OrchestratorError, Stopped, UnknownName
from orchestrator.paths import Paths
from orchestrator.state.circumstances import UNKNOWN, Circumstances, Documents
from orchestrator.state.disk import writing


class Status(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    """Its process is at work."""
    SUCCEEDED = "succeeded"
    """The tap ended well and everything it sent is committed."""
    FAILED = "failed"
    """It ended with an error; what was committed stays."""
    STOPPED = "stopped"
    """Somebody asked it to stop, and it did after a commit."""
    CRASHED = "crashed"
    """Its process is gone without having written how it ended; what was committed stays."""
    DAMAGED = "damaged"
    """Its run.json is not what was written, so nobody knows."""


class Kind(StrEnum):
    """What a run reads."""

    RUN = "run"
    """The source, through the tap."""
    REPLAY = "replay"
    """The archive of an earlier run."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The words of an error, as they were said when the run ended."""

    message: str
    cause: str | None = None
    data: str | None = None
    hint: str | None = None

    @classmethod
    def of(cls, error: BaseException) -> Self:
        if isinstance(error, OrchestratorError):
            return cls(error.message, error.cause, error.data, error.hint)
        return cls(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a flow. Times are RFC 3339; records are counted per stream, and what is `quarantined` also under
    "", where a line was a record of none; `bytes` are those of its messages.

    `due` is the time of the flow's schedule that it was started for, None for one that a person started.
    `from_commit` is the commit whose state it started from when it was not the last one; `afresh` names the streams
    that it read from their beginning ("": all) to replace their rows; `replay_of` the run whose archive it read;
    `scrutiny` is how it looked at lines, `ran_with` names what it ran with.
    `first_commit` and `last_commit` are those it wrote. `metrics` are those of the tap's log, `tap_memory` is the
    most that a process of it took, in bytes.
    Of a damaged run all but flow, number and error is empty.
    """

    flow: str
    number: int
    status: Status
    tap: str = ""
    package: str = ""
    destination: str = ""
    pid: int = 0
    started: str = ""
    ended: str | None = None
    due: str | None = None
    from_commit: int | None = None
    afresh: tuple[str, ...] = ()
    replay_of: int | None = None
    scrutiny: Scrutiny = USUAL_SCRUTINY
    ran_with: Circumstances = UNKNOWN
    first_commit: int | None = None
    last_commit: int | None = None
    read: Mapping[str, int] = field(default_factory=dict)
    committed: Mapping[str, int] = field(default_factory=dict)
    quarantined: Mapping[str, int] = field(default_factory=dict)
    bytes: int = 0
    metrics: Mapping[str, float] = field(default_factory=dict)
    tap_memory: int = 0
    error: Failure | None = None
    exit_code: int | None = None

    @property
    def kind(self) -> Kind:
        return Kind.RUN if self.replay_of is None else Kind.REPLAY


class Runs:
    """The runs of one flow. Whoever begins, updates or ends one holds the flow's OS lock; anybody may read."""

    def __init__(self, paths: Paths, flow: str) -> None:
        self.documents = Documents(paths, flow)
        self._paths = paths
        self._flow = flow

    @property
    def folder(self) -> Path:
        return self._paths.runs(self._flow)

    def begin(
        self,
        *,
        tap: str,
        package: str,
        destination: str,
        from_commit: int | None = None,
        afresh: tuple[str, ...] = (),
        replay_of: int | None = None,
        scrutiny: Scrutiny = USUAL_SCRUTINY,
        ran_with: Circumstances = UNKNOWN,
        due: str | None = None,
        after: int = 0,
    ) -> Run:
        """A new run of this process, with a folder of its own.

        Its number is higher than that of any run whose folder is there, and than `after`: the run that wrote the
        destination's last commit, so that numbers do not repeat when state/ was lost. Raises DestinationFull,
        RunFailed.
        """
        self._sweep()
        run = Run(
            self._flow,
            self._next_number(after),
            Status.RUNNING,
            tap,
            package,
            destination,
            pid=os.getpid(),
            started=rfc3339(),
            due=due,
            from_commit=from_commit,
            afresh=afresh,
            replay_of=replay_of,
            scrutiny=scrutiny,
            ran_with=replace(ran_with, outlines=self._outlines_so_far()),
        )
        self.update(run)
        return run

    def refused(
        self, tap: str, destination: str, due: str | None, failure: Failure, exit_code: int, *, pid: int = 0
    ) -> Run:
        """Writes down a run that could not begin. Raises DestinationFull, RunFailed."""
        at = rfc3339()
        run = Run(
            self._flow,
            self._next_number(),
            Status.FAILED,
            tap,
            destination=destination,
            pid=pid,
            started=at,
            ended=at,
            due=due,
            ran_with=Circumstances(outlines=self._outlines_so_far()),
            error=failure,
            exit_code=exit_code,
        )
        self.update(run)
        return run

    def _outlines_so_far(self) -> str | None:
        last = self.last()
        return last.ran_with.outlines if last else None

    def _sweep(self) -> None:
        """Removes what the run before left aside, where it was killed."""
        before = [self._paths.run(self._flow, number) for number in self.numbers()[-1:]]
        for folder in (*before, self._paths.documents(self._flow)):
            for left in folder.glob(".*"):
                durable.remove(left)

    def _next_number(self, after: int = 0) -> int:
        return max([after, *self.numbers()]) + 1

    def update(self, run: Run) -> None:
        """Writes down where the run stands. Raises DestinationFull, RunFailed."""
        path = self._paths.record(self._flow, run.number)
        with writing("the record of the run,", path):
            durable.write(path, msgspec.json.format(msgspec.json.encode(run), indent=2) + b"\n")

    def end(self, run: Run, error: BaseException | None = None) -> Run:
        """Writes down how the run ended: with `error`, or well. Gives it with status, time and exit code."""
        ended = replace(
            run,
            status=_status_after(error),
            ended=rfc3339(),
            error=None if error is None else Failure.of(error),
            exit_code=_exit_code_after(error),
        )
        self.update(ended)
        return ended

    def numbers(self) -> list[int]:
        """The numbers of the runs that have a folder, rising."""
        try:
            names = os.listdir(self._paths.runs(self._flow))
        except FileNotFoundError:
            return []
        return sorted(int(name) for name in names if name.isdecimal())

    def all(self) -> list[Run]:
        """Every run, oldest first. A damaged one is among them, with the status that says so."""
        return [run for number in self.numbers() if (run := self.look_up(number))]

    def newest_first(self) -> Iterator[Run]:
        """Every run, the newest first, each read when it is asked for."""
        return (run for number in reversed(self.numbers()) if (run := self.look_up(number)))

    def last(self) -> Run | None:
        """The newest run."""
        return next(self.newest_first(), None)

    def mark(self, number: int) -> tuple[int, ...]:
        """Another value than before once a run began, or once that of this number, the newest, ended."""
        marks = []
        for path in (self._paths.runs(self._flow), self._paths.run(self._flow, number)):
            try:
                marks.append(path.stat().st_mtime_ns)
            except FileNotFoundError:
                marks.append(0)
        return tuple(marks)

    def find(self, number: int) -> Run:
        """Raises UnknownName."""
        run = self.look_up(number)
        if run is None:
            kept = self.numbers()
            raise UnknownName(
                f'there is no run {number} of "{self._flow}"',
                cause=f"those that are kept go from {kept[0]} to {kept[-1]}" if kept else "it never ran",
                hint=f"orchestrator runs {self._flow}" if kept else f"orchestrator run {self._flow}",
            )
        return run

    def look_up(self, number: int) -> Run | None:
        """None where there is no record. A run that a full disk kept from beginning has a folder all the same."""
        run = self._written(number)
        if run is None or run.status is not Status.RUNNING or self._is_alive(number):
            return run
        # It may have ended between the two looks.
        run = self._written(number)
        if run is None or run.status is not Status.RUNNING:
            return run
        gone = Failure(
            f"the process of run {number} (pid {run.pid}) is gone",
            cause="it was killed, or the machine went down",
            data="what was committed stays; the next run goes on from there",
            hint=f"orchestrator run {self._flow}",
        )
        return replace(run, status=Status.CRASHED, error=gone)

    def _is_alive(self, number: int) -> bool:
        """The lock tells that a run is at work, and it can only be the newest."""
        return number == self.numbers()[-1] and durable.holder(self._paths.running(self._flow)) is not None

    def _written(self, number: int) -> Run | None:
        path = self._paths.record(self._flow, number)
        try:
            return msgspec.json.decode(path.read_bytes(), type=Run)
        except FileNotFoundError:
            return None
        except (msgspec.DecodeError, OSError) as error:
            damage = Failure(
                f"{path} is not what was written",
                cause=str(error),
                data="no row is affected",
                hint=f"rm -r {path.parent}",
            )
            return Run(self._flow, number, Status.DAMAGED, error=damage)


def _status_after(error: BaseException | None) -> Status:
    match error:
        case None:
            return Status.SUCCEEDED
        case Stopped() | KeyboardInterrupt():
            return Status.STOPPED
        case _:
            return Status.FAILED


def _exit_code_after(error: BaseException | None) -> int:
    match error:
        case None:
            return 0
        case OrchestratorError():
            return error.exit_code
        case KeyboardInterrupt():
            return 130
        case _:
            return 1
