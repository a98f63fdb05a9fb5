"""What every command understands, wherever on the line it stands."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click


@dataclass(slots=True)
class Asked:
    """What was asked for beside the command itself. `no_input` forbids questions."""

    workspace: Path | None = None
    verbose: bool = False
    no_input: bool = False


def asked() -> Asked:
    """What this call of the program asks for."""
    return click.get_current_context().ensure_object(Asked)


def _kept_in(field: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def keep(context: click.Context, parameter: click.Parameter, value: Any) -> None:
        # Said before the command and not after it, it still holds.
        if value:
            setattr(context.ensure_object(Asked), field, value)

    return keep


EVERYWHERE = (
    click.Option(
        ["--workspace"],
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        is_eager=True,
        expose_value=False,
        callback=_kept_in("workspace"),
        help="The workspace; without it, the one in this folder or above.",
    ),
    click.Option(
        ["--no-input"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_kept_in("no_input"),
        help="Never ask a question.",
    ),
    click.Option(
        ["-v", "--verbose"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_kept_in("verbose"),
        help="With an error, show where it happened.",
    ),
)


class Command(click.Command):
    """A command that also understands what every command does."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.params += EVERYWHERE


class Group(click.Group):
    """Commands that share their first word."""

    command_class = Command

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.params += EVERYWHERE


def command(name: str) -> Callable[[Callable[..., None]], Command]:
    """Makes a command of a function."""
    return click.command(name, cls=Command)
