"""A terminal to call the command in."""

import os
import pty
from collections.abc import Iterable
from pathlib import Path

from tests.cli.conftest import COMMAND, surroundings

DOWN, ENTER, CTRL_C = "\x1b[B", "\r", "\x03"


def on_a_terminal(*words: str, at: Path, typed: Iterable[tuple[str, str]] = (), **environ: str) -> str:
    """What a command writes to a terminal, without a terminal's ends of lines. `typed` are keys, each with the words
    after which a person presses them."""
    settings = {"TERM": "xterm", "NO_COLOR": "1", "PROMPT_TOOLKIT_NO_CPR": "1"}
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(at)
        os.execve(COMMAND[0], [*COMMAND, *words], surroundings(**settings) | environ)
    written, seen = b"", 0
    awaited = [(after.encode(), keys.encode()) for after, keys in typed]
    # The end of a terminal is an error on Linux.
    while chunk := _read(terminal):
        written += chunk
        while awaited and (place := written.find(awaited[0][0], seen)) >= 0:
            seen = place + len(awaited[0][0])
            os.write(terminal, awaited.pop(0)[1])
    os.close(terminal)
    os.waitpid(pid, 0)
    assert not awaited, f"it never said {awaited[0][0].decode()!r}: {written.decode()!r}"
    return written.decode().replace("\r\n", "\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""
