"""Where a run begins: the state that its tap is started with, and how the rows of each stream are to settle."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from orchestrator.actions.landing import Intent
from orchestrator.actions.starting import Prepared
from orchestrator.catalogs import Method
from orchestrator.config import Flow, Mode
from orchestrator.config.values import closest
from orchestrator.errors import UnknownName, UsageError
from orchestrator.load.commit import Commit, Rewind
from orchestrator.load.generations import EVERY
from orchestrator.load.table import settled
from orchestrator.protocol.bookmarks import forgetful, midway, remembered, without_stale_mark, without_stream
from orchestrator.state import CommitLog

Streams = frozenset[str] | None
"""Names of streams; None stands for all of them."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """The state that the tap is started with (None: from nothing), the streams whose rows wait unseen already, those
    that are read afresh, and what goes with the first commit."""

    state: bytes | None
    gathering: Mapping[str, int] = field(default_factory=dict)
    afresh: Streams = frozenset()
    rewind: Rewind | None = None


def beginning_of(
    flow: Flow, prepared: Prepared, last: Commit | None, history: CommitLog, refreshed: Streams, from_commit: int | None
) -> Beginning:
    """From the last commit, unless something else is asked for. Raises UsageError, UnknownName."""
    if from_commit is not None:
        if refreshed is None or refreshed:
            raise UsageError(
                "a run starts either from an earlier commit or afresh",
                hint=f"orchestrator run {flow.name} --from-commit {from_commit}",
            )
        return _from_commit(flow, prepared, from_commit, history)
    if refreshed is None:
        return Beginning(None, afresh=None)
    for stream in sorted(refreshed):
        _check_offered(prepared, stream)
    begun = Beginning(last.state, last.gathering) if last else Beginning(None)
    return _afresh(flow, prepared, begun, refreshed | _broken_tables(flow, prepared, begun))


def _from_commit(flow: Flow, prepared: Prepared, number: int, history: CommitLog) -> Beginning:
    """Rows that were gathered unseen then, or came into view since, do not go back with the state: their streams start
    over. What is gathered now is forgotten."""
    commit = history.find(number)
    later = [commit for commit in history.commits() if commit.number > number]
    moved = frozenset(commit.gathering).union(*(commit.publish for commit in later))
    return _afresh(flow, prepared, Beginning(commit.state, rewind=Rewind(commit.sequence)), moved)


def _broken_tables(flow: Flow, prepared: Prepared, begun: Beginning) -> frozenset[str]:
    """What is gathered in every run and broke off in the last one. It starts over, unless it has a version: a tap that
    remembers where it was would leave out what was gathered then."""
    read_on = midway(begun.state)
    return frozenset(
        stream
        for stream in begun.gathering
        if _is_always_gathered(flow, prepared, stream) and prepared.rules.id(stream) not in read_on
    )


def _whole_tables(flow: Flow, prepared: Prepared, state: bytes | None) -> frozenset[str]:
    """Tables that each run replaces, and of which the tap remembers something. Without a version that may be what it
    has sent before and would leave out: what is left would take the place of the whole table."""
    bookmarked = {prepared.rules.id(stream) for stream in remembered(state) - midway(state)}
    return frozenset(
        choice.stream.id
        for choice in prepared.choices
        if choice.stream.id in bookmarked
        and choice.replication.method is Method.FULL_TABLE
        and settled(flow.mode, choice.key, Method.FULL_TABLE) is Mode.REPLACE
    )


def _is_always_gathered(flow: Flow, prepared: Prepared, stream: str) -> bool:
    return flow.mode is Mode.REPLACE or prepared.rules.replication_of(stream) == Method.FULL_TABLE


def _afresh(flow: Flow, prepared: Prepared, begun: Beginning, streams: frozenset[str]) -> Beginning:
    """The same with the bookmarks of `streams` taken out, and their rows gathered anew; and so for those with which the
    tap could not go on."""
    state = begun.state
    streams |= forgetful(state) | _whole_tables(flow, prepared, state)
    for stream in sorted(streams - {EVERY}):
        state = None if state is None else _without(state, stream, flow, prepared)
    state = None if state is None else without_stale_mark(state, {choice.stream.id for choice in prepared.choices})
    return replace(begun, state=state, afresh=frozenset(prepared.rules.id(stream) for stream in streams))


def intent_of(flow: Flow, prepared: Prepared, run: int, beginning: Beginning) -> Intent:
    return Intent(
        flow.name,
        run,
        beginning.state,
        flow.mode,
        prepared.rules,
        gathering=beginning.gathering,
        afresh=beginning.afresh,
        rewind=beginning.rewind,
    )


def _check_offered(prepared: Prepared, stream: str) -> None:
    offered = {alias for choice in prepared.choices for alias in choice.stream.aliases}
    if offered and stream not in offered:
        near = closest(stream, offered)
        raise UnknownName(
            f'tap "{prepared.tap.id}" has no stream "{stream}"',
            data="nothing was changed",
            hint=f'did you mean "{near}"?' if near else f"orchestrator select {prepared.tap.id} --list",
        )


def _without(state: bytes, stream: str, flow: Flow, prepared: Prepared) -> bytes:
    remaining = without_stream(state, prepared.rules.id(stream))
    # Of what it reads as a whole a tap seldom keeps a bookmark.
    if remaining is None and _is_always_gathered(flow, prepared, stream):
        return state
    if remaining is None:
        raise UsageError(
            f'the bookmark of "{stream}" cannot be found in the state of "{flow.name}"',
            cause="the tap keeps its state in a form of its own",
            data="nothing was changed",
            hint=f"orchestrator run {flow.name} --full-refresh",
        )
    return remaining
