"""What `up` can be asked while it is up: one line of JSON over a socket, one line back.

The socket saves others a second of waiting and tells what stands in no file: who waits for what. All else works without
it. `docs/reference/socket.md` describes it for other programs.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import msgspec

from orchestrator import durable
from orchestrator.paths import Paths

PROTOCOL = 1
_PATIENCE = 5.0
"""Seconds. It answers between two looks."""


class Ask(StrEnum):
    """What can be asked. The answer to each is the overview of the moment."""

    STATUS = "status"
    LOOK = "look"
    """That it looks at a flow, or at all of them, at once: something was changed."""
    DOWN = "down"
    """That it ends as after SIGTERM."""


@dataclass(frozen=True, slots=True)
class Question:
    ask: Ask
    flow: str | None = None
    protocol: int = PROTOCOL


@dataclass(frozen=True, slots=True)
class AtWork:
    """A run that `up` started. `due` and `started` are RFC 3339."""

    flow: str
    due: str
    started: str
    pid: int


@dataclass(frozen=True, slots=True)
class Queued:
    """A flow that is due, `since` when, and what it waits for: a worker, a tap, a destination, another flow."""

    flow: str
    due: str
    since: str
    waits_for: str


@dataclass(frozen=True, slots=True)
class Overview:
    """What `up` does at a moment; `since` is when it began. Those who wait stand in the order in which they will
    start."""

    pid: int
    since: str
    workers: int
    at_work: tuple[AtWork, ...]
    waiting: tuple[Queued, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """An overview, or what was wrong with the question."""

    overview: Overview | None = None
    error: str | None = None
    protocol: int = PROTOCOL


def ask(paths: Paths, what: Ask, flow: str | None = None) -> Overview | None:
    """The answer of the `up` of a workspace; None where there is none, or none that answers."""
    question = msgspec.json.encode(Question(what, flow)) + b"\n"
    try:
        with socket.socket(socket.AF_UNIX) as connection, address(paths.up_socket) as place:
            connection.settimeout(_PATIENCE)
            connection.connect(place)
            connection.sendall(question)
            return msgspec.json.decode(_line_from(connection), type=Answer).overview
    except (OSError, msgspec.DecodeError):
        return None


def is_up(paths: Paths) -> bool:
    """Whether somebody keeps the schedules of a workspace, whether or not they answer."""
    return durable.holder(paths.up) is not None


@contextmanager
def address(path: Path) -> Iterator[str]:
    """A name for a socket at `path` that is short enough, however long the path is: sun_path holds 108 bytes, see
    https://man7.org/linux/man-pages/man7/unix.7.html."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        by_descriptor = f"/proc/self/fd/{folder}"
        yield f"{by_descriptor}/{path.name}" if os.path.isdir(by_descriptor) else str(path)
    finally:
        os.close(folder)


def _line_from(connection: socket.socket) -> bytes:
    with connection.makefile("rb") as answer:
        return answer.readline()
