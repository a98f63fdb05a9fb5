"""What --fix and --no-fix mean for a remedy that was found."""

from collections.abc import Callable

import click

from orchestrator.cli.command import asked
from orchestrator.cli.progress import Work
from orchestrator.cli.terminal import can_ask


def agreement(fix: bool | None, work: Work) -> Callable[[str], bool]:
    """Who says whether a remedy is taken: the option, and without it a person, if one is there to ask."""

    def ask(command: str) -> bool:
        with work.still():
            return click.confirm(f"It works as: {command}\nGo on with that?", default=True, err=True)

    if fix is None and can_ask() and not asked().no_input:
        return ask
    return lambda command: bool(fix)
