"""What a person reads when something does not work, and what the process ends with."""

import difflib
import traceback
from collections.abc import Iterable

import click

from orchestrator.cli.terminal import say
from orchestrator.errors import OrchestratorError, UsageError


def report(error: BaseException, *, verbose: bool) -> OrchestratorError:
    """Shows `error` on stderr, and what it came to: its exit code is what the process ends with."""
    if verbose:
        say("".join(traceback.format_exception(error)).rstrip())
    shown = error if isinstance(error, OrchestratorError) else _in_our_words(error)
    say(f"{click.style('error:', fg='red', bold=True)} {shown.message}")
    for label, text in shown.details():
        say(f"  {click.style(f'{label}:', bold=label == 'hint')} {text}")
    return shown


def _in_our_words(error: BaseException) -> OrchestratorError:
    match error:
        case click.NoSuchOption():
            near = " or ".join(error.possibilities or ())
            return _misused(error, f"there is no option {error.option_name}", near and f"did you mean {near}?")
        case click.UsageError():
            return _misused(error, _as_ours(error.format_message()))
        case click.ClickException():
            return UsageError(_as_ours(error.format_message()))
    return OrchestratorError(
        "internal error",
        cause=f"{type(error).__name__}: {error}",
        hint="run the same command with -v to see where it happened",
    )


def _misused(error: click.UsageError, message: str, hint: str | None = None) -> UsageError:
    return UsageError(
        message, hint=hint or (f"{error.ctx.command_path} --help" if error.ctx else "orchestrator --help")
    )


def _as_ours(sentence: str) -> str:
    return (sentence[:1].lower() + sentence[1:]).rstrip(".")


def no_such_command(group: str, name: str, known: Iterable[str]) -> UsageError:
    """`name` was typed where `group` has only the commands `known`."""
    near = difflib.get_close_matches(name, [*known], n=1)
    return UsageError(
        f'there is no command "{name}"',
        hint=f'did you mean "{group} {near[0]}"?' if near else f"{group} --help",
    )
