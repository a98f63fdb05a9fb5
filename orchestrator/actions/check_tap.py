"""Checks a tap against its source: what it is told, whether it is let in, and which of its streams can be read.

Nothing of it lands anywhere: no destination is opened and no bookmark moves.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import msgspec

from orchestrator.actions.starting import Prepared, catalog_now, command_of, prepare, tap_failed
from orchestrator.aside import folder_aside
from orchestrator.catalogs import Catalog, Choice, choose, marked
from orchestrator.config import Config
from orchestrator.errors import CredentialsError, OrchestratorError, SilentTap, TapFailed
from orchestrator.events import Listener, Note, Step, nobody
from orchestrator.paths import Paths
from orchestrator.protocol.lines import UNREADABLE, cut, whole_lines
from orchestrator.supervisor.process import TapProcess

PATIENCE = 30.0
"""Seconds without anything new of a stream after which a tap is heard no longer."""


class Verdict(StrEnum):
    """What became of a stream."""

    READABLE = "readable"
    """A record of it came."""
    EMPTY = "no rows"
    """The tap read it and ended well; there was nothing in it."""
    UNREADABLE = "unreadable"
    """The tap failed when it was asked for this stream alone, or did not say a word of it."""
    SLOW = "no answer"
    """Nothing came of it in time."""


@dataclass(frozen=True, slots=True)
class StreamChecked:
    """One stream. `why` is what the tap said of it, where it cannot be read; without its secrets."""

    stream: str
    verdict: Verdict
    why: str | None = None


@dataclass(frozen=True, slots=True)
class TapChecked:
    """A tap that was let in. `offered` counts its streams, None for a tap without discovery; `streams` are those that
    are selected, or those that a tap without discovery sent."""

    tap: str
    name: str
    offered: int | None
    streams: tuple[StreamChecked, ...]


def check_tap(
    paths: Paths, config: Config, id: str, *, patience: float = PATIENCE, listen: Listener = nobody
) -> TapChecked:
    """Asks the tap what it offers, and then for the first record of each stream that is selected.

    Raises NotInstalled, ConfigError for what it is told, CredentialsError for secrets that are missing or refused;
    TapFailed and SilentTap when it has no answer in discovery, or says nothing at all where it has none.
    """
    prepared = prepare(paths, config.tap(id), listen)
    began = time.monotonic()
    catalog = catalog_now(paths, prepared)
    if catalog is None:
        listen(Note(f"{prepared.name} has no discovery: only what it sends first can be told of its streams"))
        return TapChecked(id, prepared.name, None, _first_sent(paths, prepared, patience))
    listen(Step(f"It is let in, and offers {len(catalog.streams)} streams", time.monotonic() - began))
    choices = choose(catalog, prepared.tap.select, prepared.tap.streams)
    checked = _each_selected(paths, prepared, catalog, choices, patience)
    return TapChecked(id, prepared.name, len(catalog.streams), checked)


def _first_sent(paths: Paths, prepared: Prepared, patience: float) -> tuple[StreamChecked, ...]:
    heard = _hear(paths, prepared, None, patience)
    if heard.failure and not heard.records:
        raise heard.failure
    if not heard.announced:
        raise SilentTap(
            f"{prepared.name} {'ended well but' if heard.ended_well else f'ran for {patience:g} s and'} said nothing",
            cause="it has no discovery, and no message of a stream came",
            hint=f"orchestrator config {prepared.tap.id}",
        )
    verdicts = {True: Verdict.READABLE, False: Verdict.EMPTY if heard.ended_well else Verdict.SLOW}
    return tuple(StreamChecked(stream, verdicts[stream in heard.records]) for stream in heard.announced)


def _each_selected(
    paths: Paths, prepared: Prepared, catalog: Catalog, choices: Sequence[Choice], patience: float
) -> tuple[StreamChecked, ...]:
    """All at once first; then, one by one, those of which nothing came: another one may have stood in their way."""
    selected = [choice for choice in choices if choice.selected]
    together = _hear(paths, _asked_for(prepared, catalog, choices, selected), selected, patience)
    checked = []
    refused: OrchestratorError | None = None
    for choice in selected:
        heard = together
        if not _is_settled(together, choice) and len(selected) > 1:
            heard = _hear(paths, _asked_for(prepared, catalog, choices, [choice]), [choice], patience)
        checked.append(_verdict(heard, choice, patience))
        refused = refused or (heard.failure if isinstance(heard.failure, CredentialsError) else None)
    if refused and all(each.verdict is Verdict.UNREADABLE for each in checked):
        raise refused
    return tuple(checked)


def _asked_for(prepared: Prepared, catalog: Catalog, choices: Sequence[Choice], wanted: Sequence[Choice]) -> Prepared:
    narrowed = [replace(choice, selected=choice in wanted) for choice in choices]
    return replace(prepared, invocation=replace(prepared.invocation, catalog=marked(catalog, narrowed)))


@dataclass(frozen=True, slots=True)
class _Heard:
    """What a tap said until it was enough: the streams that it announced, and those of which a record came.
    `failure` is how it ended, where it ended badly."""

    announced: tuple[str, ...]
    records: frozenset[str]
    ended_well: bool
    failure: OrchestratorError | None


def _is_settled(heard: _Heard, choice: Choice) -> bool:
    aliases = choice.stream.aliases
    return bool(aliases & heard.records) or (heard.ended_well and bool(aliases & frozenset(heard.announced)))


def _verdict(heard: _Heard, choice: Choice, patience: float) -> StreamChecked:
    name, aliases = choice.stream.id, choice.stream.aliases
    if aliases & heard.records:
        return StreamChecked(name, Verdict.READABLE)
    if heard.failure is not None:
        return StreamChecked(name, Verdict.UNREADABLE, heard.failure.cause)
    if not heard.ended_well:
        return StreamChecked(name, Verdict.SLOW, f"nothing came of it for {patience:g} s")
    if aliases & frozenset(heard.announced):
        return StreamChecked(name, Verdict.EMPTY)
    return StreamChecked(name, Verdict.UNREADABLE, "the tap ended well and did not say a word of it")


def _hear(paths: Paths, prepared: Prepared, wanted: Sequence[Choice] | None, patience: float) -> _Heard:
    """Starts the tap from nothing, and listens until a record came of each stream that is `wanted`, or nothing new for
    a while. Of a tap without a catalog, `wanted` is None and it is heard for that while in all."""
    announced: dict[str, None] = {}
    records: set[str] = set()
    with (
        folder_aside(paths.at_work) as work,
        command_of(paths, prepared, work) as command,
        TapProcess(command, work / "tap.log", scrub=prepared.scrub) as process,
    ):
        heard_at = time.monotonic()
        for block in whole_lines(process.blocks()):
            before = len(announced) + len(records)
            for kind, stream in _said(block):
                if kind == "SCHEMA":
                    announced[stream] = None
                else:
                    records.add(stream)
            if wanted is not None and all(choice.stream.aliases & records for choice in wanted):
                return _Heard(tuple(announced), frozenset(records), ended_well=False, failure=None)
            if wanted is not None and len(announced) + len(records) > before:
                heard_at = time.monotonic()
            if time.monotonic() - heard_at > patience:
                return _Heard(tuple(announced), frozenset(records), ended_well=False, failure=None)
        exit_code = process.wait()
        failure = _failure(prepared, exit_code, process)
    return _Heard(tuple(announced), frozenset(records), ended_well=failure is None, failure=failure)


def _failure(prepared: Prepared, exit_code: int, process: TapProcess) -> OrchestratorError | None:
    """How a tap ended badly; many end well when their source refuses a stream, and say so on stderr."""
    refusals = [line.strip() for line in process.stderr.refusals]
    if exit_code == 0 and not refusals and not process.over:
        return None
    failure = tap_failed(prepared, exit_code, process, "in a sync", hint=f"orchestrator config {prepared.tap.id}")
    if refusals and isinstance(failure, TapFailed):
        # It says more than the last line of a traceback.
        failure.cause = refusals[-1]
    return failure


class _Message(msgspec.Struct):
    type: str
    stream: str = ""


_MESSAGES = msgspec.json.Decoder(_Message)
_OF_STREAMS = ("SCHEMA", "RECORD", "BATCH")


def _said(lines: bytes) -> list[tuple[str, str]]:
    """Type and stream of each message about a stream; what is none is no matter of a check."""
    found = []
    for line in cut(lines):
        try:
            message = _MESSAGES.decode(line)
        except UNREADABLE:
            continue
        if message.type in _OF_STREAMS:
            found.append((message.type, message.stream))
    return found
