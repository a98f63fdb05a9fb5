"""What a person reads when something does not work, and what the process ends with."""

import traceback
from pathlib import Path
from typing import Any

import click

from orchestrator.cli.terminal import say, speech, styled
from orchestrator.disk import refusal
from orchestrator.errors import OrchestratorError, Stopped, UsageError

_RETRY = {True: "this may pass by itself", False: "this does not pass by itself"}
_LOUD = {"hint": ("bold",)}


def report(error: BaseException, *, verbose: bool, of_a_run: bool = False) -> OrchestratorError:
    """Shows `error` on stderr; that of a run tells whether it makes sense to try again. Gives it in our own words; its
    exit code is what the process ends with."""
    if verbose:
        say("".join(traceback.format_exception(error)).rstrip())
    shown = in_our_words(error)
    if speech.json:
        said = members(shown)
        say(said.pop("message"), level="error", event="error", **said)
        return shown
    say(f"{styled('error:', 'red', 'bold')} {shown.message}")
    details = shown.details()
    if of_a_run and not isinstance(shown, UsageError | Stopped):
        # The hint is the last line.
        details.insert(len(details) - bool(shown.hint), ("retry", _RETRY[shown.is_temporary]))
    for label, text in details:
        say(f"  {styled(f'{label}:', *_LOUD.get(label, ()))} {text}")
    return shown


def members(error: OrchestratorError) -> dict[str, Any]:
    """The error as a part of a JSON document."""
    said = {"message": error.message, **dict(error.details())}
    return {**said, "exit_code": error.exit_code, "temporary": error.is_temporary}


def in_our_words(error: BaseException) -> OrchestratorError:
    match error:
        case OrchestratorError():
            return error
        case click.NoSuchOption():
            near = " or ".join(error.possibilities or ())
            return _misused(error, f"there is no option {error.option_name}", f"did you mean {near}?" if near else None)
        case click.UsageError():
            return _misused(error, _as_ours(error.format_message()))
        case click.ClickException():
            return UsageError(_as_ours(error.format_message()))
        case OSError() if refused := refusal(error, Path.cwd()):
            return refused
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
