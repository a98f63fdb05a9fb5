"""What the index says of taps, as values: a list of all names, and an entry for each variant of a tap."""

import re
import shlex
from dataclasses import dataclass, field
from typing import Any

import msgspec

from orchestrator.protocol.settings import Account, Kind, Setting, Source

_KINDS = {
    "integer": Kind.INTEGER,
    "decimal": Kind.NUMBER,
    "boolean": Kind.BOOLEAN,
    "date_iso8601": Kind.DATE,
    "array": Kind.LIST,
    "object": Kind.TABLE,
    "options": Kind.ANY,
    "hidden": Kind.ANY,
}
"""What is said otherwise of a setting (string, password, email, oauth, file or nothing) means a text."""


class NotOfTheHub(Exception):
    """An answer that is no index, or no entry."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A tap in the list of all. `variants` are by different authors, the one that the index recommends first."""

    name: str
    variants: tuple[str, ...]


def read_index(answer: bytes) -> tuple[Listed, ...]:
    """The taps by name. Raises NotOfTheHub."""
    try:
        taps = msgspec.json.decode(answer, type=dict[str, _Listed])
    except msgspec.DecodeError as error:
        raise NotOfTheHub(str(error)) from error
    return tuple(
        Listed(name, tuple(sorted(tap.variants, key=lambda variant: variant != tap.default_variant)))
        for name, tap in sorted(taps.items())
        if tap.variants
    )


@dataclass(frozen=True, slots=True)
class Entry:
    """One variant of a tap. `package` is what is to be installed, `extras` what is to be installed beside it; `answer`
    is the entry as the index gave it."""

    name: str
    variant: str
    description: str | None
    repository: str | None
    package: str | None
    extras: tuple[str, ...]
    settings: tuple[Setting, ...]
    knows_required: bool
    answer: bytes = field(repr=False)

    @property
    def account(self) -> Account:
        return Account(Source.HUB, self.settings, knows_required=self.knows_required)


def read_entry(answer: bytes) -> Entry:
    """An entry as the index gives it. Raises NotOfTheHub."""
    try:
        said = msgspec.json.decode(answer, type=_Entry)
        package, extras = _requirements(said)
    except (msgspec.DecodeError, ValueError) as error:
        raise NotOfTheHub(str(error)) from error
    # Each group is enough by itself, so what is in all of them is required.
    groups = [set(group) for group in said.settings_group_validation if group]
    required = set.intersection(*groups) if groups else set()
    return Entry(
        name=said.name,
        variant=said.variant,
        description=said.description,
        repository=said.repo,
        package=package,
        extras=extras,
        settings=tuple(_setting(each, required) for each in said.settings),
        knows_required=bool(groups),
        answer=answer,
    )


class _Listed(msgspec.Struct):
    default_variant: str | None = None
    variants: dict[str, Any] = {}


class _Option(msgspec.Struct):
    value: Any = None


class _Setting(msgspec.Struct):
    name: str
    kind: str | None = None
    sensitive: bool | None = None
    description: str | None = None
    value: Any = None
    options: list[_Option] = []


class _Entry(msgspec.Struct):
    name: str
    variant: str
    description: str | None = None
    repo: str | None = None
    pip_url: str | None = None
    settings: list[_Setting] = []
    settings_group_validation: list[list[str]] = []


def _requirements(said: _Entry) -> tuple[str | None, tuple[str, ...]]:
    """The requirement of the tap, and those that are installed beside it: the index has all in one line, and a few
    name something else first."""
    requirements = shlex.split(said.pip_url or "")
    for each in requirements:
        if re.search(rf"(?<![\w-])([\w-]+-)?{re.escape(said.name)}(?![\w-])", each):
            return each, tuple(other for other in requirements if other is not each)
    return (requirements[0], tuple(requirements[1:])) if requirements else (None, ())


def _setting(said: _Setting, required: set[str]) -> Setting:
    return Setting(
        place=tuple(said.name.split(".")),
        kind=_KINDS.get(said.kind or "string", Kind.TEXT),
        required=said.name in required,
        secret=bool(said.sensitive) or said.kind == "password",
        choices=tuple(option.value for option in said.options),
        suggestion=None if said.value == "" else said.value,
        description=said.description,
    )
