"""Loads what a run committed once more, from its archive and in one commit; the tap is not started."""

import math
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from itertools import islice

from orchestrator.actions.confining import kept_from_taps
from orchestrator.actions.landing import Intent, Landing, now
from orchestrator.actions.recording import RunReport, destination_of, recorded, without_secrets
from orchestrator.actions.rules import Rules, rules_of
from orchestrator.actions.running import only_run_of
from orchestrator.actions.starting import prepare
from orchestrator.catalogs import choose, kept_catalog
from orchestrator.config import Config, Flow, OnBadLine, Scrutiny, Tap
from orchestrator.errors import OrchestratorError, RunFailed, Stopped, UnknownName, UsageError
from orchestrator.events import Committed, Listener, Note, nobody
from orchestrator.load.commit import Checkpoint, Commit, CommitPolicy, Rewind, Settling, checkpoints
from orchestrator.load.generations import EVERY
from orchestrator.load.table import Table, table_for
from orchestrator.paths import Paths
from orchestrator.protocol.messages import Message, Schema, State
from orchestrator.protocol.reading import read_messages
from orchestrator.protocol.records import Records
from orchestrator.protocol.refusals import Refusal
from orchestrator.secrets import Redaction
from orchestrator.state import CommitLog, KeptFiles, Run, Runs, Status, read_archive
from orchestrator.supervisor.batch_files import batch_reader
from orchestrator.supervisor.stopping import Stop
from orchestrator.supervisor.unpacking import ANY_AMOUNT

# So that one that breaks off can be done again, and takes nothing away.
_IN_ONE_COMMIT = CommitPolicy(rows=sys.maxsize, seconds=math.inf)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a replay would load: rows per stream, and where."""

    flow: str
    run: int
    destination: str
    rows: dict[str, int]


def rehearse(paths: Paths, config: Config, name: str, *, run: int, to: str | None = None) -> Rehearsal:
    """Reads the archive of a run and writes nothing. Raises UnknownName when there is none."""
    flow = config.flow(name)
    archived = _archived(paths, name, run)
    rules = _rules(paths, config.tap(flow.tap))

    def table_of(schema: Schema) -> Table:
        mode, key = rules.settling(schema, flow.mode)
        return table_for(schema, mode, key=key, generation=None)

    steps = _steps(paths, archived, CommitLog(paths, name), table_of)
    rows = sum((Counter(step.rows) for step in steps if isinstance(step, Checkpoint)), Counter[str]())
    return Rehearsal(name, run, config.destination(to or flow.destination).id, dict(rows))


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

    Another destination ends up as if the flow had always gone there, once all runs were replayed, the oldest first.
    In its own only the last run can be replayed: an earlier one would lay older rows over newer ones. Its rows take the
    place of those that it brought, and the bookmark stays as it is.

    What cannot land becomes what it became in that run. Secrets are asked for only where it goes to the quarantine.

    Raises UnknownName when there is no such run or its archive is gone, UsageError, NotInstalled,
    CredentialsError, RunFailed, DestinationError or Stopped. Whatever it raises, no row was changed.
    """
    flow = config.flow(name)
    stop = Stop() if stop is None else stop
    archived = _archived(paths, name, run)
    with ExitStack() as stack:
        stack.enter_context(only_run_of(paths, name, hint=f"orchestrator status {name}"))
        destination = stack.enter_context(destination_of(config, flow, listen, to=to))
        last = destination.last_commit(name)
        history = CommitLog(paths, name)
        own = to is None or to == flow.destination
        for parting in history.catch_up(last) if own else ():
            listen(Note(parting))

        runs = Runs(paths, name)
        intent = _intent(flow, archived, last, history, _Origins(runs), own=own)
        tap = config.tap(flow.tap)
        intent = replace(intent, rules=_rules(paths, tap), scrutiny=archived.scrutiny)
        redaction = _redaction(paths, tap, archived.scrutiny)
        listen = without_secrets(listen, redaction)
        again = runs.begin(
            tap=flow.tap,
            package=archived.package,
            destination=to or flow.destination,
            replay_of=run,
            scrutiny=archived.scrutiny,
            after=last.run if last else 0,
        )
        landing = Landing(destination, replace(intent, run=again.number), last, listen, redaction.redact)
        with recorded(runs, again, landing, listen, redaction) as recording, stop.on_signals():
            for step in _steps(paths, archived, history, landing.table_of, landing.sequence):
                if stop.signal is not None:
                    raise Stopped(
                        f"the replay of run {run} was stopped", signal=stop.signal, data="nothing was changed"
                    )
                commit = landing.take(step)
                if commit is not None:
                    if own:
                        history.record(commit)
                    listen(Committed(name, again.number, commit.number, commit.rows))
                recording.report(now=commit is not None)
        return recording.ended()


# ── where its rows belong ────────────────────────────────────────────────────────────────────────


class _Origins:
    """Which run the rows of a commit come from: a replay brings those of an earlier one."""

    def __init__(self, runs: Runs) -> None:
        self._replays = {run.number: run.replay_of for run in runs.all() if run.replay_of is not None}

    def of(self, commit: Commit | None) -> int:
        return self._replays.get(commit.run, commit.run) if commit else 0


def _intent(
    flow: Flow, archived: Run, last: Commit | None, history: CommitLog, origins: _Origins, *, own: bool
) -> Intent:
    """Raises UsageError when the rows of the run do not follow those that the destination holds."""
    state, gathering = (last.state, last.gathering) if last else (None, {})
    begun = Intent(flow.name, 0, state, flow.mode, gathering=gathering)
    held = origins.of(last)
    if archived.number > held and (archived.from_commit is None or last is None):
        afresh = None if EVERY in archived.afresh else frozenset(archived.afresh)
        return replace(begun, afresh=afresh, complete=archived.status is Status.SUCCEEDED)
    if archived.number == held and own and not gathering:
        return replace(begun, keep_state=True, rewind=_rewind(archived, last, history, origins))
    raise _out_of_place(flow, archived, held, own=own)


def _rewind(archived: Run, last: Commit | None, history: CommitLog, origins: _Origins) -> Rewind:
    assert last is not None
    first = min(commit.number for commit in history.commits() if origins.of(commit) == archived.number)
    return Rewind(history.find(first - 1).sequence if first > 1 else 0, until=last.sequence)


def _out_of_place(flow: Flow, archived: Run, held: int, *, own: bool) -> UsageError:
    number = archived.number
    if own and number == held:
        return UsageError(
            f"run {number} broke off while it read a stream afresh",
            cause="the next run goes on with it",
            data="nothing was changed",
            hint=f"orchestrator run {flow.name}",
        )
    if own:
        return UsageError(
            f"run {number} is not the last one that committed: that is run {held}",
            cause="replaying it here would lay older rows over newer ones",
            data="nothing was changed",
            hint=f"orchestrator replay {flow.name} --run {number} --to DESTINATION",
        )
    if number > held:
        return UsageError(
            f"run {number} started from commit {archived.from_commit}, which only its own destination can go back to",
            data="nothing was changed",
            hint=f"orchestrator runs {flow.name}",
        )
    return UsageError(
        f"the rows of run {number} cannot come after those of run {held}, which are there already",
        cause="runs are replayed once, the oldest first",
        data="nothing was changed",
        hint=f"orchestrator runs {flow.name}",
    )


def _rules(paths: Paths, tap: Tap) -> Rules:
    catalog = kept_catalog(paths, tap.id)
    return rules_of(tap, choose(catalog, (), tap.streams) if catalog else ())


def _redaction(paths: Paths, tap: Tap, scrutiny: Scrutiny) -> Redaction:
    """What takes the tap's secrets out of what is told of its messages. They have to be here only for what goes to the
    quarantine. Raises NotInstalled, CredentialsError."""
    try:
        return prepare(paths, tap).redaction
    except OrchestratorError:
        if scrutiny.on_bad_line is OnBadLine.QUARANTINE:
            raise
        return Redaction()


# ── what it committed ────────────────────────────────────────────────────────────────────────────


def _steps(
    paths: Paths, archived: Run, history: CommitLog, table_of: Callable[[Schema], Table], sequence: int = 0
) -> Iterator[Settling]:
    """What the run committed, to be settled in one commit."""
    return checkpoints(
        _committed(paths, archived, history),
        _IN_ONE_COMMIT,
        table_of=table_of,
        clock=time.monotonic,
        now=now,
        sequence=sequence,
        on_bad_line=archived.scrutiny.on_bad_line,
    )


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


def _committed(paths: Paths, run: Run, history: CommitLog) -> Iterator[Message]:
    """The messages of a run; those of one that did not end well only as far as it committed them."""
    messages = _messages(paths, run)
    return messages if run.status is Status.SUCCEEDED else islice(messages, _count_committed(paths, run, history))


def _count_committed(paths: Paths, run: Run, history: CommitLog) -> int:
    committed: Counter[str] = Counter()
    for entry in history.entries():
        if isinstance(entry, Commit) and entry.run == run.number:
            committed.update(entry.rows)
            committed.update(entry.quarantined)
    read: Counter[str] = Counter()
    count = total = 0
    # What broke the run breaks its archive at the same place.
    with suppress(RunFailed):
        for total, message in enumerate(_messages(paths, run), 1):
            match message:
                case Records():
                    read[message.stream] += len(message)
                case Refusal():
                    read[message.stream or ""] += 1
                case State() if read == committed:
                    count = total
        count = total if read == committed else count
    return count


def _messages(paths: Paths, run: Run) -> Iterator[Message]:
    # A run that ended well is taken as complete, so its archive has to be.
    blocks = read_archive(paths.archive(run.flow, run.number), whole=run.status is Status.SUCCEEDED)
    files = KeptFiles(paths.batch_files(run.flow, run.number))
    open_batch = batch_reader(
        (paths.root,), paths.root, closed=kept_from_taps(paths), limits=ANY_AMOUNT, kept=files.next
    )
    return read_messages(blocks, open_batch, run.scrutiny.validate)
