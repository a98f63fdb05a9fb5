"""The program `orchestrator`: its commands, each imported when it is called, and the way in and out."""

import gc
import importlib
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

import click

from orchestrator import __version__
from orchestrator.cli.command import Asked, Group
from orchestrator.cli.failures import members, report
from orchestrator.cli.terminal import put, say, speech
from orchestrator.cli.words import document
from orchestrator.errors import Stopped

# Beside the names, so that --help and completion import none of the commands. A test holds each line to its command.
COMMANDS: dict[str, dict[str, str]] = {
    "Set up": {
        "init": "Make a workspace.",
        "add-tap": "Install a tap in an environment of its own, with a flow.",
        "config": "Ask for what a tap still needs; show and change what it is told.",
        "secret": "Keep secrets in an encrypted file, and say who may read it.",
        "check": "Check that a tap is let in, and which streams can be read.",
        "discover": "Ask a tap what it offers, and tell what changed.",
        "select": "Choose the streams and columns to take.",
    },
    "Run": {
        "run": "Run flows: what is new at the source lands exactly once.",
        "replay": "Load the messages of an earlier run again, without the source.",
        "load": "Load Singer messages from stdin; needs no workspace.",
    },
    "Keep fresh": {
        "schedule": "Say when a flow is due.",
        "up": "Keep the schedules: start each flow when it is due.",
        "down": "Stop keeping the schedules.",
        "pause": "Let the schedule of a flow rest.",
        "resume": "Let a flow that is paused be due again.",
        "notify": "Tell people when a flow fails, is late, recovers or changes.",
    },
    "Look": {
        "query": "Ask a destination in SQL.",
        "status": "Show how each flow stands.",
        "runs": "List the runs of flows.",
        "logs": "Show what the tap said in a run.",
        "metrics": "Print the numbers of the workspace, for Prometheus.",
        "state": "Show, export or change where a flow stands.",
    },
    "Build": {
        "tap": "Make, test and record a tap of your own.",
    },
    "Keep": {
        "taps": "List the taps and their environments.",
        "install": "Build every environment from its lock.",
        "upgrade": "Move a tap to newer versions.",
        "rollback": "Go back to the environment before.",
        "prune": "Remove environments that no lock names.",
        "remove-tap": "Take a tap out of the workspace.",
        "doctor": "Check the workspace.",
        "completion": "Print the completion script of a shell.",
    },
}


class Program(Group):
    """The commands of the table, in its order."""

    def list_commands(self, context: click.Context) -> list[str]:
        return [name for section in COMMANDS.values() for name in section]

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in self.list_commands(context):
            return None
        module = name.replace("-", "_")
        found = getattr(importlib.import_module(f"orchestrator.cli.commands.{module}"), module)
        assert isinstance(found, click.Command)
        return found

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        for section, commands in COMMANDS.items():
            with formatter.section(section):
                formatter.write_dl([*commands.items()])


@click.group(
    cls=Program,
    context_settings={
        "auto_envvar_prefix": "ORCHESTRATOR",
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
    },
    epilog="Every option can come from the environment: run --commit-rows from ORCHESTRATOR_RUN_COMMIT_ROWS.",
)
@click.version_option(__version__, message="orchestrator %(version)s")
def orchestrator() -> None:
    """Runs Singer taps, each in its own locked environment, and lands their rows exactly once."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line (default: that of this process) and gives the exit code."""
    asked, speech.json, speech.about = Asked(), False, {}
    # Rows are thousands of tuples for a moment; the collector would look at each of them, again and again.
    gc.set_threshold(100_000)
    # Arrow's own allocator holds more memory, and has the system give it anew more often.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    try:
        with _terminable():
            return _call(arguments, asked)
    except BrokenPipeError:
        # The reader of stdout went away, as `head` does. What Python still holds for it must not complain at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1


@contextmanager
def _terminable() -> Iterator[None]:
    """While the block runs, SIGTERM unwinds the work as Ctrl-C does: what was started meanwhile is ended as well."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Stopped("stopped", signal=number)

    before = signal.getsignal(signal.SIGTERM)
    # Outside the main thread signals are not delivered, and cannot be asked for.
    with suppress(ValueError):
        signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        with suppress(ValueError):
            signal.signal(signal.SIGTERM, before)


def _call(arguments: Sequence[str] | None, asked: Asked) -> int:
    try:
        code = orchestrator.main(arguments, prog_name="orchestrator", standalone_mode=False, obj=asked)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except BrokenPipeError:
        raise
    except click.exceptions.NoArgsIsHelpError as error:
        say(error.format_message())
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        return report(Stopped("stopped", signal=2), verbose=False).exit_code
    except Exception as error:
        shown = report(error, verbose=asked.verbose)
        if asked.json:
            put(document(error=members(shown)))
        return shown.exit_code
