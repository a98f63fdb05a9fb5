"""What --fix and --no-fix mean for a remedy that was found."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from orchestrator.cli.command import asked
from orchestrator.cli.plain import plain
from orchestrator.cli.progress import Work
from orchestrator.cli.terminal import can_ask

Function = TypeVar("Function", bound=Callable[..., Any])


def fix_option(function: Function) -> Function:
    """`--fix` and `--no-fix`; the command is given `fix`, None where neither was said."""
    return click.option(
        "--fix/--no-fix",
        default=None,
        help="Take what was found to mend it without asking, or only tell (default: ask, on a terminal).",
    )(function)


def agreement(fix: bool | None, work: Work) -> Callable[[str], bool]:
    """Who says whether a remedy is taken: the option, and without it a person, if one is there to ask."""

    def ask(command: str) -> bool:
        with work.still():
            return click.confirm(f"It works as: {plain(command)}\nGo on with that?", default=True, err=True)

    if fix is None and can_ask() and not asked().no_input:
        return ask
    return lambda command: bool(fix)
