"""Tries a tap: starts it in the ways in which it will be started, and judges what it said by the contract."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from orchestrator.actions.listening import Heard, Limits, hear, states_in, with_state
from orchestrator.actions.starting import Prepared, prepare
from orchestrator.catalogs import Catalog, Choice, NotACatalog, choose, drift, marked, read_catalog
from orchestrator.config import Config
from orchestrator.contract import Asked, Discovery, Evidence, Judged, Sync, Verdict, judge
from orchestrator.contract.evidence import Narrowed
from orchestrator.events import Listener, Step, nobody
from orchestrator.paths import Paths


@dataclass(frozen=True, slots=True)
class TapTried:
    """How a tap stands against the contract. `name` is its distribution and version."""

    tap: str
    name: str
    judged: tuple[Judged, ...]

    def count(self, verdict: Verdict) -> int:
        return sum(each.verdict is verdict for each in self.judged)


def try_tap(paths: Paths, config: Config, tap: str, limits: Limits, *, listen: Listener = nobody) -> TapTried:
    """Starts the tap up to nine times, each heard within `limits`; nothing lands, and no bookmark moves.

    One start has an empty config and one has wrong secrets, so that the source sees one attempt that it has to refuse.
    Raises NotInstalled, ConfigError, CredentialsError, and UsageError when the selection finds nothing.
    """
    prepared = prepare(paths, config.tap(tap), listen)
    trial = _Trial(paths, prepared, limits, listen)
    judged = judge(trial.evidence())
    redact = prepared.redaction.redact
    return TapTried(
        tap, prepared.name, tuple(replace(each, found=each.found and redact(each.found)) for each in judged)
    )


class _Trial:
    """The starts of one tap, in an order in which each can use what the one before told."""

    def __init__(self, paths: Paths, prepared: Prepared, limits: Limits, listen: Listener) -> None:
        self._paths = paths
        self._prepared = prepared
        self._limits = limits
        self._listen = listen

    def evidence(self) -> Evidence:
        catalog, discovery = self._discovery()
        choices = self._choices(catalog)
        prepared = self._choosing(catalog, choices)
        first = self._heard("Read from the beginning", prepared)
        states = list(states_in(first.lines))
        whole = not first.cut and not first.exit_code
        sync = self._sync(first)
        asked = tuple(map(_asked, choices)) or _announced(sync)
        stopped = self._stopped(prepared, first)
        return Evidence(
            takes=self._prepared.invocation.takes,
            asked=asked,
            first=sync,
            discovery=discovery,
            resumed=self._start("Read on from its last STATE", with_state(prepared, states[-1]))
            if whole and states
            else None,
            narrowed=self._narrowed(catalog, choices, sync) if whole else None,
            stopped=self._sync(stopped) if stopped else None,
            mended=self._mended(prepared, stopped) if stopped and whole else None,
            bare=self._bare(),
            refused=self._refused(),
            has_catalog=bool(choices),
        )

    # ── what it offers ──

    def _discovery(self) -> tuple[Catalog | None, Discovery | None]:
        if "discover" not in self._prepared.invocation.takes:
            return None, None
        asking = replace(self._prepared, invocation=replace(self._prepared.invocation, discover=True))
        first, second = self._heard("Asked what it offers", asking), self._heard("Asked again", asking)
        catalog, problem = _catalog_of(first)
        again, _ = _catalog_of(second)
        changes = drift(catalog, again) if catalog and again else ()
        return catalog, Discovery(problem, tuple(map(str, changes)))

    def _choices(self, catalog: Catalog | None) -> tuple[Choice, ...]:
        tap = self._prepared.tap
        return choose(catalog, tap.select, tap.streams) if catalog and catalog.streams else ()

    def _choosing(self, catalog: Catalog | None, choices: tuple[Choice, ...]) -> Prepared:
        content = marked(catalog, choices) if catalog and choices else None
        return replace(self._prepared, invocation=replace(self._prepared.invocation, catalog=content))

    # ── what it says ──

    def _narrowed(self, catalog: Catalog | None, choices: tuple[Choice, ...], first: Sync) -> Narrowed | None:
        """The stream with the fewest rows alone, and of it all columns but one."""
        rows = {choice.stream.id: len(first.rows(_asked(choice))) for choice in choices if choice.selected}
        fewest = min((id for id, count in rows.items() if count), key=rows.__getitem__, default=None)
        if catalog is None or fewest is None:
            return None
        narrowed = [replace(choice, selected=choice.stream.id == fewest) for choice in choices]
        place = next(place for place, choice in enumerate(narrowed) if choice.selected)
        alone = narrowed[place]
        columns = [each for each in alone.stream.properties if len(each.names) == 1 and each.names in alone.properties]
        without = next((each.names for each in reversed(columns) if alone.settled_by(each) is None), None)
        kept = frozenset(names for names in alone.properties if names[:1] != without)
        narrowed[place] = replace(alone, properties=kept)
        sync = self._start("Read one stream, without one column", self._choosing(catalog, tuple(narrowed)))
        return Narrowed(sync, _asked(narrowed[place]), without[0] if without else None)

    def _stopped(self, prepared: Prepared, first: Heard) -> Heard | None:
        """A sync that is asked to end in the middle; None for a tap that had said all by then."""
        records = sum(1 for _ in Sync.read(first.lines).of("RECORD"))
        if records < 2 or (first.exit_code and not first.cut):
            return None
        heard = self._heard("Stopped in the middle", prepared, stop_after=max(1, records // 2))
        return heard if len(heard.lines) < len(first.lines) or first.cut else None

    def _mended(self, prepared: Prepared, stopped: Heard) -> Sync:
        states = list(states_in(stopped.lines))
        return self._start("Read on from where it was stopped", with_state(prepared, states[-1] if states else None))

    # ── what it is told ──

    def _bare(self) -> Sync | None:
        if not self._prepared.own.told:
            return None
        return self._start("Started without settings", self._prepared, told=b"{}")

    def _refused(self) -> Sync | None:
        told = dict(self._prepared.own.told)
        wrong = self._prepared.redaction.clean(told)
        if wrong == told:
            return None
        return self._start("Started with wrong secrets", self._prepared, told=msgspec.json.encode(wrong))

    # ── starting it ──

    def _start(self, what: str, prepared: Prepared, *, told: bytes | None = None) -> Sync:
        return self._sync(self._heard(what, prepared, told=told))

    def _heard(
        self, what: str, prepared: Prepared, *, stop_after: int | None = None, told: bytes | None = None
    ) -> Heard:
        began = time.monotonic()
        heard = hear(self._paths, prepared, self._limits, stop_after=stop_after, told=told)
        self._listen(Step(what, time.monotonic() - began))
        return heard

    def _sync(self, heard: Heard) -> Sync:
        redact = self._prepared.redaction.redact
        words = [line for line in heard.log.splitlines() if line.strip()]
        return Sync.read(
            heard.lines,
            torn=heard.torn.decode(errors="backslashreplace"),
            exit_code=heard.exit_code,
            cut=heard.cut,
            leave=heard.leave,
            log_leaks=tuple(_masked(words, redact)),
            leaks=tuple(_masked((line.decode(errors="replace") for line in heard.lines), redact)),
            last_words=words[-1] if words else "it said nothing on stderr",
        )


def _catalog_of(heard: Heard) -> tuple[Catalog | None, str | None]:
    if heard.exit_code and not heard.cut:
        return None, f"it ended with exit code {heard.exit_code}"
    try:
        return read_catalog(b"\n".join((*heard.lines, heard.torn))), None
    except NotACatalog as error:
        return None, str(error)


def _asked(choice: Choice) -> Asked:
    stream = choice.stream
    return Asked(
        id=stream.id,
        aliases=stream.aliases,
        schema=stream.schema,
        columns=frozenset(choice.all_columns),
        taken=frozenset(choice.columns),
        key=choice.key,
        method=choice.replication.method,
        cursor=choice.bookmark,
        selected=choice.selected,
    )


def _announced(sync: Sync) -> tuple[Asked, ...]:
    """The streams of a tap without a catalog, by what it says of them last."""
    return tuple({str(message.get("stream")): _of_schema(message) for message in sync.of("SCHEMA")}.values())


def _of_schema(message: Mapping[str, Any]) -> Asked:
    schema = message.get("schema") or {}
    columns = frozenset(schema.get("properties") or {})
    key = tuple(message.get("key_properties") or ())
    name = str(message.get("stream"))
    return Asked(name, frozenset((name,)), schema, columns, columns, key, None, None)


def _masked(lines: Iterator[str] | list[str], redact: Callable[[str], str]) -> Iterator[str]:
    """The lines in which a secret stood."""
    return (masked for line in lines if (masked := redact(line)) != line)
