"""The two streams: data goes to stdout, everything else to stderr; and whether a person sits there."""

import os
import sys
from typing import TextIO

import click


def put(text: str) -> None:
    """One piece of data, on stdout."""
    click.echo(text, color=is_colourful(sys.stdout))


def say(text: str) -> None:
    """One line for a person, on stderr."""
    click.echo(text, err=True, color=is_colourful(sys.stderr))


def is_colourful(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def can_ask() -> bool:
    """Whether somebody could answer a question."""
    return sys.stdin.isatty() and sys.stderr.isatty()
