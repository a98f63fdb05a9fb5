"""Loads what a run read once more, from its archive; the tap is not started."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import islice

from orchestrator.actions.landing import Intent, Landing, now
from orchestrator.actions.recording import RunReport, destination_of, only_run_of, recorded
from orchestrator.config import Config
from orchestrator.errors import RunFailed, UnknownName, UsageError
from orchestrator.events import Committed, Listener, nobody
from orchestrator.load.commit import Commit, CommitPolicy, Rewind, checkpoints
from orchestrator.paths import Paths
from orchestrator.protocol.messages import Message, State, read_messages
from orchestrator.protocol.records import Records
from orchestrator.state import CommitLog, Run, Runs, Status, read_archive
from orchestrator.supervisor.batch_files import batch_reader
from orchestrator.supervisor.stopping import Stop


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a replay would load: rows per stream, and where."""

    flow: str
    run: int
    destination: str
    rows: dict[str, int]


def rehearse(paths: Paths, config: Config, name: str, *, run: int, to: str | None = None) -> Rehearsal:
    """Reads the archive of a run and writes nothing. Raises as `replay` does."""
    flow = config.flow(name)
    archived = _archived(paths, name, run)
    rows: dict[str, int] = {}
    for message in _whole(paths, archived):
        if isinstance(message, Records):
            rows[message.stream] = rows.get(message.stream, 0) + len(message)
    return Rehearsal(name, run, config.destination(to or flow.destination).id, rows)


def replay(
    paths: Paths,
    config: Config,
    name: str,
    *,
    run: int,
    to: str | None = None,
    stop: Stop | None = None,
    listen: Listener = nobody,
) -> RunReport:
    """Loads the messages of run number `run` again, into the flow's own destination or the one named `to`.

    Another destination ends up as if the flow had always gone there. In its own, the bookmark stays as it is, rows
    without a key take the place of those that the run brought, and only the last run can be replayed: an earlier
    one would lay older rows over newer ones.

    Raises UnknownName when there is no such run or its archive is gone, UsageError, RunFailed or DestinationError.
    """
    flow = config.flow(name)
    stop = Stop() if stop is None else stop
    archived = _archived(paths, name, run)
    elsewhere = to is not None and to != flow.destination
    with ExitStack() as stack:
        stack.enter_context(only_run_of(paths, name))
        destination = stack.enter_context(destination_of(config, flow, listen, to=to))
        last = destination.last_commit(name)
        log = CommitLog(paths, name)
        if not elsewhere:
            log.catch_up(last)
        rewind = None if elsewhere else _rewind(archived, last, log)
        runs = Runs(paths, name)
        again = runs.begin(
            tap=flow.tap,
            package=archived.package,
            destination=to or flow.destination,
            replay_of=run,
            after=last.run if last else 0,
        )
        intent = Intent(
            name,
            again.number,
            flow.mode,
            rewind=rewind,
            keep_state=not elsewhere,
            complete=archived.status is Status.SUCCEEDED,
        )
        landing = Landing(destination, intent, last, listen)
        with recorded(runs, again, landing, listen) as recording, stop.on_signals():
            steps = checkpoints(
                _whole(paths, archived),
                CommitPolicy(flow.commit_rows, flow.commit_seconds),
                table_of=landing.table_of,
                clock=time.monotonic,
                now=now,
                sequence=landing.sequence,
                hurry=lambda: bool(stop),
            )
            for step in steps:
                commit = landing.take(step)
                recording.report(now=commit is not None)
                if commit is not None:
                    listen(Committed(name, again.number, commit.number, commit.rows))
                    if not elsewhere:
                        log.record(commit)
        return recording.ended()


def _archived(paths: Paths, flow: str, number: int) -> Run:
    run = Runs(paths, flow).find(number)
    if not paths.archive(flow, number).exists():
        raise UnknownName(
            f'run {number} of "{flow}" has no archive',
            cause="it read nothing, or its archive was pruned ([retention] archives in orchestrator.toml)",
            data="nothing was changed",
            hint=f"orchestrator runs {flow}",
        )
    return run


def _whole(paths: Paths, run: Run) -> Iterator[Message]:
    """The messages of a run; those of one that did not end well only up to its last STATE."""
    messages = _messages(paths, run)
    return messages if run.status is Status.SUCCEEDED else islice(messages, _count_to_last_state(paths, run))


def _count_to_last_state(paths: Paths, run: Run) -> int:
    count = 0
    # What broke the run breaks its archive at the same place.
    with suppress(RunFailed):
        for number, message in enumerate(_messages(paths, run), 1):
            if isinstance(message, State):
                count = number
    return count


def _messages(paths: Paths, run: Run) -> Iterator[Message]:
    # A run that ended well is taken as complete, so its archive has to be.
    blocks = read_archive(paths.archive(run.flow, run.number), whole=run.status is Status.SUCCEEDED)
    return read_messages(blocks, batch_reader((paths.root,), paths.root))


def _rewind(archived: Run, last: Commit | None, log: CommitLog) -> Rewind | None:
    if last is None:
        return None
    if archived.number != last.run:
        raise UsageError(
            f"run {archived.number} is not the last one that committed: that is run {last.run}",
            cause="replaying it here would lay older rows over newer ones",
            data="nothing was changed",
            hint=f"orchestrator replay {archived.flow} --run {archived.number} --to DESTINATION",
        )
    commits = [commit for commit in log.commits() if commit.run == archived.number]
    before = min(commit.number for commit in commits) - 1
    return Rewind(log.find(before).sequence if before else 0, until=last.sequence)
