"""What surrounds a run: the record of how it went, the reports on the way."""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from orchestrator.actions.landing import Landing
from orchestrator.config import Config, Flow
from orchestrator.destinations import Destination, open_destination
from orchestrator.disk import refusals
from orchestrator.errors import OrchestratorError, Stopped, UsageError
from orchestrator.events import Event, Listener, Note, Progress
from orchestrator.load.commit import Commit
from orchestrator.protocol.bookmarks import bookmarks
from orchestrator.secrets import Redaction
from orchestrator.state import Failure, Kind, Run, Runs

_SECONDS_BETWEEN_REPORTS = 0.2


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a run came to. `bookmarks` are those of its last commit, by stream; `commits` counts its commits."""

    run: Run
    commits: int
    bookmarks: Mapping[str, str]


@contextmanager
def refusal_recorded(runs: Runs, flow: Flow, due: str | None) -> Iterator[None]:
    """A run that cannot even begin is written down as one, unless it was asked for in a way that cannot be meant: who
    is told of failures has to hear of it, and of its end."""
    before = runs.numbers()
    try:
        yield
    except OrchestratorError as error:
        if not isinstance(error, UsageError | Stopped) and runs.numbers() == before:
            with suppress(OrchestratorError):
                runs.refused(flow.tap, flow.destination, due, Failure.of(error), error.exit_code, pid=os.getpid())
        raise


def destination_of(config: Config, flow: Flow, listen: Listener, *, to: str | None = None) -> Destination:
    """The destination of a flow (or the one named `to`), opened for its tables."""
    destination = config.destination(to or flow.destination)
    schema = destination.schema.format(flow=flow.name, tap=flow.tap)
    return open_destination(destination.type, destination.path, schema, listen)


class Recording:
    """A run while it lasts: how its rows land, what its record says so far, and what listeners are told."""

    def __init__(self, run: Run, landing: Landing, listen: Listener) -> None:
        self.run = run
        self.bytes = 0
        self.metrics: Mapping[str, float] = {}
        self.tap_memory = 0
        self.landing = landing
        self.listen = listen
        self._began = time.monotonic()
        self._told = 0.0

    def report(self, *, now: bool) -> None:
        """Tells where the run stands; a few times a second, or `now`."""
        seconds = time.monotonic() - self._began
        if now or seconds - self._told >= _SECONDS_BETWEEN_REPORTS:
            self._told = seconds
            landing = self.landing
            self.listen(
                Progress(
                    self.run.flow,
                    self.run.number,
                    seconds,
                    dict(landing.read),
                    dict(landing.committed),
                    shown_bookmarks(landing.last),
                )
            )

    def counted(self) -> Run:
        """The run with all that was counted."""
        landing = self.landing
        wrote = landing.last.number if landing.last and landing.commits else None
        return replace(
            self.run,
            read=dict(landing.read),
            committed=dict(landing.committed),
            quarantined=dict(landing.quarantined),
            first_commit=None if wrote is None else wrote - landing.commits + 1,
            last_commit=wrote,
            bytes=self.bytes,
            metrics=self.metrics,
            tap_memory=self.tap_memory,
        )

    def ended(self) -> RunReport:
        return RunReport(self.run, self.landing.commits, shown_bookmarks(self.landing.last))


@contextmanager
def recorded(runs: Runs, run: Run, landing: Landing, listen: Listener, redaction: Redaction) -> Iterator[Recording]:
    """Writes down how the run ended, whatever way it ended. `redaction` takes secrets out of what an error says."""
    recording = Recording(run, landing, listen)
    try:
        with refusals(runs.folder):
            yield recording
    except BaseException as error:
        redaction.over(error)
        recording.run = runs.end(_with_outlines(runs, recording), error)
        raise
    recording.run = runs.end(_with_outlines(runs, recording))


def _with_outlines(runs: Runs, recording: Recording) -> Run:
    """The run as it was counted, with what its streams looked like over what was known of others. An archive tells how
    they looked once."""
    run, seen = recording.counted(), recording.landing.outlines
    if run.kind is Kind.REPLAY or not seen:
        return run
    outlines = runs.documents.keep_outlines({**runs.documents.outlines(run.ran_with.outlines), **seen})
    return replace(run, ran_with=replace(run.ran_with, outlines=outlines))


def without_secrets(listen: Listener, redaction: Redaction) -> Listener:
    """The same listener, who hears no secret of what a tap said."""

    def hear(event: Event) -> None:
        listen(Note(redaction.redact(event.text)) if isinstance(event, Note) else event)

    return hear


def shown_bookmarks(commit: Commit | None) -> dict[str, str]:
    return bookmarks(commit.state if commit else None)
