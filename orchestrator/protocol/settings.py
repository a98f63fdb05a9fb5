"""What a tap understands: its settings, as it tells them itself or as others tell of it, and the values they take."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

Place = tuple[str, ...]
"""Leads to a setting: its key, with those of the tables that it lies in before it."""


class Kind(StrEnum):
    """What the value of a setting is."""

    TEXT = "text"
    INTEGER = "whole number"
    NUMBER = "number"
    BOOLEAN = "true or false"
    DATE = "date or time"
    LIST = "list"
    TABLE = "table"
    ANY = "any value"

    @property
    def words(self) -> str:
        """Completes "it must be ..."."""
        return _WORDS[self]


_WORDS = {
    Kind.TEXT: "text",
    Kind.INTEGER: "a whole number",
    Kind.NUMBER: "a number",
    Kind.BOOLEAN: "true or false",
    Kind.DATE: "a date or a time, such as 2026-01-01 or 2026-01-01T00:00:00Z",
    Kind.LIST: 'a list, such as a,b or ["a", "b"]',
    Kind.TABLE: 'a table, such as {"key": "value"}',
    Kind.ANY: "any value",
}


class Misfit(Exception):
    """A text is not a value of the setting; the text of the error completes "it must be ..."."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. `items` is the kind of what a list holds; `choices` are empty where any value of the kind will do;
    `default` is what the tap takes where it is told nothing, None where it takes none; `suggestion` is what others say
    to tell it."""

    place: Place
    kind: Kind = Kind.ANY
    items: Kind = Kind.ANY
    required: bool = False
    secret: bool = False
    choices: tuple[Any, ...] = ()
    default: Any = None
    suggestion: Any = None
    description: str | None = None

    @property
    def name(self) -> str:
        """As a person types it: `start_date`, `ssh_tunnel.host`."""
        return ".".join(self.place)

    def parse(self, text: str) -> Any:
        """The value that a person means by a text. Raises Misfit."""
        value = _parsed(text, self._kind, self.items)
        if self.choices and value not in self.choices:
            raise Misfit(f"one of {', '.join(map(str, self.choices))}")
        return value

    @property
    def _kind(self) -> Kind:
        # An old tap that goes by the text "false" where it is told nothing would stumble over false.
        return Kind.TEXT if self.kind is Kind.ANY and isinstance(self.default, str) else self.kind


class Source(StrEnum):
    """Who tells of a tap's settings, the most trusted first."""

    ABOUT = "--about"
    """The tap itself; it checks its config against what it tells."""
    CODE = "its code"
    """What the code of the tap asks of its config and reads of it."""
    HUB = "the hub"
    """What people wrote down of it elsewhere: good advice, and no more."""


@dataclass(frozen=True, slots=True)
class Account:
    """What one source tells. `knows_required` is false where it cannot tell which settings are required; `schemas` are
    those of `--about`, by the first key of what they describe."""

    source: Source
    settings: tuple[Setting, ...]
    knows_required: bool = True
    schemas: Mapping[str, Mapping[str, Any]] | None = None


def merged(accounts: Iterable[Account]) -> tuple[Setting, ...]:
    """One account out of several, the most trusted first: what one leaves open, the next may tell."""
    accounts = tuple(accounts)
    told: dict[Place, Setting] = {}
    for account in accounts:
        for setting in account.settings:
            known = told.get(setting.place)
            told[setting.place] = _completed(known, setting) if known else setting
    judge = next((account for account in accounts if account.knows_required), None)
    required = {setting.place for setting in judge.settings if setting.required} if judge else set()
    settings = [replace(setting, required=setting.place in required) for setting in told.values()]
    return tuple(sorted(settings, key=lambda setting: not setting.required))


def _completed(known: Setting, other: Setting) -> Setting:
    open = known.kind is Kind.ANY
    return replace(
        known,
        kind=other.kind if open else known.kind,
        items=other.items if open else known.items,
        secret=known.secret or other.secret,
        choices=known.choices or other.choices,
        default=other.default if known.default is None else known.default,
        suggestion=other.suggestion if known.suggestion is None else known.suggestion,
        description=known.description or other.description,
    )


def at(config: Any, place: Iterable[str]) -> Any:
    """What a config says at a place; None where it says nothing."""
    for key in place:
        config = config.get(key) if isinstance(config, Mapping) else None
    return config


def put(config: Mapping[str, Any], place: Place, value: Any) -> dict[str, Any]:
    """The config with another value at a place."""
    key, *below = place
    if below:
        inner = config.get(key)
        value = put(inner if isinstance(inner, Mapping) else {}, tuple(below), value)
    return {**config, key: value}


# ── what a person types ──────────────────────────────────────────────────────────────────────────

_YES, _NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


def _parsed(text: str, kind: Kind, items: Kind) -> Any:
    match kind:
        case Kind.ANY:
            return _json(text, text)
        case Kind.INTEGER if re.fullmatch(r"[+-]?\d+", text.strip()):
            return int(text)
        case Kind.NUMBER if isinstance(number := _json(text, None), int | float) and not isinstance(number, bool):
            return number
        case Kind.BOOLEAN if text.strip().lower() in (*_YES, *_NO):
            return text.strip().lower() in _YES
        case Kind.DATE if _is_moment(text.strip()):
            return text.strip()
        case Kind.LIST:
            return _list(text, items)
        case Kind.TABLE if isinstance(table := _json(text, None), dict):
            return table
        case Kind.TEXT:
            return text
    raise Misfit(kind.words)


def _list(text: str, items: Kind) -> list[Any]:
    if not text.strip():
        return []
    if isinstance(written := _json(text, None), list):
        return written
    if text.lstrip().startswith("["):
        raise Misfit(Kind.LIST.words)
    return [_parsed(item.strip(), items, Kind.ANY) for item in text.split(",")]


def _json(text: str, otherwise: Any) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return otherwise


def _is_moment(text: str) -> bool:
    for read in (date.fromisoformat, datetime.fromisoformat):
        try:
            read(text)
        except ValueError:
            continue
        return True
    return False
