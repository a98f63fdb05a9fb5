"""Where a run begins: the state that its tap is started with, and how the rows of each stream are to settle."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from orchestrator.actions.landing import Intent
from orchestrator.actions.starting import Prepared
from orchestrator.config import Flow, StreamSettings
from orchestrator.config.values import closest
from orchestrator.errors import UnknownName, UsageError
from orchestrator.load.commit import Commit, Rewind
from orchestrator.protocol.bookmarks import midway, without_stream
from orchestrator.state import CommitLog

Streams = frozenset[str] | None
"""Names of streams; None stands for all of them."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """The state that the tap is started with (None: from nothing), the streams that are read afresh, and what goes
    with the first commit."""

    state: bytes | None
    afresh: Streams = frozenset()
    rewind: Rewind | None = None


def beginning_of(
    flow: Flow, prepared: Prepared, last: Commit | None, history: CommitLog, refreshed: Streams, from_commit: int | None
) -> Beginning:
    """From the last commit, unless something else is asked for. Raises UsageError, UnknownName."""
    if from_commit is None:
        return _afresh(flow, prepared, last.state if last else None, refreshed)
    if refreshed is None or refreshed:
        raise UsageError(
            "a run starts either from an earlier commit or afresh",
            hint=f"orchestrator run {flow.name} --from-commit {from_commit}",
        )
    commit = history.find(from_commit)
    # Rows that were gathered unseen, then or now, do not go back with the state: those streams start over.
    gathered = frozenset(commit.gathering).union(last.gathering if last else ())
    return replace(_afresh(flow, prepared, commit.state, gathered), rewind=Rewind(commit.sequence))


def _afresh(flow: Flow, prepared: Prepared, state: bytes | None, streams: Streams) -> Beginning:
    if streams is None:
        return Beginning(None, None)
    for stream in sorted(streams):
        _check_offered(prepared, stream)
        state = None if state is None else _without(state, stream, flow)
    return Beginning(state, streams)


def intent_of(flow: Flow, prepared: Prepared, run: int, beginning: Beginning) -> Intent:
    """How rows settle, by what the person set and the catalog says."""
    replication: dict[str, str] = {}
    for choice in prepared.choices:
        if choice.replication.method is not None:
            replication |= dict.fromkeys(choice.stream.aliases, choice.replication.method.value)
    settings = list(_settings(prepared))
    replication |= {name: said.replication for name, said in settings if said.replication is not None}
    return Intent(
        flow.name,
        run,
        flow.mode,
        keys={name: said.key for name, said in settings if said.key is not None},
        replication=replication,
        afresh=beginning.afresh,
        midway=midway(beginning.state),
        rewind=beginning.rewind,
    )


def _settings(prepared: Prepared) -> Iterator[tuple[str, StreamSettings]]:
    """What a person set for a stream, under each name that its messages may bear."""
    for name, settings in prepared.tap.streams.items():
        aliases = [choice.stream.aliases for choice in prepared.choices if name in choice.stream.aliases]
        for alias in {name}.union(*aliases):
            yield alias, settings


def _check_offered(prepared: Prepared, stream: str) -> None:
    offered = {alias for choice in prepared.choices for alias in choice.stream.aliases}
    if offered and stream not in offered:
        near = closest(stream, offered)
        raise UnknownName(
            f'tap "{prepared.tap.id}" has no stream "{stream}"',
            data="nothing was changed",
            hint=f'did you mean "{near}"?' if near else f"orchestrator select {prepared.tap.id} --list",
        )


def _without(state: bytes, stream: str, flow: Flow) -> bytes:
    remaining = without_stream(state, stream)
    if remaining is None:
        raise UsageError(
            f'the bookmark of "{stream}" cannot be found in the state of "{flow.name}"',
            cause="the tap keeps its state in a form of its own",
            data="nothing was changed",
            hint=f"orchestrator run {flow.name} --full-refresh",
        )
    return remaining
