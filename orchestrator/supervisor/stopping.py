"""A wish to stop: the first asks for a good moment, the second for this one."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from orchestrator.errors import Stopped

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """Whether somebody wants the work to end. `signal` is the number of the first wish, or None."""

    def __init__(self) -> None:
        self.signal: int | None = None

    def __bool__(self) -> bool:
        return self.signal is not None

    def ask(self, number: int = signal.SIGTERM) -> None:
        """Asks to stop at the next good moment."""
        if self.signal is None:
            self.signal = number

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """While the block runs, Ctrl-C and SIGTERM ask; a second one raises Stopped where the work stands.

        Outside the main thread nothing is done: signals are not delivered there.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def hear(number: int, frame: FrameType | None) -> None:
            if self.signal is not None:
                raise Stopped(
                    "stopped at once",
                    signal=number,
                    data="what was committed stays; what came after the last commit is read again by the next run",
                )
            self.ask(number)

        before = {number: signal.signal(number, hear) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
