"""Takes secrets out of what is printed or logged, in every spelling in which a tap is likely to write them."""

import base64
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import zip_longest
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

from orchestrator.config import Reference
from orchestrator.config.names import names_a_secret

MASK = "***"
# Anything shorter stands in too many words that are no secret.
SHORTEST = 4


def holds_a_password(text: str) -> bool:
    """Whether a text is a URL with a password in it."""
    return any(_password(text))


class Redaction:
    """Replaces secrets in a text by `***`."""

    __slots__ = ("_spellings",)

    def __init__(self, secrets: Iterable[str]) -> None:
        spellings = {spelling for secret in secrets if len(secret) >= SHORTEST for spelling in _spellings(secret)}
        # A secret may contain another one.
        self._spellings = sorted((each for each in spellings if len(each) >= SHORTEST), key=len, reverse=True)

    @classmethod
    def of(cls, config: Mapping[str, Any], *resolved: Mapping[str, Any], secret: Collection[str] = ()) -> "Redaction":
        """For a config with references and the same config with the secrets in place, as it was given and perhaps as
        the tap rewrote it.

        What was referred to is a secret, and so is what stands under a name that says so or that is among those of
        `secret` (`ssh.login` for one in a table), or as a password in a URL.
        """
        return cls(found for each in resolved for found in _secrets(config, each, frozenset(secret)))

    def and_of(self, config: Mapping[str, Any], resolved: Mapping[str, Any]) -> "Redaction":
        """The same for one more config."""
        both = Redaction.of(config, resolved)
        both._spellings = sorted({*self._spellings, *both._spellings}, key=len, reverse=True)
        return both

    def redact(self, text: str) -> str:
        for spelling in self._spellings:
            text = text.replace(spelling, MASK)
        return text

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


def _spellings(secret: str) -> Iterator[str]:
    yield secret
    yield from (quote(secret, safe=""), quote(secret), quote_plus(secret))
    yield from (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1])
    for encoded in _base64(secret.encode()):
        yield from (encoded, encoded.translate(str.maketrans("+/", "-_")))
    # A log is written line by line, a private key is not. Its first and last line are in every key.
    if "\n" in secret:
        yield from (line.strip() for line in secret.splitlines() if not line.startswith("-----"))


def _base64(secret: bytes) -> Iterator[str]:
    """The secret by itself, and what is left of it amid other bytes (`user:secret`), wherever among them it begins."""
    yield base64.b64encode(secret).decode()
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + secret + bytes(2)).decode()
        # The characters at both ends hold bits of the neighbours too.
        yield encoded[-(-before * 8 // 6) : (before + len(secret)) * 8 // 6]
