"""Changes what a tap is told, and tells of each of its settings what it is told and who says so."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.actions.telling import Told, Understood, not_understood, references, told, understood
from orchestrator.config import Config, Reference, Tap, read_config
from orchestrator.config.problems import reference_parts
from orchestrator.config.reading import config_of
from orchestrator.config.written import Written
from orchestrator.envs.switch import receipt_or_none
from orchestrator.errors import ConfigError, UsageError
from orchestrator.paths import Paths
from orchestrator.protocol.settings import Misfit, Place, Setting, at
from orchestrator.secrets import holds_a_password, names_a_secret
from orchestrator.secrets.keeping import forget, keeping, name_for

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class SettingTold:
    """One setting, and what the tap is told: a Reference where it is kept elsewhere, None where it is told nothing.

    `origin` says who tells it: the variable of the environment, the line of orchestrator.toml, or "default"; None
    where nobody does. `secret` is whether the value may be shown to nobody, `variable` what would go before the file.
    """

    setting: Setting
    value: Any
    origin: str | None
    secret: bool
    variable: str

    @property
    def name(self) -> str:
        return self.setting.name

    @property
    def lacking(self) -> bool:
        """Whether the tap has to be told it and is not."""
        return self.setting.required and self.origin in (None, DEFAULT)


@dataclass(frozen=True, slots=True)
class TapSettings:
    """All that is known of the settings of a tap: those that it needs first, then what it may be told.

    `config` is what it is told, `unread` what of it the tap never reads.
    """

    of: Tap
    name: str
    config: Mapping[str, Any]
    settings: tuple[SettingTold, ...]
    unread: tuple[str, ...]

    @property
    def tap(self) -> str:
        return self.of.id

    @property
    def lacking(self) -> tuple[SettingTold, ...]:
        return tuple(each for each in self.settings if each.lacking)

    @property
    def told(self) -> tuple[SettingTold, ...]:
        """Those that somebody says."""
        return tuple(each for each in self.settings if each.origin not in (None, DEFAULT))

    def named(self, name: str) -> SettingTold:
        """The setting of this name; one of which nothing is known where there is none."""
        place = tuple(name.split("."))
        unknown = SettingTold(Setting(place), None, None, any(map(names_a_secret, place)), self.of.variable(*place))
        return next((each for each in self.settings if each.name == name), unknown)


def tap_settings(paths: Paths, id: str, environ: Mapping[str, str] = os.environ) -> TapSettings:
    """The settings of a tap as they stand. Raises UnknownName, ConfigError, DamagedFile."""
    tap = read_config(paths.config).tap(id)
    known = _understood(paths, tap)
    said = told(tap, known, environ)
    if said.problems:
        raise ConfigError(said.problems[0])
    return TapSettings(
        tap, known.name, said.config, tuple(_each(paths, tap, known, said)), tuple(known.never_read(said.config))
    )


def configure(
    paths: Paths,
    id: str,
    *,
    set: Mapping[str, Any],
    typed: Mapping[str, str],
    unset: Iterable[str],
    environ: Mapping[str, str] = os.environ,
) -> TapSettings:
    """Writes settings to orchestrator.toml and takes others out; a name with dots lies in tables. What is secret goes
    to the vault, and is referred to.

    `typed` are texts, and become values of the kind of their setting: `310` stays a text for one that is text.
    `{"secret": NAME}`, `{"env": NAME}`, `{"file": PATH}` and `{"command": [WORD, …]}` refer to a secret, also as texts.

    Raises UnknownName, UsageError for a text that is no such value, ConfigError, and CredentialsError or DamagedFile
    where the vault cannot be opened; nothing is changed then.
    """
    # Only who edits pays for the import.
    from orchestrator.config import editing

    config = read_config(paths.config)
    tap = config.tap(id)
    known = _understood(paths, tap)
    values: dict[str, Any] = {}
    secrets: dict[str, str] = {}
    for name, value in {**set, **{name: _parsed(name, text, tap, known) for name, text in typed.items()}}.items():
        place = _place(name, tap, known)
        _lay(values, place, _outside(secrets, tap, known, place, value))
    with keeping(paths, secrets):
        if values:
            editing.set_tap_config(paths.config, id, values)
        if gone := [_place(name, tap, known) for name in unset]:
            editing.unset_tap_config(paths.config, id, gone)
    forget(paths, id, references_in(config) - references_in(read_config(paths.config)))
    return tap_settings(paths, id, environ)


def edit(paths: Paths, id: str, by: Callable[[str], str | None]) -> bool:
    """Lets somebody change the text of orchestrator.toml, and keeps it if it can be meant and the tap could be told it.
    `by` is given the text and gives another, or None for none. Tells whether anything was changed.

    Raises ConfigError, with the lines of the text that was not kept.
    """
    from orchestrator.config import editing
    from orchestrator.config.reading import read_text

    before = read_text(paths.config)
    text = by(before)
    if text is None or text == before:
        return False
    config = config_of(text, paths.config)
    if id in config.taps:
        tap = config.tap(id)
        known = _understood(paths, tap)
        written = Written.of(text, paths.config)
        found = [f"{written.where(id, each.place)}: {each.text}" for each in not_understood(known, tap.config)]
        if found:
            raise ConfigError(f'tap "{id}" cannot be told that', cause="\n         ".join(found))
    editing.replace_text(paths.config, before, text)
    return True


def _understood(paths: Paths, tap: Tap) -> Understood:
    return understood(paths, tap, receipt_or_none(paths, tap.environment))


def _each(paths: Paths, tap: Tap, known: Understood, said: Told) -> Iterator[SettingTold]:
    written = Written.read(paths.config)
    places = [setting.place for setting in known.settings]
    places += [(key,) for key in said.config if all(place[0] != key for place in places)]
    for place in places:
        setting, value = known.setting(place), at(said.config, place)
        origin: str | None = None
        if place in said.variables:
            origin = said.variables[place]
        elif value is not None:
            origin = written.where(tap.id, place)
        elif setting.default is not None:
            value, origin = setting.default, DEFAULT
        yield SettingTold(setting, value, origin, known.is_secret(place), tap.variable(*place))


def _place(name: str, tap: Tap, known: Understood) -> Place:
    """Where a setting lies that a person calls by this name."""
    if name in tap.config:
        return (name,)
    return next((setting.place for setting in known.settings if setting.name == name), tuple(name.split(".")))


def _lay(values: dict[str, Any], place: Place, value: Any) -> None:
    *above, key = place
    for table in above:
        values = values.setdefault(table, {})
    values[key] = value


def _parsed(name: str, text: str, tap: Tap, known: Understood) -> Any:
    if (reference := _reference(text)) is not None:
        return reference
    try:
        return known.setting(_place(name, tap, known)).parse(text)
    except Misfit as misfit:
        raise UsageError(f"{name} must be {misfit}", data="nothing was changed") from misfit


def _reference(text: str) -> Reference | None:
    if not text.lstrip().startswith("{"):
        return None
    parts = reference_parts(Setting(("",)).parse(text))
    return Reference(*parts) if parts else None


def _outside(secrets: dict[str, str], tap: Tap, known: Understood, place: Place, value: Any) -> Any:
    """The value with references in the place of what is secret in it, which is added to `secrets`."""
    if (parts := reference_parts(value)) is not None:
        return Reference(*parts)
    if isinstance(value, Mapping):
        return {key: _outside(secrets, tap, known, (*place, key), below) for key, below in value.items()}
    if isinstance(value, list):
        return [_outside(secrets, tap, known, (*place, str(n)), item) for n, item in enumerate(value)]
    is_plain = isinstance(value, str | int) and not isinstance(value, bool) and value != ""
    if is_plain and (known.is_secret(place) or holds_a_password(str(value))):
        name = name_for(tap.id, ".".join(place))
        secrets[name] = str(value)
        return Reference("secret", name)
    return value


def references_in(config: Config) -> set[Reference]:
    """Every reference that a tap of the workspace holds."""
    return {each for tap in config.taps.values() for each in (*references(tap.config), *references(tap.env))}
