"""What surrounds a program of somebody else while it is built and tried out: what it sees, and what keeps it in."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

Confine = Callable[[Sequence[str], Path | None], AbstractContextManager[tuple[Sequence[str], Sequence[int]]]]
"""Of a command, which begins with a path, gives the one that becomes it with less than we may do, and the descriptors
that it has to be handed. It may write in the folder, if there is one."""


@contextmanager
def unconfined(command: Sequence[str], folder: Path | None) -> Iterator[tuple[Sequence[str], Sequence[int]]]:
    """The command as it is."""
    yield command, ()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`shown` are the environment variables that a tap sees when it runs. uv, with what it builds, is started by
    `builds`, and a tap that is tried out by `starts`."""

    shown: Mapping[str, str]
    builds: Confine = unconfined
    starts: Confine = unconfined
