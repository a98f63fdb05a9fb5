"""A run: the tap speaks, rows travel in batches, and each STATE that is due settles them in one commit."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

from orchestrator.actions.beginning import Streams, beginning_of, intent_of
from orchestrator.actions.confining import kept_from_taps
from orchestrator.actions.ending import check_announced, check_exit, resumed, stopped
from orchestrator.actions.landing import Landing, now
from orchestrator.actions.leaving import leaving_no_secret
from orchestrator.actions.recording import (
    Recording,
    RunReport,
    destination_of,
    recorded,
    refusal_recorded,
    without_secrets,
)
from orchestrator.actions.remembering import circumstances_of
from orchestrator.actions.running import only_run_of
from orchestrator.actions.starting import (
    Prepared,
    broken_by_its_catalog,
    command_of,
    prepare,
    tap_failed,
    with_catalog,
)
from orchestrator.aside import folder_aside
from orchestrator.config import Config, Scrutiny
from orchestrator.events import Committed, Listener, Note, RunStarted, nobody
from orchestrator.failpoints import Step, doing
from orchestrator.load.commit import CommitPolicy, checkpoints
from orchestrator.load.generations import EVERY
from orchestrator.paths import Paths
from orchestrator.protocol.reading import read_messages
from orchestrator.state import ArchiveWriter, CommitLog, FilesWriter, Runs, prune
from orchestrator.supervisor.batch_files import batch_reader
from orchestrator.supervisor.process import TapProcess
from orchestrator.supervisor.stopping import Stop


def run_flow(
    paths: Paths,
    config: Config,
    name: str,
    *,
    full_refresh: Streams = frozenset(),
    from_commit: int | None = None,
    policy: CommitPolicy | None = None,
    scrutiny: Scrutiny | None = None,
    due: str | None = None,
    wait: float = 0.0,
    stop: Stop | None = None,
    listen: Listener = nobody,
) -> RunReport:
    """Runs a flow from its bookmark to the end of its tap.

    `full_refresh` names streams to read from their beginning (None: all of them); their new rows take the place of
    the old ones when the run ends well. `from_commit` starts from the state of an earlier commit. `policy` and
    `scrutiny` are the flow's own unless given. `due` is the time of its schedule (RFC 3339) that it is started for.
    Where the flow is running already, its end is awaited for `wait` seconds.

    Raises AlreadyRunning, NotInstalled, CredentialsError, DestinationError, RunFailed or Stopped. Whatever it
    raises, what was committed stays, and the next run goes on from there.
    """
    flow = config.flow(name)
    stop = Stop() if stop is None else stop
    with ExitStack() as stack:
        stack.enter_context(only_run_of(paths, name, wait=wait, listen=listen))
        runs = Runs(paths, name)
        if config.notify:
            stack.enter_context(refusal_recorded(runs, flow, due))
        destination = stack.enter_context(destination_of(config, flow, listen))
        history = CommitLog(paths, name)
        # The destination is the truth: after a crash the log may be one commit behind.
        last = destination.last_commit(name)
        for parting in history.catch_up(last):
            listen(Note(parting))

        prepared = prepare(paths, config.tap(flow.tap), listen)
        redaction = prepared.redaction
        stack.enter_context(redaction.over_errors())
        listen = without_secrets(listen, redaction)
        prepared = with_catalog(paths, prepared, listen)
        beginning = beginning_of(flow, prepared, last, history, full_refresh, from_commit)
        prepared = replace(prepared, invocation=replace(prepared.invocation, state=beginning.state))

        # From before it is written down: a run that began also ends as one.
        stack.enter_context(stop.on_signals())
        run = runs.begin(
            tap=flow.tap,
            package=prepared.name,
            destination=flow.destination,
            from_commit=from_commit,
            afresh=(EVERY,) if beginning.afresh is None else tuple(sorted(beginning.afresh)),
            scrutiny=scrutiny or flow.scrutiny,
            ran_with=circumstances_of(paths, runs.documents, flow, config.destination(flow.destination), prepared),
            due=due,
            after=last.run if last else 0,
        )
        # Also after a run that fails: one that fails every quarter of an hour must not fill the disk.
        stack.callback(prune, paths, name, flow.retention)
        intent = replace(intent_of(flow, prepared, run.number, beginning), scrutiny=run.scrutiny)
        landing = Landing(destination, intent, last, listen, redaction.redact)
        with recorded(runs, run, landing, listen, redaction) as recording:
            policy = policy or CommitPolicy(flow.commit_rows, flow.commit_seconds)
            _read_tap(paths, prepared, history, recording, policy, stop)
            check_announced(paths, prepared, recording, full_refresh)
        return recording.ended()


def _read_tap(
    paths: Paths, prepared: Prepared, history: CommitLog, recording: Recording, policy: CommitPolicy, stop: Stop
) -> None:
    """THE STORY: from the tap's first byte to its last commit."""
    run, landing, listen = recording.run, recording.landing, recording.listen
    files = FilesWriter(paths.batch_files(run.flow, run.number))
    with (
        leaving_no_secret(paths, run, prepared, landing),
        folder_aside(paths.at_work) as work,
        command_of(paths, prepared, work, listen) as command,
        ArchiveWriter(paths.archive(run.flow, run.number)) as archive,
        TapProcess(command, paths.tap_log(run.flow, run.number), scrub=prepared.scrub) as process,
    ):
        listen(RunStarted(run.flow, run.number, run.package, run.destination, process.pid))
        blocks = _to_a_clean_end(paths, process, prepared, history, archive, recording, stop)
        open_batch = batch_reader(
            (paths.root, work, *prepared.tap.allow_write),
            paths.root,
            closed=kept_from_taps(paths),
            limits=prepared.tap.limits,
            keep=files.keep,
        )
        steps = checkpoints(
            read_messages(blocks, open_batch, landing.scrutiny.validate),
            policy,
            table_of=landing.table_of,
            clock=time.monotonic,
            now=now,
            sequence=landing.sequence,
            on_bad_line=landing.scrutiny.on_bad_line,
            hurry=lambda: bool(stop) or process.over is not None,
        )

        def settle() -> None:
            archive.settle()
            files.settle()

        for step in steps:
            # The archive comes first: whatever a commit holds can be replayed.
            commit = landing.take(step, before_commit=settle)
            if commit is not None:
                history.record(commit)
                with doing(Step.COMMIT_TELL):
                    listen(Committed(run.flow, run.number, commit.number, commit.rows))
            recording.report(now=commit is not None)
            if stop.signal is not None and not landing.unsettled:
                raise stopped(recording, stop.signal)


def _to_a_clean_end(
    paths: Paths,
    process: TapProcess,
    prepared: Prepared,
    history: CommitLog,
    archive: ArchiveWriter,
    recording: Recording,
    stop: Stop,
) -> Iterator[bytes]:
    """The blocks of a tap, archived on the way. They end only if the tap ended well."""
    try:
        for block in process.blocks():
            if block:
                with doing(Step.MESSAGES_TAKE):
                    archive.write(block)
                recording.bytes += len(block)
            yield block
        exit_code = process.wait()
        if process.over:
            # One more silence: what came before the last STATE can still settle.
            yield b""
        if exit_code and not recording.landing.streams:
            broken = broken_by_its_catalog(paths, prepared, recording.run.flow, process)
            if broken:
                raise broken
        if exit_code or process.over:
            raise tap_failed(
                prepared,
                exit_code,
                process,
                "before its end",
                data=resumed(recording),
                hint=f"orchestrator logs {recording.run.flow}",
            )
        check_exit(prepared, process.stderr, history, recording, stop)
    finally:
        recording.metrics, recording.tap_memory = dict(process.stderr.metrics), process.memory
