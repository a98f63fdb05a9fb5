"""The two streams: data goes to stdout, everything else to stderr; and whether a person sits there.

Whatever is said may hold words of a tap. Only what is `styled` here reaches a terminal as more than letters.
"""

import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TextIO

import click

from orchestrator.cli.plain import plain
from orchestrator.clock import rfc3339


def put(text: str) -> None:
    """One piece of data, on stdout."""
    click.echo(as_shown(text, colour=is_colourful(sys.stdout)), color=True)


def hand_over(content: bytes) -> None:
    """Data for a program, on stdout: as it is, unless a person looks at it."""
    if sys.stdout.isatty():
        content = plain(content.decode(errors="replace")).encode()
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


@dataclass(slots=True)
class Speech:
    """In which form a process says all that it says: for people, or as lines of JSON; `about` stands in each of
    these."""

    json: bool = False
    about: Mapping[str, Any] = field(default_factory=dict)


speech = Speech()


def say(text: str, *, level: str = "info", **members: Any) -> None:
    """One line for a person, on stderr. As JSON it also has the `level` and the other `members`."""
    if speech.json:
        # Who reads no JSON does without it.
        from orchestrator.cli.words import line

        text = as_shown(text, colour=False).strip()
        said = {"at": rfc3339(), "level": level, **speech.about, **members, "message": text}
        click.echo(line(**said), file=sys.stderr)
        return
    # By name: while something is drawn at the foot of a terminal, rich stands there and makes room above it.
    click.echo(as_shown(text, colour=is_colourful(sys.stderr)), file=sys.stderr, color=True)


# Unicode keeps these out of texts: https://www.unicode.org/faq/private_use.html#noncharacters
_STYLES = {"bold": "\ufdd1", "dim": "\ufdd2", "red": "\ufdd3", "green": "\ufdd4", "yellow": "\ufdd5"}
_END = "\ufdd0"
_ON_A_TERMINAL = str.maketrans(
    {_END: "\x1b[0m"}
    | {_STYLES["bold"]: "\x1b[1m", _STYLES["dim"]: "\x1b[2m"}
    | {_STYLES["red"]: "\x1b[31m", _STYLES["green"]: "\x1b[32m", _STYLES["yellow"]: "\x1b[33m"}
)
_ELSEWHERE = str.maketrans(dict.fromkeys((_END, *_STYLES.values()), ""))


def styled(text: str, *styles: str) -> str:
    """The text as it is to look where there are colours: bold, dim, red, green, yellow."""
    return f"{''.join(_STYLES[style] for style in styles)}{text}{_END}" if styles else text


def as_shown(text: str, *, colour: bool) -> str:
    """What a terminal is sent for a text."""
    return plain(text).translate(_ON_A_TERMINAL if colour else _ELSEWHERE)


def say_next(*words: str, after: str | None = None) -> None:
    """The command to type next, `after` another one; it runs as printed."""
    if speech.json:
        # It is for who types.
        return
    typed = shlex.join(["orchestrator", *words])
    say(f"{styled('Next', 'bold')}  {f'{after} && ' if after else ''}{typed}")


def is_lively(stream: TextIO) -> bool:
    """Whether lines can be drawn over."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def is_colourful(stream: TextIO) -> bool:
    return is_lively(stream) and not os.environ.get("NO_COLOR")


def can_ask() -> bool:
    """Whether somebody could answer a question."""
    return sys.stdin.isatty() and sys.stderr.isatty()
