"""Takes secrets out of what is printed or logged, in every spelling in which a tap may write them."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import zip_longest
from typing import Any
from urllib.parse import urlsplit

from orchestrator.config import Reference
from orchestrator.config.names import names_a_secret
from orchestrator.errors import OrchestratorError
from orchestrator.secrets.spelling import SHORTEST, Spelling, spellings

MASK = "***"


def holds_a_password(text: str) -> bool:
    """Whether a text is a URL with a password in it."""
    return any(_password(text))


class Redaction:
    """Replaces secrets in a text by `***`. It may learn more of them while it is used, also by other threads."""

    __slots__ = ("_spellings",)

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._spellings: tuple[Spelling, ...] = ()
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """Replaces these from now on, too."""
        new = dict.fromkeys(secret for each in secrets for secret in _with_members(each))
        self._spellings += tuple(spelling for secret in new for spelling in spellings(secret))

    @classmethod
    def of(cls, config: Mapping[str, Any], *resolved: Mapping[str, Any], secret: Collection[str] = ()) -> "Redaction":
        """For a config with references and the same config with the secrets in place, as it was given and perhaps as
        the tap rewrote it.

        What was referred to is a secret, and so is what stands under a name that says so or that is among those of
        `secret` (`ssh.login` for one in a table), or as a password in a URL.
        """
        return cls(found for each in resolved for found in _secrets(config, each, frozenset(secret)))

    def learn_config(
        self, config: Mapping[str, Any], resolved: Mapping[str, Any], *, secret: Collection[str] = ()
    ) -> None:
        """Replaces those of one more config from now on, too."""
        self.learn(_secrets(config, resolved, frozenset(secret)))

    def redact(self, text: str) -> str:
        masked, end = [], 0
        for start, stop in self._spans(text):
            masked += [text[end:start], MASK]
            end = stop
        return "".join([*masked, text[end:]]) if masked else text

    def over(self, error: BaseException) -> None:
        """Takes secrets out of what an error says, and of those that led to it."""
        seen: set[int] = set()
        waiting: list[BaseException | None] = [error]
        while waiting:
            each = waiting.pop()
            if each is None or id(each) in seen:
                continue
            seen.add(id(each))
            if isinstance(each, OrchestratorError):
                each.scrub(self.redact)
            each.args = tuple(self.redact(part) if isinstance(part, str) else part for part in each.args)
            waiting += [each.__cause__, each.__context__]

    @contextmanager
    def over_errors(self) -> Iterator[None]:
        """Does so with whatever the block raises."""
        try:
            yield
        except BaseException as error:
            self.over(error)
            raise

    def _spans(self, text: str) -> list[tuple[int, int]]:
        """Where secrets stand, those that overlap as one."""
        # Of most texts the signs alone tell that there is none.
        found = [spelling for spelling in self._spellings if spelling.sign in text]
        merged: list[tuple[int, int]] = []
        for start, stop in sorted(span for spelling in found for span in spelling.spans(text)):
            if merged and start < merged[-1][1]:
                merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
            else:
                merged.append((start, stop))
        return merged

    def clean(self, value: Any) -> Any:
        """A JSON value without secrets in its texts and numbers. The names of members stay: they are no secret, and a
        short one may stand in any of them."""
        match value:
            case Mapping():
                return {name: self.clean(below) for name, below in value.items()}
            case list():
                return [self.clean(item) for item in value]
            case str():
                return self.redact(value)
            case int() | float() if not isinstance(value, bool) and self.redact(str(value)) != str(value):
                return MASK
        return value


def _secrets(
    config: Any, resolved: Any, secret: frozenset[str], *, above: str = "", named: bool = False
) -> Iterator[str]:
    """The secrets in `resolved`, by what `config` says at the same place, if it says something there."""
    match resolved:
        case Mapping():
            said = config if isinstance(config, Mapping) else {}
            for key, value in resolved.items():
                is_named = named or names_a_secret(key) or f"{above}{key}" in secret
                yield from _secrets(said.get(key), value, secret, above=f"{above}{key}.", named=is_named)
        case list():
            items = config if isinstance(config, list) else []
            for item, value in zip_longest(items, resolved):
                yield from _secrets(item, value, secret, above=above, named=named)
        case bool():
            pass
        case str() | int() if named or isinstance(config, Reference):
            yield str(resolved)
    if isinstance(resolved, str):
        yield from _password(resolved)


def _password(text: str) -> Iterator[str]:
    """The password of a URL such as postgres://ada:secret@host/shop."""
    try:
        password = urlsplit(text).password
    except ValueError:
        return
    if password:
        yield password


def _with_members(secret: str) -> Iterator[str]:
    """The secret; and where it is a document, as the account of a service is, the secrets in it: taps print those."""
    if len(secret) < SHORTEST:
        return
    yield secret
    if secret.lstrip().startswith(("{", "[")):
        try:
            document = json.loads(secret)
        except ValueError:
            return
        for member in _secrets(None, document, frozenset()):
            yield from _with_members(member)
