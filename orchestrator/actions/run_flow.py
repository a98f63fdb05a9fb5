"""A run: the tap speaks, rows travel in batches, and each STATE that is due settles them in one commit."""

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from orchestrator import durable
from orchestrator.actions.landing import Intent, Landing, now, rfc3339
from orchestrator.actions.starting import Prepared, prepare, tap_failed, with_catalog
from orchestrator.config import Config, Flow, StreamSettings
from orchestrator.destinations import Destination, open_destination
from orchestrator.errors import AlreadyRunning, SilentTap, Stopped, UsageError
from orchestrator.events import Committed, Listener, Note, Progress, RunStarted, nobody
from orchestrator.load.commit import Commit, CommitPolicy, Rewind, checkpoints
from orchestrator.paths import Paths
from orchestrator.protocol.bookmarks import bookmarks, without_stream
from orchestrator.protocol.messages import read_messages
from orchestrator.state import ArchiveWriter, CommitLog, Run, Runs, prune
from orchestrator.supervisor.batch_files import batch_reader
from orchestrator.supervisor.command import command_for
from orchestrator.supervisor.process import TapProcess
from orchestrator.supervisor.stopping import Stop

EVERYTHING = None
"""In the place of stream names: all of them."""


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a run came to. `bookmarks` are those of its last commit, by stream; `commits` counts its commits."""

    run: Run
    commits: int
    bookmarks: Mapping[str, str]
    destination: str


def run_flow(
    paths: Paths,
    config: Config,
    name: str,
    *,
    full_refresh: frozenset[str] | None = frozenset(),
    from_commit: int | None = None,
    policy: CommitPolicy | None = None,
    stop: Stop | None = None,
    listen: Listener = nobody,
) -> RunReport:
    """Runs a flow from its bookmark to the end of its tap.

    `full_refresh` names streams to read from their beginning (EVERYTHING: all); their new rows take the place of
    the old ones when the run ends well. `from_commit` starts from the state of an earlier commit. `policy` is the
    flow's own unless given.

    Raises AlreadyRunning, NotInstalled, CredentialsError, DestinationError, RunFailed or Stopped. Whatever it
    raises, what was committed stays, and the next run goes on from there.
    """
    flow = config.flow(name)
    stop = stop or Stop()
    with ExitStack() as stack:
        stack.enter_context(only_run_of(paths, name))
        destination = stack.enter_context(destination_of(config, flow, listen))
        history = CommitLog(paths, name)
        last = destination.last_commit(name)
        for word in history.catch_up(last):
            listen(Note(word))
        prepared = with_catalog(paths, prepare(paths, config.tap(flow.tap)), listen)
        beginning = _beginning(flow, last, history, full_refresh, from_commit)
        prepared = replace(prepared, invocation=replace(prepared.invocation, state=beginning.state))
        runs = Runs(paths, name)
        run = runs.begin(
            tap=flow.tap,
            package=f"{prepared.receipt.package} {prepared.receipt.version}",
            destination=flow.destination,
            from_commit=from_commit,
            after=last.run if last else 0,
        )
        intent = Intent(
            name,
            run.number,
            flow.mode,
            keys=_keys(prepared),
            replication=_replication(prepared),
            afresh=full_refresh,
            rewind=beginning.rewind,
        )
        landing = Landing(destination, intent, last, listen)
        with recorded(runs, run, landing) as record, stop.on_signals():
            policy = policy or CommitPolicy(flow.commit_rows, flow.commit_seconds)
            _read_tap(paths, prepared, landing, history, record, policy, stop, listen)
        prune(paths, name, config.retention)
        return RunReport(record.run, landing.commits, shown_bookmarks(landing.last), flow.destination)


def _read_tap(
    paths: Paths,
    prepared: Prepared,
    landing: Landing,
    history: CommitLog,
    record: "Record",
    policy: CommitPolicy,
    stop: Stop,
    listen: Listener,
) -> None:
    """THE STORY: from the tap's first byte to its last commit."""
    run, folder = record.run, paths.run(record.run.flow, record.run.number)
    with (
        TemporaryDirectory(dir=folder, prefix="work-") as work,
        command_for(prepared.invocation, folder=paths.root, work=Path(work), environ=os.environ) as command,
        ArchiveWriter(paths.archive(run.flow, run.number)) as archive,
        TapProcess(command, folder / "tap.log", scrub=prepared.redaction.redact) as process,
    ):
        listen(RunStarted(run.flow, run.number, run.package, run.destination, process.pid))
        progress = _Reporting(record, landing, listen)
        steps = checkpoints(
            read_messages(
                _to_a_clean_end(process, prepared, archive, landing, record), batch_reader((paths.root,), paths.root)
            ),
            policy,
            table_of=landing.table_of,
            clock=time.monotonic,
            now=now,
            sequence=landing.sequence,
            hurry=lambda: bool(stop),
        )
        for step in steps:
            # The archive comes first: whatever a commit holds can be replayed.
            commit = landing.take(step, before_commit=archive.settle)
            if commit is not None:
                history.record(commit)
                listen(Committed(run.flow, run.number, commit.number, commit.rows))
            progress.tell(finished=commit is not None)
            if stop.signal is not None and not landing.unsettled:
                raise Stopped(
                    f'run {run.number} of "{run.flow}" was stopped after a commit',
                    signal=stop.signal,
                    data=f"{sum(landing.committed.values())} rows are committed; the next run goes on from there",
                    hint=f"orchestrator run {run.flow}",
                )
        record.metrics = dict(process.stderr.metrics)
    _check_streams(prepared, landing)


def _to_a_clean_end(
    process: TapProcess, prepared: Prepared, archive: ArchiveWriter, landing: Landing, record: "Record"
) -> Iterator[bytes]:
    """The blocks of a tap, archived on the way. They end only if the tap ended well."""
    for block in process.blocks():
        if block:
            archive.write(block)
            record.bytes += len(block)
        yield block
    if exit_code := process.wait():
        rows = sum(landing.committed.values())
        raise tap_failed(
            prepared,
            exit_code,
            process,
            "before its end",
            data=f"{rows} rows are committed; what came after the last commit is read again by the next run",
        )


def _check_streams(prepared: Prepared, landing: Landing) -> None:
    """A tap that ends well has to have said something, and of each selected stream at least its SCHEMA."""
    name = f"{prepared.receipt.package} {prepared.receipt.version}"
    if not landing.streams and not landing.heard_state:
        raise SilentTap(
            f"{name} ended well but said nothing",
            cause="a wrong option or an empty selection makes many taps silent",
            data="nothing was read; the bookmark is unchanged",
            hint=f"orchestrator select {prepared.tap.id}",
        )
    missing = [
        choice.stream.id
        for choice in prepared.choices
        if choice.selected and not landing.streams & {choice.stream.id, choice.stream.name, *choice.stream.aliases}
    ]
    if missing:
        raise SilentTap(
            f"{name} ended well but printed no SCHEMA for {', '.join(missing)}",
            cause="a stream that is selected has to be announced, rows or not",
            data="the other streams are committed",
            hint=f"orchestrator select {prepared.tap.id} {' '.join(f'!{stream}' for stream in missing)}",
        )


# ── where it begins ──────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Beginning:
    """The state that the tap is started with, and what goes with the first commit."""

    state: bytes | None
    rewind: Rewind | None = None


def _beginning(
    flow: Flow, last: Commit | None, history: CommitLog, full_refresh: frozenset[str] | None, from_commit: int | None
) -> _Beginning:
    if from_commit is not None:
        if full_refresh is EVERYTHING or full_refresh:
            raise UsageError("--from-commit and --full-refresh contradict each other")
        commit = history.find(from_commit)
        return _Beginning(commit.state, Rewind(commit.sequence))
    state = last.state if last else None
    if full_refresh is EVERYTHING or state is None:
        return _Beginning(None if full_refresh is EVERYTHING else state)
    for stream in sorted(full_refresh):
        state = without_stream(state, stream)
        if state is None:
            raise UsageError(
                f'the bookmark of "{stream}" cannot be found in the state of "{flow.name}"',
                cause="the tap keeps its state in a form of its own",
                data="nothing was changed",
                hint=f"orchestrator run {flow.name} --full-refresh",
            )
    return _Beginning(state)


def _keys(prepared: Prepared) -> dict[str, tuple[str, ...]]:
    """The keys that a person decided on, by the names that the streams may have in messages."""
    return {name: settings.key for name, settings in _settings(prepared) if settings.key is not None}


def _replication(prepared: Prepared) -> dict[str, str]:
    known = {name: settings.replication for name, settings in _settings(prepared) if settings.replication}
    for choice in prepared.choices:
        if choice.replication.method is not None:
            known |= dict.fromkeys({choice.stream.id, choice.stream.name}, choice.replication.method.value)
    return known


def _settings(prepared: Prepared) -> Iterable[tuple[str, StreamSettings]]:
    for name, settings in prepared.tap.streams.items():
        aliases = [choice.stream for choice in prepared.choices if name in choice.stream.aliases]
        for alias in {name} | {each for stream in aliases for each in (stream.id, stream.name)}:
            yield alias, settings


# ── what surrounds a run ─────────────────────────────────────────────────────────────────────────


@contextmanager
def only_run_of(paths: Paths, flow: str) -> Iterator[None]:
    """Holds the flow's OS lock. Raises AlreadyRunning, with who holds it."""
    try:
        with durable.lock(paths.running(flow), note=f"pid {os.getpid()}, started {rfc3339()}"):
            yield
    except durable.Held as held:
        raise AlreadyRunning(
            f'"{flow}" is running already ({held.note})',
            data="nothing was changed",
            hint=f"orchestrator status {flow}",
        ) from held


def destination_of(config: Config, flow: Flow, listen: Listener, *, to: str | None = None) -> Destination:
    """The destination of a flow (or the one named `to`), opened for its tables."""
    destination = config.destination(to or flow.destination)
    schema = destination.schema.format(flow=flow.name, tap=flow.tap)
    return open_destination(destination.type, destination.path, schema, listen)


def shown_bookmarks(commit: Commit | None) -> dict[str, str]:
    return bookmarks(commit.state if commit else None)


class Record:
    """The record of a run while it lasts."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.bytes = 0
        self.metrics: dict[str, float] = {}


@contextmanager
def recorded(runs: Runs, run: Run, landing: Landing) -> Iterator[Record]:
    """Writes down how the run ended, whatever way it ended."""
    record = Record(run)
    try:
        yield record
    except BaseException as error:
        record.run = runs.end(_counted(record, landing), error)
        raise
    record.run = runs.end(_counted(record, landing))


def _counted(record: Record, landing: Landing) -> Run:
    wrote = landing.last.number if landing.last and landing.commits else None
    return replace(
        record.run,
        read=dict(landing.read),
        committed=dict(landing.committed),
        first_commit=None if wrote is None else wrote - landing.commits + 1,
        last_commit=wrote,
        bytes=record.bytes,
        metrics=record.metrics,
    )


class _Reporting:
    """Tells listeners where the run stands, a few times a second at most."""

    def __init__(self, record: Record, landing: Landing, listen: Listener) -> None:
        self._record = record
        self._landing = landing
        self._listen = listen
        self._began = time.monotonic()
        self._told = 0.0

    def tell(self, *, finished: bool) -> None:
        seconds = time.monotonic() - self._began
        if not finished and seconds - self._told < 0.2:
            return
        self._told = seconds
        self._listen(
            Progress(
                self._record.run.flow,
                self._record.run.number,
                seconds,
                dict(self._landing.read),
                dict(self._landing.committed),
                shown_bookmarks(self._landing.last),
            )
        )
