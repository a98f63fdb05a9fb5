"""A terminal to call the command in."""

import os
import pty
from pathlib import Path

from tests.cli.conftest import COMMAND, surroundings


def on_a_terminal(*words: str, at: Path, **environ: str) -> str:
    """What a command writes to a terminal, without a terminal's ends of lines."""
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(at)
        os.execve(COMMAND[0], [*COMMAND, *words], surroundings(TERM="xterm", NO_COLOR="1") | environ)
    written = b""
    # The end of a terminal is an error on Linux.
    while chunk := _read(terminal):
        written += chunk
    os.close(terminal)
    os.waitpid(pid, 0)
    return written.decode().replace("\r\n", "\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""
