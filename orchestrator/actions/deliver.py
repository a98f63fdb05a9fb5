"""Brings messages to whom they are for: those that wait, and one to try whether it arrives."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote, urlsplit

from orchestrator import durable
from orchestrator.actions.take_notice import place_of, take_notice
from orchestrator.cadence.retry import pause
from orchestrator.config import Config, Notify, Reference, Retries
from orchestrator.config.values import closest
from orchestrator.errors import NotTold, OrchestratorError, UnknownName
from orchestrator.events import Listener, Note, Step, nobody
from orchestrator.notices.sending import NotSent, send
from orchestrator.notices.wording import Message, trial
from orchestrator.paths import Paths
from orchestrator.secrets import Redaction, Sources, look_up
from orchestrator.state import Noted, Notices, Waiting

_RETRIES = Retries(attempts=1_000, backoff=30.0, max=3600.0)
_WORTH_TELLING = timedelta(days=3)
_PATIENCE = 60.0
"""Seconds in which another courier may come to its end."""


@dataclass(frozen=True, slots=True)
class Told:
    """One `[[notify]]`: how many messages wait for it, and why the last one was not taken; None if nothing was amiss.
    `next` is when it is tried again."""

    notify: Notify
    waiting: int
    said: str | None
    next: datetime | None


def told(paths: Paths, config: Config) -> tuple[Told, ...]:
    """Who is told, and what keeps them from it."""
    noted = Notices(paths).read()
    return tuple(_told(notify, [each for each in noted.waiting if each.to == notify.name]) for notify in config.notify)


def _told(notify: Notify, waiting: list[Waiting]) -> Told:
    said = next((each.said for each in waiting if each.said), None)
    return Told(notify, len(waiting), said, min((each.next for each in waiting), default=None))


def send_trial(paths: Paths, config: Config, name: str | None = None, listen: Listener = nobody) -> tuple[str, ...]:
    """Sends a test message to all, or to one. Raises UnknownName, NotTold for the first that did not take it."""
    chosen = [each for each in config.notify if name in (None, each.name)]
    if not chosen:
        raise _nobody(config, name)
    for notify in chosen:
        try:
            _bring(paths, notify, trial(notify.name, place_of(paths)))
        except NotSent as failure:
            raise NotTold(
                f'"{notify.name}" cannot be told', cause=str(failure), hint=f"orchestrator notify test {notify.name}"
            ) from None
        listen(Step(f"{notify.name} was told"))
    return tuple(notify.name for notify in chosen)


def _nobody(config: Config, name: str | None) -> UnknownName:
    known = [notify.name for notify in config.notify]
    near = closest(name or "", known)
    return UnknownName(
        "nobody is told of anything" if name is None else f'there is no [[notify]] "{name}" in orchestrator.toml',
        cause=f"it has {', '.join(known)}" if known else "it has no [[notify]] yet",
        hint=f'did you mean "{near}"?' if near else "orchestrator notify --help",
    )


def deliver(paths: Paths, config: Config, *, listen: Listener = nobody) -> tuple[Waiting, ...]:
    """Looks how all flows stand, and sends what waits and may go now. Gives what was sent.

    A message that was not taken is tried again after a pause that grows to an hour, for three days. It is struck out
    once it was taken: whoever is killed between the two sends it twice, and nobody loses it.
    Raises DestinationFull, RunFailed, DamagedFile.
    """
    sent: list[Waiting] = []
    try:
        with durable.lock(paths.courier, wait=_PATIENCE):
            now = datetime.now(UTC)
            take_notice(paths, config, config.flows.values(), now)
            Notices(paths).change(lambda noted: _without_stale(noted, config, now))
            while messages := [each for each in Notices(paths).read().waiting if each.next <= datetime.now(UTC)]:
                sent += _send(paths, config, messages[0], listen)
    except durable.Held:
        listen(Note("somebody else is sending"))
    return tuple(sent)


def _send(paths: Paths, config: Config, message: Waiting, listen: Listener) -> Iterable[Waiting]:
    notify = next(each for each in config.notify if each.name == message.to)
    try:
        _bring(paths, notify, Message(message.title, message.body))
    except NotSent as failure:
        said = str(failure)
        listen(Note(f"{notify.name} could not be told: {said}"))
        Notices(paths).change(lambda noted: _postponed(noted, message, said, datetime.now(UTC)))
        return []
    Notices(paths).change(lambda noted: _without(noted, message))
    listen(Step(f"{notify.name} was told: {message.title}"))
    return [message]


def _bring(paths: Paths, notify: Notify, message: Message) -> None:
    """Raises NotSent, whose text has no secret in it."""
    try:
        address = address_of(paths, notify)
    except OrchestratorError as error:
        raise NotSent(" ".join(filter(None, (error.message, error.cause)))) from None
    try:
        send(address, message)
    except NotSent as failure:
        raise NotSent(Redaction(_secrets_in(address)).redact(str(failure))) from None


def address_of(paths: Paths, notify: Notify) -> str:
    """Where messages go. Raises NotTold where no address is, and what opening the vault does."""
    if not isinstance(notify.to, Reference):
        return notify.to
    found, missing = look_up({"to": notify.to}, Sources(paths))
    if missing:
        raise NotTold(missing[0].why)
    return str(found["to"])


def _secrets_in(address: str) -> list[str]:
    """The parts of an address that may let somebody in."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return [address]
    return [address, *map(unquote, (parts.username or "", parts.password or "", *parts.path.split("/"), parts.query))]


def _without(noted: Noted, message: Waiting) -> Noted:
    return replace(noted, waiting=tuple(each for each in noted.waiting if each.id != message.id))


def _without_stale(noted: Noted, config: Config, now: datetime) -> Noted:
    """Without what is too old to be of use, and what was for somebody who is not told any more."""
    names = {notify.name for notify in config.notify}
    fresh = (each for each in noted.waiting if each.to in names and now - each.at < _WORTH_TELLING)
    known = {flow: known for flow, known in noted.known.items() if flow in config.flows}
    outlines = {flow: seen for flow, seen in noted.outlines.items() if flow in config.flows}
    return replace(noted, known=known, outlines=outlines, waiting=tuple(fresh))


def _postponed(noted: Noted, message: Waiting, said: str, now: datetime) -> Noted:
    """All that is for the same one waits, so that nobody hangs on each message in turn."""
    attempts = message.attempts + 1
    wait = now + timedelta(seconds=pause(_RETRIES, attempts, 0) or _RETRIES.max)
    return replace(
        noted,
        waiting=tuple(
            replace(each, attempts=attempts, next=wait, said=said) if each.to == message.to else each
            for each in noted.waiting
        ),
    )
