"""`orchestrator config`"""

import json
from collections.abc import Mapping
from typing import Any

import click

from orchestrator.cli.command import answer, command, format_option, show, workspace
from orchestrator.cli.names import TAP
from orchestrator.cli.tables import Column
from orchestrator.cli.terminal import say, say_next
from orchestrator.errors import UsageError

MASK = "***"


@command("config")
@click.argument("tap", type=TAP)
@click.argument("change", required=False, metavar="[set|unset]", type=click.Choice(["set", "unset"]))
@click.argument("words", nargs=-1, metavar="[KEY=VALUE…]")
@format_option()
def config(tap: str, change: str | None, words: tuple[str, ...], format: str) -> None:
    """Show and change what a tap is told.

    \b
        orchestrator config gitlab
        orchestrator config gitlab set start_date=2026-01-01 'groups=["tools", "sales"]'
        orchestrator config gitlab set 'private_token={"env": "GITLAB_PRIVATE_TOKEN"}'
        orchestrator config gitlab unset groups

    A value is JSON where it can be, and text where it cannot. A secret stays outside: {"env": "NAME"} refers to a
    variable, {"file": "PATH"} to a file.
    """
    opened = workspace()
    if change and not words:
        raise UsageError(f"{change} what?", hint=f"orchestrator config {tap} {change} {EXAMPLES[change]}")
    if change == "set":
        told = opened.configure(tap, set=dict(map(_setting, words)))
        _warn_of_secrets(tap, words)
    else:
        told = opened.configure(tap, unset=words)
    shown = _masked(told)
    if format == "json":
        answer(tap=tap, config=shown)
    else:
        show(format, "config", [*shown.items()], COLUMNS)
    if not told:
        say(f'Tap "{tap}" is told nothing yet. What it understands stands in its documentation.')
    elif not change:
        say_next("discover", tap)


EXAMPLES = {"set": "start_date=2026-01-01", "unset": "start_date"}


def _setting(word: str) -> tuple[str, Any]:
    key, equals, text = word.partition("=")
    if not equals or not key:
        raise UsageError(f'"{word}" is no KEY=VALUE', hint=f"{word or 'start_date'}=2026-01-01")
    try:
        return key, json.loads(text)
    except ValueError:
        return key, text


def _warn_of_secrets(tap: str, words: tuple[str, ...]) -> None:
    """A secret in the file goes wherever the file goes."""
    from orchestrator.secrets import names_a_secret

    for key, value in map(_setting, words):
        if names_a_secret(key) and not isinstance(value, dict):
            say(f"note: {key} now stands in orchestrator.toml, which belongs in git. Keep it outside:")
            variable = f"{tap}_{key}".upper().replace("-", "_")
            say_next("config", tap, "set", f'{key}={{"env": "{variable}"}}')


def _masked(told: Mapping[str, Any]) -> dict[str, Any]:
    """What a tap is told, with references in the place of secrets, and a mask where a secret stands itself."""
    from orchestrator.config import Reference
    from orchestrator.secrets import names_a_secret

    def masked(key: str, value: Any) -> Any:
        match value:
            case Reference():
                return {value.kind: value.name}
            case Mapping():
                return {below: masked(below, item) for below, item in value.items()}
            case list():
                return [masked(key, item) for item in value]
        return MASK if names_a_secret(key) else value

    return {key: masked(key, value) for key, value in told.items()}


def _as_typed(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


COLUMNS: list[Column[tuple[str, Any]]] = [
    Column("setting", lambda setting: setting[0]),
    Column("value", lambda setting: _as_typed(setting[1])),
]
