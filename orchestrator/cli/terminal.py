"""The two streams: data goes to stdout, everything else to stderr; and whether a person sits there."""

import os
import shlex
import sys
from typing import TextIO

import click


def put(text: str) -> None:
    """One piece of data, on stdout."""
    click.echo(text, color=is_colourful(sys.stdout))


def say(text: str) -> None:
    """One line for a person, on stderr."""
    # By name: while something is drawn at the foot of a terminal, rich stands there and makes room above it.
    click.echo(text, file=sys.stderr, color=is_colourful(sys.stderr))


def say_next(*words: str, after: str | None = None) -> None:
    """The command to type next, `after` another one; it runs as printed."""
    typed = shlex.join(["orchestrator", *words])
    say(f"{click.style('Next', bold=True)}  {f'{after} && ' if after else ''}{typed}")


def is_lively(stream: TextIO) -> bool:
    """Whether lines can be drawn over."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def is_colourful(stream: TextIO) -> bool:
    return is_lively(stream) and not os.environ.get("NO_COLOR")


def can_ask() -> bool:
    """Whether somebody could answer a question."""
    return sys.stdin.isatty() and sys.stderr.isatty()
