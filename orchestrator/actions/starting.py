"""What a tap is told when it starts: its config with the secrets in place, its catalog, its state."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from orchestrator import durable
from orchestrator.actions.confining import confinement_of
from orchestrator.actions.discover import Discovered, discover, offered
from orchestrator.actions.literals import refuse_literals
from orchestrator.actions.rules import Rules, rules_of
from orchestrator.actions.telling import ready, understood
from orchestrator.aside import folder_aside
from orchestrator.catalogs import Catalog, Choice, choose, kept_catalog, marked, read_catalog
from orchestrator.config import Tap
from orchestrator.config.measures import duration, size
from orchestrator.envs import Receipt, in_use
from orchestrator.errors import CredentialsError, LimitExceeded, OutOfTime, SilentTap, TapFailed
from orchestrator.events import Listener, Note, nobody
from orchestrator.paths import Paths
from orchestrator.secrets import OwnConfig, Redaction
from orchestrator.supervisor.command import Command, Invocation, command_for, tap_environment
from orchestrator.supervisor.last_words import reason, refused_credentials
from orchestrator.supervisor.process import TapProcess


@dataclass(frozen=True, slots=True)
class Prepared:
    """A tap that can be started. `written` is its config with references in the place of secrets; `choices` are empty
    for a tap without a catalog."""

    tap: Tap
    receipt: Receipt
    invocation: Invocation
    own: OwnConfig
    redaction: Redaction
    rules: Rules
    written: Mapping[str, Any]
    choices: tuple[Choice, ...] = ()

    @property
    def name(self) -> str:
        """What the tap is called in print: its distribution and version."""
        return f"{self.receipt.package} {self.receipt.version}"

    def scrub(self, line: str) -> str:
        """What the tap said, without its secrets, also those that it was given by its source a moment ago."""
        self.own.look()
        return self.redaction.redact(line)


def prepare(
    paths: Paths,
    tap: Tap,
    listen: Listener = nobody,
    *,
    receipt: Receipt | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Prepared:
    """Holds what the tap is told against what it understands, and puts secrets in the place of their references.
    `receipt` is that of the environment that it shall run in, if not of the one in use.

    Raises NotInstalled, ConfigError with everything that is wrong, CredentialsError where only secrets are missing.
    """
    receipt = receipt or in_use(paths, tap.environment)
    known = understood(paths, tap, receipt)
    refuse_literals(paths, tap, known)
    telling = ready(paths, tap, known, environ)
    for doubt in telling.doubts:
        listen(Note(doubt))
    redaction = Redaction.of(telling.written, telling.config, secret=telling.secret)
    learn = partial(redaction.learn_config, telling.written, secret=telling.secret)
    own = OwnConfig(paths, tap.id, telling.config, telling.written, learn)
    ambient = tap_environment(environ)
    invocation = Invocation(
        Path(receipt.executable),
        frozenset(receipt.capabilities),
        config=msgspec.json.encode(own.told),
        environment=telling.environment,
        limits=tap.limits,
        confinement=confinement_of(paths, tap, receipt, own.told, {**ambient, **telling.environment}, listen),
    )
    redaction.learn_config(tap.env, telling.environment)
    redaction.learn_config(ambient, ambient)
    return Prepared(tap, receipt, invocation, own, redaction, rules_of(tap, ()), telling.written)


@contextmanager
def command_of(paths: Paths, prepared: Prepared, work: Path, listen: Listener = nobody) -> Iterator[Command]:
    """The command that starts the tap, for as long as the block lasts. What the tap writes into its config meanwhile
    it is told again the next time."""
    own = prepared.own
    invocation = replace(prepared.invocation, config=msgspec.json.encode(own.told))
    with ExitStack() as stack:
        stack.enter_context(prepared.redaction.over_errors())
        if prepared.tap.config_in == "file":
            invocation = replace(invocation, config_file=stack.enter_context(own.on_the_disk()))
        command = stack.enter_context(command_for(invocation, folder=paths.root, work=work, environ=os.environ))
        try:
            with own.watched(command.config):
                yield command
        finally:
            for secret in sorted(own.renewed):
                listen(Note(f'{prepared.name} renewed "{secret}": the vault holds the new one'))
            if own.left and not (own.kept or own.renewed or invocation.config_file):
                kept = paths.handed_config(prepared.tap.id).relative_to(paths.root)
                listen(Note(f"{prepared.name} rewrote its config: what it wrote is kept in {kept}"))


def with_catalog(paths: Paths, prepared: Prepared, listen: Listener = nobody) -> Prepared:
    """The same with the catalog that the selection makes; the tap is asked for one where none was kept yet."""
    tap, takes = prepared.tap, prepared.invocation.takes
    if not takes & {"catalog", "properties"}:
        return prepared
    catalog = kept_catalog(paths, tap.id)
    goes_without = _goes_without(paths, prepared)
    if catalog is None and "discover" in takes and not goes_without:
        try:
            discover_tap(paths, prepared)
        except _NoDiscovery as none:
            _go_without(paths, prepared, none)
            listen(Note(f"{none.message}: it runs without a catalog"))
        catalog = kept_catalog(paths, tap.id)
    if catalog is None:
        return prepared
    choices = choose(catalog, tap.select, tap.streams)
    handed = None if goes_without else marked(catalog, choices)
    invocation = replace(prepared.invocation, catalog=handed)
    return replace(prepared, invocation=invocation, rules=rules_of(tap, choices), choices=choices)


def discover_tap(paths: Paths, prepared: Prepared, flows: Iterable[str] = ()) -> Discovered:
    """Asks the tap, whose rows `flows` carry, what it offers, and keeps the answer. Raises TapFailed, SilentTap."""
    had_none = not paths.catalog(prepared.tap.id).exists()
    with prepared.redaction.over_errors():
        discovered = discover(paths, prepared.tap, lambda: _printed_catalog(paths, prepared), flows)
    if had_none:
        paths.without_catalog(prepared.tap.id).unlink(missing_ok=True)
    return discovered


def offered_now(paths: Paths, prepared: Prepared) -> frozenset[str]:
    """The ids of the streams that the tap offers at this moment. Raises TapFailed, SilentTap, NotACatalog."""
    with prepared.redaction.over_errors():
        return frozenset(stream.id for stream in read_catalog(_printed_catalog(paths, prepared)).streams)


def catalog_now(paths: Paths, prepared: Prepared) -> Catalog | None:
    """What the tap offers at this moment, which is not kept; None for one without discovery.

    Raises CredentialsError, TapFailed, SilentTap.
    """
    if "discover" not in prepared.invocation.takes:
        return None
    try:
        with prepared.redaction.over_errors():
            return offered(prepared.tap, _printed_catalog(paths, prepared))
    except _NoDiscovery:
        return None


# The method of a stream of the Singer SDK, as a traceback names it.
_APPLIES_CATALOG = ".apply_catalog("


class _NoDiscovery(SilentTap):
    """The tap takes --discover and begins a sync all the same."""


def _goes_without(paths: Paths, prepared: Prepared) -> bool:
    """Whether the tap turned out to offer no catalog, or to take none, in the environment that it has now."""
    try:
        asked = paths.without_catalog(prepared.tap.id).read_text().partition("\n")[0]
    except FileNotFoundError:
        return False
    return asked == prepared.receipt.environment


def _go_without(paths: Paths, prepared: Prepared, why: TapFailed | SilentTap) -> None:
    asked = f"{prepared.receipt.environment}\n{why.message}\n"
    durable.write(paths.without_catalog(prepared.tap.id), asked, mode=0o644)


def broken_by_its_catalog(paths: Paths, prepared: Prepared, flow: str, process: TapProcess) -> TapFailed | None:
    """What to say of a tap that failed before it said anything, if the catalog was what it stumbled over: it is handed
    none from now on.

    With some versions of the Singer SDK, taps whose streams know their keys cannot be told them: tap-csv-folder.
    """
    said = process.stderr.last
    if prepared.invocation.catalog is None or not any(_APPLIES_CATALOG in line for line in said):
        return None
    broken = TapFailed(
        f"{prepared.name} breaks on the catalog that it offered itself",
        cause=reason(said),
        data="nothing was read",
        hint=f"orchestrator run {flow}        (it is given none any more, and takes all of its streams)",
    )
    _go_without(paths, prepared, broken)
    return broken


def _printed_catalog(paths: Paths, prepared: Prepared) -> bytes:
    asking = replace(prepared, invocation=replace(prepared.invocation, discover=True))
    with (
        folder_aside(paths.at_work) as work,
        command_of(paths, asking, work) as command,
        TapProcess(command, work / "tap.log", scrub=prepared.scrub) as process,
    ):
        printed = bytearray()
        for block in process.blocks():
            printed += block
            # Taps of the first years know the option and not what it asks: their whole sync would follow.
            if _begins_a_sync(bytes(printed[:65536])):
                raise _NoDiscovery(
                    f"{prepared.name} has no discovery",
                    cause="asked what it offers, it began to read its source",
                    data="the tap was stopped; nothing was changed",
                    hint=f"orchestrator run {prepared.tap.id}        (it takes all of its streams)",
                )
        exit_code = process.wait()
        if exit_code or process.over:
            raise tap_failed(
                prepared, exit_code, process, "in discovery", hint=f"orchestrator config {prepared.tap.id}"
            )
        return bytes(printed)


def _begins_a_sync(printed: bytes) -> bool:
    first, newline, _ = printed.lstrip().partition(b"\n")
    if not newline:
        return False
    try:
        message = msgspec.json.decode(first)
    except msgspec.DecodeError:
        return False
    return isinstance(message, dict) and isinstance(message.get("type"), str) and "streams" not in message


def tap_failed(
    prepared: Prepared,
    exit_code: int,
    process: TapProcess,
    when: str,
    *,
    data: str | None = None,
    hint: str | None = None,
) -> TapFailed | CredentialsError | LimitExceeded | OutOfTime:
    """What to say of a tap that ended with `exit_code`, or was ended at one of its limits; its last words are the
    cause."""
    said = process.stderr.last
    if process.over:
        return _over_limit(prepared, process.over, reason(said), data)
    if refusal := refused_credentials(said):
        return CredentialsError(
            f"the source refused the credentials of {prepared.name}",
            cause=refusal,
            data=data,
            hint=f"orchestrator config {prepared.tap.id} list --origin",
        )
    hint = _to_allow(prepared, said) or hint
    ended = f"was killed by signal {-exit_code}" if exit_code < 0 else f"ended with exit code {exit_code}"
    return TapFailed(
        f"{prepared.name} {ended} {when}",
        cause=reason(said) or "it said nothing on stderr",
        data=data,
        hint=hint,
    )


def _to_allow(prepared: Prepared, said: Iterable[str]) -> str | None:
    """What allows the tap what it could not reach, where its sandbox may be the reason."""
    found = _NOT_THERE.search(reason(said) or "")
    if found is None or prepared.invocation.confinement is None:
        return None
    what, path = found.groups()
    # What Landlock closes is refused; what bubblewrap closes is not there, or cannot be written.
    if what == "No such file or directory" and not os.path.exists(path):
        return None
    allowing = f'write there: allow_write = ["{os.path.dirname(path)}"]'
    if what != "Read-only file system":
        allowing = f'read it: allow_read = ["{path}"]'
    return f"if it may {allowing} in [taps.{prepared.tap.id}] of orchestrator.toml"


_NOT_THERE = re.compile(r"(Permission denied|No such file or directory|Read-only file system):? ['\"]?(/[^'\"]*)")


def _over_limit(prepared: Prepared, limit: str, said: str | None, data: str | None) -> LimitExceeded | OutOfTime:
    limits, tap = prepared.tap.limits, prepared.tap.id
    sentences = {
        "timeout": lambda: f"was not done after {duration(limits.timeout or 0)}",
        "idle_timeout": lambda: f"said nothing for {duration(limits.idle_timeout or 0)}",
        "memory": lambda: f"used more than {size(limits.memory or 0)} of memory",
        "cpu_time": lambda: f"used more than {duration(limits.cpu_time or 0)} of processor time",
        "processes": lambda: f"had more than {limits.processes} processes",
    }
    kind = OutOfTime if limit in ("timeout", "idle_timeout") else LimitExceeded
    return kind(
        f"{prepared.name} {sentences[limit]()}, and was ended",
        cause=f"it said last: {said}" if said else None,
        data=data,
        hint=f"a higher {limit} in [taps.{tap}.limits] of orchestrator.toml",
    )
