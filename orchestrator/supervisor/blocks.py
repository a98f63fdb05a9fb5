"""A pipe, read in large blocks; and the word that nothing came."""

import contextlib
import fcntl
import os
import select
from collections.abc import Iterator

BLOCK = 1 << 20
_SILENCE = 0.2


def read_blocks(descriptor: int) -> Iterator[bytes]:
    """What comes through a pipe or file, as it comes; an empty block tells that nothing came for a moment."""
    with contextlib.suppress(OSError, AttributeError):
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, BLOCK)
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN | select.POLLHUP)
    while True:
        if not waiting.poll(_SILENCE * 1000):
            yield b""
            continue
        block = os.read(descriptor, BLOCK)
        if not block:
            return
        yield block
