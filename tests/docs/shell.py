"""A shell on a terminal of its own, to which the commands of a document are typed."""

import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
from contextlib import suppress
from fcntl import ioctl
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.docs.markdown import ROOT
from tests.docs.terminal import shown

PORT = "8310"
"""The port that documents name; a free one takes its place."""
HOME = "~/"
"""Where documents make their folders; a folder of the test takes its place. Nothing else is replaced."""
PATIENCE = 120.0
GRACE = 10.0
"""Seconds that what runs in the background has to end."""
_DONE = "\x1e"


class Shell:
    """Types commands to bash, one after the other: folders, variables and jobs stay. Leaving ends all it started."""

    def __init__(self, home: Path) -> None:
        self._home = f"{home}/"
        self._port = _free_port()
        self._screen, terminal = pty.openpty()
        ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 110, 0, 0))
        self._bash = subprocess.Popen(
            ["bash", "--norc"],
            stdin=subprocess.PIPE,
            stdout=terminal,
            stderr=terminal,
            cwd=ROOT,
            env=_environment() | {"XDG_CONFIG_HOME": f"{home}/.config"},
            text=True,
            start_new_session=True,
        )
        os.close(terminal)

    def run(self, command: str) -> tuple[str, int]:
        """What the terminal shows of a command, in the words of the document, and the exit code."""
        assert self._bash.stdin is not None
        typed = command.replace(HOME, self._home).replace(PORT, self._port)
        self._bash.stdin.write(f"{typed}\nprintf '{_DONE}%s{_DONE}' $?\n")
        self._bash.stdin.flush()
        printed = self._read_until_done()
        if command.endswith("&"):
            # It goes on by itself, and says in its first line that it is ready.
            printed += self._read_until("\n")
        text, code, rest = printed.split(_DONE)
        said = shown(text + rest).replace(self._home, HOME).replace(self._home.rstrip("/"), "~")
        return said.replace(self._port, PORT), int(code)

    def _read_until_done(self) -> str:
        return self._read_until(_DONE, times=2)

    def _read_until(self, mark: str, times: int = 1) -> str:
        deadline, printed = time.monotonic() + PATIENCE, b""
        while printed.decode(errors="replace").count(mark) < times:
            ready, _, _ = select.select([self._screen], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"nothing more came after {printed.decode(errors='replace')!r}"
            printed += os.read(self._screen, 65536)
        return printed.decode()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(ProcessLookupError):
            # What runs in the background may have something to put away.
            os.killpg(self._bash.pid, signal.SIGTERM)
            self._bash.communicate()
            deadline = time.monotonic() + GRACE
            while time.monotonic() < deadline:
                os.killpg(self._bash.pid, 0)
                time.sleep(0.02)
            os.killpg(self._bash.pid, signal.SIGKILL)
        self._bash.communicate()
        os.close(self._screen)


def _environment() -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("ORCHESTRATOR_", "GITLAB_"))}
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    person = {"USER": "me", "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    terminal = {"TERM": "xterm-256color", "NO_COLOR": "1", "TZ": "UTC", "LC_ALL": "C.UTF-8"}
    return ours | person | terminal | {"PATH": programs}


def _free_port() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return str(taken.getsockname()[1])


# What is another thing each time, and nothing that a reader compares.
_PASSING = (
    (re.compile(r"\b20(?:2[6-9]|[3-9]\d)-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z| [A-Z]{3,4})?"), "NOW"),
    (re.compile(r"\b\d+(?:\.\d+)? ?(?:ms|s|min)\b(?: \d+ s\b)?"), "A WHILE"),
    (re.compile(r"\b\d\d:\d\d\b"), "CLOCK"),
    (re.compile(r"(?:–|\d+(?: \d{3})*/s)(?=\s)"), "RATE"),
    (re.compile(r"\b\d+ dependencies\b"), "DEPENDENCIES"),
    (re.compile(r"\bPython 3\.\d+(?:\.\d+)?"), "PYTHON"),
    (re.compile(r"\buv \d+\.\d+\.\d+ \([\w-]+\)"), "UV"),
    (re.compile(r"\bpid \d+"), "PID"),
    (re.compile(r"(?<= )\d{8,}$", re.MULTILINE), "POSITION IN A LOG"),
    (re.compile(r"\bage1[0-9a-z]{58}\b"), "PUBLIC KEY"),
    (re.compile(r"\b\d+(?:\.\d+)? GB free"), "FREE"),
    # What this kernel can do.
    (re.compile(r"^. sandbox: .*$", re.MULTILINE), "SANDBOX"),
    (re.compile(r"[ ─]{2,}"), " "),
)


def lasting(output: str) -> list[str]:
    """An output without what passes: times, durations, rates, and the widths that follow from them."""
    for pattern, word in _PASSING:
        output = pattern.sub(word, output)
    return [line.strip() for line in output.splitlines() if line.strip()]
