"""What a verb says while it works: as lines, and on a terminal with a word about what goes on."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from orchestrator.cli.terminal import is_lively, say
from orchestrator.cli.words import duration
from orchestrator.events import Event, Listener, Note, Step, Waiting

if TYPE_CHECKING:
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


@contextmanager
def working(what: str) -> Iterator[Listener]:
    """While the block runs, a terminal shows that the work goes on. Yields who tells its steps."""
    if not is_lively(sys.stderr):
        yield tell
        return
    from rich.console import Console

    with Console(stderr=True).status(f"{what} …"):
        yield tell


def tell_changes(changes: Iterable["VersionChange"]) -> None:
    """Says which packages an environment has in other versions now."""
    for change in changes:
        say(f"  {change.package}  {change.before or 'new'} → {change.after or 'gone'}")
