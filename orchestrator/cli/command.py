"""What commands share: the options that every one has, how rows are shown, and the workspace that was meant."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from orchestrator.cli.plain import plain
from orchestrator.cli.tables import Column, Item, as_csv, table, with_dim_head
from orchestrator.cli.terminal import can_ask, hand_over, put, say, speech
from orchestrator.cli.words import document
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from orchestrator import Workspace

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(slots=True)
class Asked:
    """What was asked for beside the command itself. `no_input` forbids questions."""

    workspace: Path | None = None
    verbose: bool = False
    no_input: bool = False
    json: bool = False


def asked() -> Asked:
    """What this call of the program asks for."""
    return _asked_in(click.get_current_context())


def workspace() -> "Workspace":
    """The workspace that was meant. Raises NoWorkspace."""
    from orchestrator import Workspace

    folder = asked().workspace
    if folder is not None and not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", hint=f"orchestrator init {folder}")
    return Workspace.open(folder)


def _asked_in(context: click.Context) -> Asked:
    return context.find_root().ensure_object(Asked)


def _kept_in(field: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def keep(context: click.Context, parameter: click.Parameter, value: Any) -> None:
        # Said before the command and not after it, it still holds.
        if value:
            setattr(_asked_in(context), field, value)

    return keep


def _speak(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        speech.json = value == "json"


def _everywhere(*names: str, field: str, **settings: Any) -> click.Option:
    # Eager, so that they hold for what is wrong with the rest of the line.
    return click.Option([*names], expose_value=False, is_eager=True, callback=_kept_in(field), **settings)


EVERYWHERE = (
    _everywhere(
        "--workspace",
        field="workspace",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="The workspace; without it, the one in this folder or above.",
    ),
    _everywhere("--no-input", field="no_input", is_flag=True, help="Never ask a question."),
    click.Option(
        ["--log-format"],
        type=click.Choice(["text", "json"]),
        envvar="ORCHESTRATOR_LOG_FORMAT",
        expose_value=False,
        is_eager=True,
        callback=_speak,
        help="How all is said that goes to stderr: for people, or as lines of JSON.",
    ),
    _everywhere("-v", "--verbose", field="verbose", is_flag=True, help="With an error, show where it happened."),
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

    def resolve_command(
        self, context: click.Context, words: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        known = self.list_commands(context)
        if words[0] not in known and not context.resilient_parsing:
            raise _no_such_command(context.command_path, words[0], known)
        return super().resolve_command(context, words)


class Listing(Group):
    """Commands of which one is meant where none is named."""

    usual = "list"

    def parse_args(self, context: click.Context, words: list[str]) -> list[str]:
        if not words or words[0] not in {*self.commands, *context.help_option_names}:
            words = [self.usual, *words]
        return super().parse_args(context, words)


def _no_such_command(group: str, name: str, known: list[str]) -> UsageError:
    # Only somebody who mistyped pays for the import.
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1)
    return UsageError(
        f'there is no command "{name}"', hint=f'did you mean "{group} {near[0]}"?' if near else f"{group} --help"
    )


def command(name: str) -> Callable[[Callable[..., int | None]], Command]:
    """Makes a command of a function, which may give an exit code."""
    return click.command(name, cls=Command)


def json_option(function: Function) -> Function:
    """`--json`; `asked().json` tells."""
    return click.option(
        "--json",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_kept_in("json"),
        help="Print one JSON document.",
    )(function)


def format_option(*more: str) -> Callable[[Function], Function]:
    """`--format table|json|csv`, and `--json` for short; the command is given `format`."""

    def choose(context: click.Context, parameter: click.Parameter, value: str) -> str:
        if value == "json":
            _asked_in(context).json = True
        return "json" if _asked_in(context).json else value

    def options(function: Function) -> Function:
        choices = click.Choice(["table", "json", "csv", *more])
        return json_option(
            click.option("--format", type=choices, default="table", callback=choose, help="How rows are shown.")(
                function
            )
        )

    return options


def yes_option(function: Function) -> Function:
    """`--yes`; the command is given `yes`."""
    return click.option("--yes", "-y", is_flag=True, help="Do it without asking.")(function)


def scrutiny_options(function: Function) -> Function:
    """`--on-bad-line` and `--validate`; the command is given both, and None for what was not said."""
    on_bad_line = click.option(
        "--on-bad-line",
        type=click.Choice(["fail", "quarantine"]),
        help="What becomes of lines and records that cannot land: an error, or rows of _orchestrator.quarantine.",
    )
    validate = click.option(
        "--validate",
        type=click.Choice(["types", "full"]),
        help="Whether records keep the types of their SCHEMA, or all of it.",
    )
    return on_bad_line(validate(function))


def confirm(question: str, *, yes: bool, otherwise: str) -> None:
    """Goes on only if a person agrees, or did already with --yes; ends the program if not. `otherwise` is the command
    that needs no answer. Raises UsageError when nobody is there to ask."""
    if yes:
        return
    if asked().no_input or not can_ask():
        raise UsageError(
            "this needs a yes, and nobody is here to say it", cause=question, data="nothing was changed", hint=otherwise
        )
    if not click.confirm(plain(question), err=True):
        say("Nothing was changed.")
        raise click.exceptions.Exit(1)


def answer(**members: Any) -> None:
    """Puts the one JSON document on stdout, if --json asks for it."""
    if asked().json:
        put(document(**members))


def show(format: str, name: str, items: Sequence[Item], columns: Sequence[Column[Item]], **beside: Any) -> None:
    """Puts items on stdout in the format that was chosen; `name` is theirs in the JSON document, which has what stands
    `beside` them, too."""
    match format:
        case "json":
            put(document(**{name: items, **beside}))
        case "csv":
            rows = [[column.of(item) for column in columns] for item in items]
            hand_over(f"{as_csv([column.head for column in columns], rows)}\n".encode())
        case "table" if items:
            put(with_dim_head(table(columns, items)))
