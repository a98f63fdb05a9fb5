"""`orchestrator config`"""

import json
from typing import TYPE_CHECKING

import click

from orchestrator.cli.command import answer, asked, command, format_option, show, workspace
from orchestrator.cli.failures import report
from orchestrator.cli.names import TAP
from orchestrator.cli.plain import plain
from orchestrator.cli.terminal import can_ask, say, say_next, styled
from orchestrator.cli.words import counted
from orchestrator.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from orchestrator import Workspace
    from orchestrator.actions.configure import SettingTold, TapSettings


@command("config")
@click.argument("tap", type=TAP)
@click.argument(
    "change", required=False, metavar="[set|unset|list|edit]", type=click.Choice(["set", "unset", "list", "edit"])
)
@click.argument("words", nargs=-1, metavar="[KEY=VALUE…]")
@click.option("--origin", is_flag=True, help="Show where each value comes from.")
@format_option()
def config(tap: str, change: str | None, words: tuple[str, ...], origin: bool, format: str) -> None:
    """Ask for what a tap still needs; show and change what it is told.

    \b
        orchestrator config gitlab                        asks for what is missing
        orchestrator config gitlab set start_date=2026-01-01 groups=tools,sales
        orchestrator config gitlab set private_token      asks, and does not show it
        orchestrator config gitlab set 'private_token={"env": "GITLAB_PRIVATE_TOKEN"}'
        orchestrator config gitlab unset groups
        orchestrator config gitlab list --origin          all that it understands, and who says what
        orchestrator config gitlab edit                   orchestrator.toml in $EDITOR, checked before it is kept

    A value is read by the kind of its setting, where that is known; else it is JSON where it can be, and text where it
    cannot. A secret goes to the vault, as gitlab.private_token, and is referred to; {"secret": "NAME"} refers to
    another one, {"env": "NAME"} to a variable, {"file": "PATH"} to a file, {"command": ["PROGRAM"]} to what a program
    prints. The variable TAP_GITLAB_START_DATE goes before what is written of start_date.
    """
    from orchestrator.cli.settings import ORIGIN, SAID, UNDERSTOOD, masked, members

    opened = workspace()
    match change:
        case "set":
            settings = _set(opened, tap, words)
        case "unset":
            settings = opened.configure(tap, unset=words or _what(tap, "unset"))
        case "edit":
            _edit(opened, tap)
            settings = opened.settings(tap)
        case "list":
            settings = opened.settings(tap)
        case _:
            settings = _complete(opened, tap)
    shown = settings.settings if change == "list" else settings.told
    if format == "json":
        if change == "list":
            answer(tap=tap, settings=[members(each) for each in shown])
        else:
            answer(tap=tap, config=masked(settings.config))
    else:
        columns = [*SAID, *([ORIGIN] if origin else []), *(UNDERSTOOD if change == "list" else [])]
        show(format, "settings", shown, columns)
    for key in settings.unread:
        say(f"note: {settings.name} never reads {key}")
    if not settings.settings:
        say(f'Tap "{tap}" is told nothing yet. What it understands stands in its documentation.')
    elif not change:
        say_next("discover", tap)


EXAMPLES = {"set": "start_date=2026-01-01", "unset": "start_date"}


def _what(tap: str, change: str) -> tuple[str, ...]:
    raise UsageError(f"{change} what?", hint=f"orchestrator config {tap} {change} {EXAMPLES[change]}")


def _set(opened: "Workspace", tap: str, words: tuple[str, ...]) -> "TapSettings":
    typed: dict[str, str] = {}
    for word in words or _what(tap, "set"):
        key, equals, text = word.partition("=")
        if not key or not (equals or _may_ask()):
            raise UsageError(f'"{word}" is no KEY=VALUE', hint=f"{key or 'start_date'}=2026-01-01")
        typed[key] = text if equals else _ask(opened.settings(tap).named(key))
    return opened.configure(tap, typed=typed)


def _complete(opened: "Workspace", tap: str) -> "TapSettings":
    """Asks for what the tap needs and is not told."""
    settings = opened.settings(tap)
    if not settings.lacking:
        return settings
    if not _may_ask():
        raise _incomplete(settings)
    return opened.configure(tap, typed={each.name: _ask(each) for each in settings.lacking})


def _may_ask() -> bool:
    return can_ask() and not asked().no_input


def _incomplete(settings: "TapSettings") -> ConfigError:
    """What to type where nobody can be asked."""
    exports = [f"{each.variable}=…" for each in settings.lacking if each.secret]
    words = [f"{each.name}=…" for each in settings.lacking if not each.secret]
    commands = [f"export {' '.join(exports)}"] if exports else []
    commands += [f"orchestrator config {settings.tap} set {' '.join(words)}"] if words else []
    return ConfigError(
        f'tap "{settings.tap}" is not told {counted(len(settings.lacking), "setting")} that it needs',
        cause="\n         ".join(f"{each.name}{_about(each)}" for each in settings.lacking),
        data="nothing was changed",
        hint=" && ".join(commands),
    )


def _about(each: "SettingTold") -> str:
    """What there is to know of a setting before it is given a value, in brackets."""
    from orchestrator.protocol.settings import Kind

    setting = each.setting
    if each.secret:
        return " (secret)"
    if setting.choices:
        return f" ({', '.join(map(str, setting.choices))})"
    return "" if setting.kind is Kind.ANY else f" ({setting.kind.value})"


def _ask(each: "SettingTold") -> str:
    """What a person types for a setting; asked again until it is a value of it."""
    from orchestrator.protocol.settings import Misfit

    def fitting(text: str) -> str:
        try:
            each.setting.parse(text)
        except Misfit as misfit:
            raise click.UsageError(f"It must be {misfit}") from misfit
        return text

    if description := each.setting.description:
        say(styled(" ".join(description.split()), "dim"))
    proposed = each.setting.suggestion if each.setting.default is None else each.setting.default
    default = proposed if proposed is None or isinstance(proposed, str) else json.dumps(proposed)
    if default is not None and default != plain(default):
        # Nobody takes by a mere enter what cannot be shown.
        default = None
    answer: str = click.prompt(
        plain(f"{each.name}{_about(each)}"),
        default=default,
        show_default=bool(default),
        hide_input=each.secret,
        value_proc=fitting,
        err=True,
    )
    return answer


def _edit(opened: "Workspace", tap: str) -> None:
    """Opens orchestrator.toml until it can be kept, or until somebody gives up."""
    edited: str | None = None

    def by(text: str) -> str | None:
        nonlocal edited
        edited = click.edit(edited or text, extension=".toml")
        return edited

    while True:
        try:
            if not opened.edit_settings(tap, by):
                say("Nothing was changed.")
            return
        except ConfigError as error:
            if not _may_ask():
                raise
            report(error, verbose=asked().verbose)
            if not click.confirm("Edit it again?", default=True, err=True):
                raise click.exceptions.Exit(error.exit_code) from error
