"""What a tap is told: orchestrator.toml under the environment, held against what the tap understands."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from orchestrator.config import Reference, Tap
from orchestrator.config.written import Written
from orchestrator.envs import Receipt
from orchestrator.envs.about import read_about
from orchestrator.envs.code import account_of_code, code_of, libraries, words_of
from orchestrator.errors import ConfigError
from orchestrator.hub import kept_entry
from orchestrator.paths import Paths
from orchestrator.protocol.about import account_of_schema
from orchestrator.protocol.departures import Departure, departures, misfits, unread
from orchestrator.protocol.settings import (
    Account,
    Kind,
    Misfit,
    Place,
    Setting,
    Source,
    at,
    merged,
    put,
)
from orchestrator.secrets import Missing, Sources, credentials_error, look_up, names_a_secret


@dataclass(frozen=True)
class Understood:
    """What is known of the settings of a tap: each source's own account, and all of them as one.

    `name` is what the tap is called in print, with its version; `code` are the files that it is started from.
    """

    name: str
    accounts: tuple[Account, ...] = ()
    environment: Path | None = None
    code: tuple[Path, ...] = ()

    @cached_property
    def settings(self) -> tuple[Setting, ...]:
        """Those that are required first."""
        return merged(self.accounts)

    @property
    def trusted(self) -> tuple[Account, ...]:
        """What the tap itself holds to."""
        return tuple(account for account in self.accounts if account.source is not Source.HUB)

    def setting(self, place: Place) -> Setting:
        """The one at a place; one of which nothing is known where nobody tells of it."""
        return next((setting for setting in self.settings if setting.place == place), Setting(place))

    def is_secret(self, place: Place) -> bool:
        """Whether it is declared so, or a table that it lies in, or a name on the way says so."""
        return self.declares_secret(place) or any(names_a_secret(key) for key in place)

    def declares_secret(self, place: Place) -> bool:
        """Whether the setting, or a table that it lies in, is declared as one."""
        return any(self.setting(place[:length]).secret for length in range(1, len(place) + 1))

    def never_read(self, config: Mapping[str, Any]) -> list[str]:
        """The keys that the tap cannot be reading: no account tells of them, and they are no words of its code."""
        keys = unread(self.accounts, config)
        if not keys or not self.code or self.environment is None:
            return []
        words = words_of((*self.code, *libraries(self.environment)))
        return [key for key in keys if key not in words]


def understood(paths: Paths, tap: Tap, receipt: Receipt | None) -> Understood:
    """What a tap understands, as far as it can be told without starting it. `receipt` is None where it is not
    installed. Raises DamagedFile."""
    entry = kept_entry(paths, tap.environment)
    if receipt is None:
        return Understood(tap.package, (entry.account,) if entry else ())
    environment = paths.build(tap.environment, receipt.environment)
    about = read_about(paths.built_about(tap.environment, receipt.environment))
    code = code_of(environment, Path(receipt.executable))
    own = account_of_schema(about.settings) if about and about.settings else account_of_code(code)
    accounts = (own, entry.account if entry else None)
    return Understood(f"{receipt.package} {receipt.version}", tuple(filter(None, accounts)), environment, code)


# ── the environment over the file ────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Told:
    """What a tap is told, with references in the place of secrets. `variables` are those of the environment that a
    setting comes from, `problems` what is wrong with them."""

    config: Mapping[str, Any]
    variables: Mapping[Place, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def told(tap: Tap, known: Understood, environ: Mapping[str, str] = os.environ) -> Told:
    """What the tap is told: `TAP_GITLAB_START_DATE` goes before what orchestrator.toml says of `start_date`, for every
    setting that the tap is known to have or that is written there. An empty variable says nothing."""
    config: Mapping[str, Any] = tap.config
    variables: dict[Place, str] = {}
    problems: list[str] = []
    for place in dict.fromkeys([*(setting.place for setting in known.settings), *((key,) for key in tap.config)]):
        variable = tap.variable(*place)
        if not environ.get(variable):
            continue
        variables[place] = variable
        try:
            config = put(config, place, known.setting(place).parse(environ[variable]))
        except Misfit as misfit:
            problems.append(f'{variable}: tap "{tap.id}": {".".join(place)} must be {misfit}')
    return Told(config, variables, tuple(problems))


# ── held against what the tap understands ────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Ready:
    """What a tap can be started with, the secrets in place: a config, and variables of its own. `written` is the config
    with references in their place, `secret` are names of settings that are secrets, `doubts` what may be wrong."""

    config: Mapping[str, Any] = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)
    written: Mapping[str, Any] = field(repr=False)
    secret: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


def ready(paths: Paths, tap: Tap, known: Understood, environ: Mapping[str, str] = os.environ) -> Ready:
    """What the tap is started with.

    Raises ConfigError, which names every problem and where it stands, and CredentialsError where only secrets are
    missing.
    """
    said = told(tap, known, environ)
    sources = Sources(paths, environ)
    filled, absent = look_up(said.config, sources)
    given, unset = look_up({"env": tap.env}, sources)
    absent += unset
    config, untyped = _typed(filled, said.config, known)
    waiting = {each.setting.partition(".")[0].partition("[")[0] for each in absent}
    trusted = [each for account in known.trusted for each in departures(account, config)]
    found = [each for each in (*untyped, *trusted) if each.place[0] not in waiting]
    if said.problems or found:
        raise _refusal(paths, tap, said, found, absent)
    if absent:
        raise credentials_error(tap.id, absent)
    secret = tuple(setting.name for setting in known.settings if setting.secret)
    return Ready(config, given["env"], said.config, secret, tuple(_doubts(known, config)))


def not_understood(known: Understood, config: Mapping[str, Any]) -> list[Departure]:
    """What the tap would not understand of a config in which references stand; what they lead to is not looked at."""
    plain = {key: value for key, value in config.items() if next(references(value), None) is None}
    return [each for account in known.trusted for each in misfits(account, plain)]


def references(value: Any) -> Iterator[Reference]:
    """Every reference in a config, or in a part of one."""
    match value:
        case Reference():
            yield value
        case Mapping():
            for below in value.values():
                yield from references(below)
        case list():
            for below in value:
                yield from references(below)


def _typed(
    filled: Mapping[str, Any], config: Mapping[str, Any], known: Understood
) -> tuple[Mapping[str, Any], list[Departure]]:
    """The config with what came of references as values of their kinds: a variable holds text, a port is a number."""
    untyped: list[Departure] = []
    for setting in known.settings:
        text = at(filled, setting.place)
        if isinstance(at(config, setting.place), Reference) and text is not None and setting.kind is not Kind.ANY:
            try:
                filled = put(filled, setting.place, setting.parse(text))
            except Misfit as misfit:
                untyped.append(Departure(setting.place, f"{setting.name} must be {misfit}"))
    return filled, untyped


def _doubts(known: Understood, config: Mapping[str, Any]) -> Iterator[str]:
    """What only the hub is sure of, and what is said to nobody."""
    if known.trusted != known.accounts:
        # What the tap itself knows better is in order, or it would have been refused.
        for each in departures(Account(Source.HUB, known.settings), config):
            yield f"{each.text}, as the hub has it"
    yield from (f"{known.name} never reads {key}" for key in known.never_read(config))


def _refusal(paths: Paths, tap: Tap, said: Told, found: list[Departure], absent: list[Missing]) -> ConfigError:
    written = Written.read(paths.config)
    sentences = [*said.problems]
    for each in found:
        variable = next((name for place, name in said.variables.items() if each.place[: len(place)] == place), None)
        sentences.append(f'{variable or written.where(tap.id, each.place)}: tap "{tap.id}": {each.text}')
    sentences += [f'{written.where(tap.id)}: tap "{tap.id}": {each}' for each in absent]
    lacks_only = all(at(said.config, each.place) is None for each in found) and not said.problems
    hint, data = f"orchestrator config {tap.id}{'' if lacks_only else ' edit'}", "the tap was not started"
    if len(sentences) == 1:
        return ConfigError(sentences[0], data=data, hint=hint)
    return ConfigError(
        f'the settings of tap "{tap.id}" have {len(sentences)} problems',
        cause="\n         ".join(sentences),
        data=data,
        hint=hint,
    )
