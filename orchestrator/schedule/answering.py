"""The socket at which `up` is asked. Nobody waits for long there, and nobody but its owner is heard."""

import os
import selectors
import socket
import struct
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

import msgspec

from orchestrator import durable
from orchestrator.paths import Paths
from orchestrator.schedule.asking import PROTOCOL, Answer, Overview, Question, address

_LONGEST_LINE = 4096
_MOST = 32
"""So many may be connected; who came first has to go for more."""
_PATIENCE = 1.0
"""Seconds for one who asks to take the answer."""


class Answering:
    """The socket of an `up`, while the block runs. Where there can be none, `why_not` says why."""

    def __init__(self, paths: Paths) -> None:
        self._path = paths.up_socket
        self._selector = selectors.DefaultSelector()
        self._listener: socket.socket | None = None
        self._heard: dict[socket.socket, bytes] = {}
        self.why_not: str | None = None

    def __enter__(self) -> Self:
        durable.make_folder(self._path.parent)
        # Whoever left it there was killed: there is one `up` at a time.
        self._path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        before = os.umask(0o777 & ~durable.PRIVATE_FILE)
        try:
            with address(self._path) as place:
                listener.bind(place)
            listener.listen()
            listener.setblocking(False)
        except OSError as error:
            self.why_not = str(error)
            listener.close()
        else:
            self._listener = listener
            self._selector.register(listener, selectors.EVENT_READ)
        finally:
            os.umask(before)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        for each in list(self._heard):
            self._part(each)
        if self._listener is not None:
            self._listener.close()
            self._path.unlink(missing_ok=True)
        self._selector.close()

    def wait(self, seconds: float, answer: Callable[[Question], Overview]) -> None:
        """Waits for so long, or until somebody asked and was answered."""
        until = time.monotonic() + seconds
        answered = False
        while not answered and (left := until - time.monotonic()) > 0:
            for key, _ in self._selector.select(left):
                if key.fileobj is self._listener:
                    self._greet()
                elif isinstance(key.fileobj, socket.socket):
                    answered = self._hear(key.fileobj, answer) or answered

    def _greet(self) -> None:
        assert self._listener is not None
        with suppress(OSError):
            caller, _ = self._listener.accept()
            if _owner_of(caller) not in (os.geteuid(), 0):
                caller.close()
                return
            caller.settimeout(_PATIENCE)
            if len(self._heard) >= _MOST:
                self._part(next(iter(self._heard)))
            self._heard[caller] = b""
            self._selector.register(caller, selectors.EVENT_READ)

    def _hear(self, caller: socket.socket, answer: Callable[[Question], Overview]) -> bool:
        """Whether it was a question, and was answered."""
        try:
            said = caller.recv(_LONGEST_LINE)
            *lines, self._heard[caller] = (self._heard[caller] + said).split(b"\n")
            for line in lines:
                caller.sendall(msgspec.json.encode(_answer(line, answer)) + b"\n")
        except OSError:
            said, lines = b"", []
        if not said or len(self._heard[caller]) > _LONGEST_LINE:
            self._part(caller)
        return bool(lines)

    def _part(self, caller: socket.socket) -> None:
        del self._heard[caller]
        self._selector.unregister(caller)
        caller.close()


def _answer(line: bytes, answer: Callable[[Question], Overview]) -> Answer:
    try:
        question = msgspec.json.decode(line, type=Question)
    except msgspec.DecodeError as error:
        return Answer(error=f"this is no question: {error}")
    if question.protocol != PROTOCOL:
        return Answer(error=f"protocol {question.protocol} is not spoken here; {PROTOCOL} is")
    return Answer(answer(question))


def _owner_of(caller: socket.socket) -> int:
    """The user at the other end."""
    if sys.platform == "linux":
        _, user, _ = struct.unpack("3i", caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    else:
        # LOCAL_PEERCRED of macOS and the BSDs gives a struct xucred: version, user, groups.
        _, user = struct.unpack_from("2I", caller.getsockopt(0, 1, 76))
    return int(user)
