"""Whether a tap that ended with exit code 0 did what it was asked.

A wrong option, an empty selection, a source that refused and a signal from somebody else all end like that.
"""

import shlex
from collections.abc import Iterable, Mapping

from orchestrator.actions.beginning import Streams
from orchestrator.actions.landing import Landing
from orchestrator.actions.recording import Recording
from orchestrator.actions.starting import Prepared, offered_now
from orchestrator.catalogs import Method, NotACatalog, Stream
from orchestrator.errors import OrchestratorError, SilentTap, Stopped, TapFailed
from orchestrator.events import Listener, Note
from orchestrator.paths import Paths
from orchestrator.protocol.log_lines import is_about
from orchestrator.state import CommitLog
from orchestrator.supervisor.stderr import Stderr
from orchestrator.supervisor.stopping import Stop


def committed(recording: Recording) -> str:
    return f"{sum(recording.landing.committed.values())} rows are committed"


def resumed(recording: Recording) -> str:
    """What became of the rows of a run that broke off, and where the next one goes on."""
    last = recording.landing.last
    again = f"what came after commit {last.number}" if last else "all that came"
    return f"{committed(recording)}; {again} is read again by the next run"


def stopped(recording: Recording, signal: int) -> Stopped:
    run = recording.run
    return Stopped(
        f'run {run.number} of "{run.flow}" was stopped',
        signal=signal,
        data=f"{committed(recording)}; the next run goes on from there",
        hint=f"orchestrator run {run.flow}",
    )


def check_exit(prepared: Prepared, stderr: Stderr, history: CommitLog, recording: Recording, stop: Stop) -> None:
    """Of a tap that ended with exit code 0, before its end settles anything. Raises Stopped, TapFailed.

    The end of a tap shows what was gathered unseen in place of the old rows: half a table must not count as a whole.
    """
    if stop.signal is not None:
        # Whoever stops us may have stopped the tap as well, which then takes its leave as if it had read all.
        raise stopped(recording, stop.signal)
    if stderr.was_stopped:
        raise TapFailed(
            f"{prepared.name} was stopped before its end",
            cause="somebody else sent it a signal",
            data=resumed(recording),
            hint=f"orchestrator run {recording.run.flow}",
        )
    if stderr.refusals:
        _check_refusals(prepared, stderr.refusals, history, recording)


def _check_refusals(prepared: Prepared, refusals: list[str], history: CommitLog, recording: Recording) -> None:
    """A stream of which nothing came may be the one that the source refused, and nobody will say so again."""
    landing = recording.landing
    names = _names_expected(prepared, landing)
    told = {stream for stream, aliases in names.items() if any(is_about(line, aliases) for line in refusals)}
    silent = [
        stream
        for stream, aliases in names.items()
        if not aliases & landing.read.keys() and (stream in told or not told)
    ]
    if not silent:
        return
    earlier = frozenset[str]().union(*(commit.rows for commit in history.commits()))
    # Of a stream that follows a bookmark and was read before, nothing may simply be new.
    lost = [
        stream
        for stream in silent
        if not names[stream] & earlier or prepared.rules.replication_of(stream) == Method.FULL_TABLE
    ]
    if lost:
        raise TapFailed(
            f"{prepared.name} ended well, but its source refused it and nothing came of {', '.join(lost)}",
            cause=refusals[0].strip(),
            data=resumed(recording),
            hint=f"orchestrator logs {landing.flow}",
        )
    recording.listen(Note(f"nothing came of {', '.join(silent)}, and {prepared.name} said: {refusals[0].strip()}"))


def _names_expected(prepared: Prepared, landing: Landing) -> Mapping[str, frozenset[str]]:
    """The streams that were asked for, or those announced by a tap without a catalog, each with its aliases."""
    if prepared.choices:
        return {choice.stream.id: choice.stream.aliases for choice in prepared.choices if choice.selected}
    return {stream: frozenset((stream,)) for stream in sorted(landing.streams)}


def check_announced(paths: Paths, prepared: Prepared, recording: Recording, refreshed: Streams) -> None:
    """Of a tap whose end settled: it has to have said something, and of each stream that was asked for its SCHEMA.

    `refreshed` are streams that were to be read afresh. Raises SilentTap.
    """
    landing, listen = recording.landing, recording.listen
    selected = [choice.stream for choice in prepared.choices if choice.selected]
    missing = [stream for stream in selected if not landing.streams & stream.aliases]
    begun = frozenset(metric.partition(":")[2] for metric in recording.metrics)
    idle = _without_a_parent(prepared, landing, missing) or _never_called(paths, prepared, missing, begun)
    if idle:
        named = ", ".join(stream.id for stream in idle)
        listen(Note(f"{prepared.name} had no row to read {named} for, and did not announce it"))
    elif not landing.streams and not landing.heard_state:
        raise SilentTap(
            f"{prepared.name} ended well but said nothing",
            cause="a wrong option or an empty selection makes many taps silent",
            data="nothing was read; the bookmark is unchanged",
            hint=f"orchestrator logs {landing.flow}",
        )
    unheard = [stream.id for stream in missing if stream not in idle]
    unheard += sorted((refreshed or frozenset()) - landing.streams.union(*(stream.aliases for stream in selected)))
    if unheard:
        raise SilentTap(
            f"{prepared.name} ended well but printed no SCHEMA for {', '.join(unheard)}",
            cause="a stream that is asked for has to be announced, rows or not; "
            f"to go without: {_selection_without(prepared, unheard)}",
            data="what the other streams brought is committed",
            hint=f"orchestrator logs {landing.flow}",
        )
    _tell_of_unasked(prepared, landing, listen)


def _selection_without(prepared: Prepared, streams: Iterable[str]) -> str:
    patterns = (*prepared.tap.select, *(f"!{stream}" for stream in streams))
    return shlex.join(("orchestrator", "select", prepared.tap.id, *patterns))


def _without_a_parent(prepared: Prepared, landing: Landing, missing: list[Stream]) -> list[Stream]:
    """Those of the missing that, says the catalog, are read for each row of a stream of which none came."""
    selected = {choice.stream.id: choice.stream for choice in prepared.choices if choice.selected}

    def is_without(stream: Stream, below: frozenset[str] = frozenset()) -> bool:
        parent = selected.get(stream.parent or "")
        if parent is None or parent.id in below or parent.aliases & landing.read.keys():
            return False
        return bool(parent.aliases & landing.streams) or is_without(parent, below | {stream.id})

    return [stream for stream in missing if is_without(stream)]


def _never_called(paths: Paths, prepared: Prepared, missing: list[Stream], begun: frozenset[str]) -> list[Stream]:
    """Those of the missing that a tap of the Singer SDK never began, though it offers them.

    The SDK announces each selected stream when it begins it, and begins every one but those that are read for the
    rows of another: these it begins with the first such row. Which they are, its catalog does not tell.
    """
    idle = [stream for stream in missing if not stream.aliases & begun]
    if not idle or not begun or not prepared.receipt.takes("about"):
        return []
    try:
        offered = offered_now(paths, prepared)
    except (OrchestratorError, NotACatalog):
        return []
    return [stream for stream in idle if stream.id in offered]


def _tell_of_unasked(prepared: Prepared, landing: Landing, listen: Listener) -> None:
    asked = frozenset[str]().union(*(choice.stream.aliases for choice in prepared.choices if choice.selected))
    unasked = [
        choice.stream.id
        for choice in prepared.choices
        if not choice.selected and (choice.stream.aliases - asked) & landing.read.keys()
    ]
    if unasked:
        listen(Note(f"{prepared.name} does not follow its catalog: it sent {', '.join(unasked)}, not selected"))
