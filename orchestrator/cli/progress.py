"""What a verb says while it works: as lines, and on a terminal with a word about what goes on."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from orchestrator.cli.terminal import is_lively, say
from orchestrator.cli.words import duration
from orchestrator.events import Event, Note, Step, Waiting

if TYPE_CHECKING:
    from rich.status import Status

    from orchestrator.envs.lock import VersionChange

_WIDTH = 78


def tell(event: Event) -> None:
    """Says an event in one line, where it has something to say."""
    match event:
        case Step(text, None):
            say(f"✓ {text}")
        case Step(text, float(seconds)):
            say(f"✓ {text:{_WIDTH}} {duration(seconds):>7}")
        case Note(text):
            say(f"note: {text}")
        case Waiting(reason):
            say(f"waiting: {reason}")


class Work:
    """Hears what goes on and tells it. On a terminal something moves meanwhile."""

    def __init__(self, moving: "Status | None" = None) -> None:
        self._moving = moving

    def __call__(self, event: Event) -> None:
        tell(event)

    @contextmanager
    def still(self) -> Iterator[None]:
        """While the block runs nothing moves, so that a question can be read and answered."""
        if self._moving is None:
            yield
            return
        self._moving.stop()
        try:
            yield
        finally:
            self._moving.start()


@contextmanager
def working(what: str) -> Iterator[Work]:
    """While the block runs, a terminal shows that the work goes on. Yields who tells its steps."""
    if not is_lively(sys.stderr):
        yield Work()
        return
    from rich.console import Console

    with Console(stderr=True).status(f"{what} …") as moving:
        yield Work(moving)


def tell_changes(changes: Iterable["VersionChange"]) -> None:
    """Says which packages an environment has in other versions now."""
    for change in changes:
        say(f"  {change.package}  {change.before or 'new'} → {change.after or 'gone'}")
