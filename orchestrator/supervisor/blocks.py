"""A pipe, read in large blocks; and the word that nothing came."""

import contextlib
import fcntl
import os
import select
from collections.abc import Iterator

BLOCK = 1 << 19
"""Bytes; what is made of them still fits next to the processor."""
_SILENCE = 0.2


def read_blocks(descriptor: int, *, pipe: int = BLOCK) -> Iterator[bytes]:
    """What comes through a pipe or file, as it comes; an empty block tells that nothing came for a moment. `pipe` is
    how many bytes may wait in the pipe, where the system lets us say."""
    with contextlib.suppress(OSError, AttributeError):
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, pipe)
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
