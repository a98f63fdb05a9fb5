"""Secrets that stand in orchestrator.toml as they are: refuses them, and moves them into the vault."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.actions.telling import Understood, understood
from orchestrator.config import Reference, Tap, read_config
from orchestrator.config.problems import reference_parts
from orchestrator.config.statements import Place
from orchestrator.config.written import Written
from orchestrator.errors import ConfigError
from orchestrator.paths import Paths
from orchestrator.secrets import holds_a_password, surely_names_a_secret
from orchestrator.secrets.keeping import keeping, name_for

Fields = Mapping[str, Any]
"""What a tap is given: its `config`, and the variables of its `env`."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A secret that went to the vault: the tap whose settings said it, the setting, and its name in the vault."""

    tap: str
    setting: str
    secret: str


def refuse_literals(paths: Paths, tap: Tap, known: Understood) -> None:
    """Raises ConfigError, with the lines, where orchestrator.toml holds secrets of a tap themselves."""
    places = [place for place, _ in _literals(known, {"config": tap.config, "env": tap.env})]
    if not places:
        return
    written = Written.read(paths.config)
    lines = [
        f'{written.where(tap.id, keys, field=str(field))}: tap "{tap.id}": {_dotted(keys)}' for field, *keys in places
    ]
    one = len(lines) == 1
    raise ConfigError(
        f"{lines[0]} is a secret, and stands there for all to read"
        if one
        else f"{len(lines)} secrets stand in {written.name}",
        cause=None if one else "\n         ".join(lines),
        data="the tap was not started",
        hint=f"orchestrator secret move {tap.id}        (into the vault; a reference takes its place)",
    )


def passwords_in_addresses(tap: Tap, known: Understood) -> tuple[str, ...]:
    """The settings of a tap that hold an address with a password in it, which is masked and not refused."""
    fields = {"config": tap.config, "env": tap.env}
    refused = {place for place, _ in _literals(known, fields)}
    return tuple(_dotted(place[1:]) for place, _ in _literals(known, fields, urls=True) if place not in refused)


def move_literals(paths: Paths, id: str) -> tuple[Moved, ...]:
    """Moves the secrets that stand in the settings of a tap, and of those that it inherits from, into the vault; a
    reference takes the place of each. A URL goes with the password in it.

    Raises UnknownName, ConfigError, CredentialsError, DamagedFile; nothing is changed then.
    """
    # Only who edits pays for these imports; they bring all that reads requirements.
    from orchestrator.config import editing
    from orchestrator.envs.switch import receipt_or_none

    tap = read_config(paths.config).tap(id)
    known = understood(paths, tap, receipt_or_none(paths, tap.environment))
    written = Written.read(paths.config)
    moved: list[Moved] = []
    secrets: dict[str, str] = {}
    references: dict[Place, Reference] = {}
    for said_by in written.lineage(id):
        fields = {field: written.document["taps"][said_by].get(field, {}) for field in ("config", "env")}
        for place, secret in _literals(known, fields, urls=True):
            move = Moved(said_by, _dotted(place[1:]), name_for(said_by, _dotted(place[1:])))
            moved.append(move)
            secrets[move.secret] = str(secret)
            references["taps", said_by, *place] = Reference("secret", move.secret)
    with keeping(paths, secrets):
        editing.exchange(paths.config, references)
    return tuple(moved)


def _literals(known: Understood, fields: Fields, *, urls: bool = False) -> Iterator[tuple[Place, str | int]]:
    """Where secrets stand, and what they are; with `urls` also addresses with a password."""

    def below(place: Place, value: Any, *, secret: bool) -> Iterator[tuple[Place, str | int]]:
        if isinstance(value, Reference) or reference_parts(value) is not None:
            return
        match value:
            case Mapping():
                for key, each in value.items():
                    keys = (*place[1:], key)
                    declared = place[0] == "config" and known.declares_secret(tuple(map(str, keys)))
                    yield from below((*place, key), each, secret=declared or surely_names_a_secret(key))
            case list():
                for index, each in enumerate(value):
                    yield from below((*place, index), each, secret=secret)
            case bool() | "":
                pass
            case str() | int() if secret or (urls and holds_a_password(str(value))):
                yield place, value

    for field, value in fields.items():
        yield from below((field,), value, secret=False)


def _dotted(keys: Place | list[str | int]) -> str:
    return ".".join(map(str, keys))
