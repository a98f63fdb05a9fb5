"""Where the environments of one tap are made: who may build, where, and who hears of it."""

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from orchestrator import durable
from orchestrator.envs.recipe import Advice, Recipe
from orchestrator.envs.surroundings import Surroundings
from orchestrator.envs.uv import Uv
from orchestrator.errors import EnvironmentBroken
from orchestrator.events import Listener, Note, Step, Waiting
from orchestrator.paths import Paths

LONGEST_BUILD = 3600.0
"""Seconds after which somebody who waits for another process's build gives up."""

UNCHANGED = "orchestrator.toml and the environment in use are as they were"


@dataclass(frozen=True, slots=True)
class Workshop:
    """The builds of one tap, in the hands of one process. `recipe` is what stands in orchestrator.toml, or shall;
    `around` is what it is built and tried out in. `retry` is the command to do it all again, which with --fix takes
    what mends it; None where the advice is such a command itself."""

    paths: Paths
    tap: str
    recipe: Recipe
    advise: Advice
    retry: str | None
    around: Surroundings
    uv: Uv
    listen: Listener

    @property
    def log(self) -> Path:
        """Takes all that installers, builds and the tap say, until an environment is finished that keeps it."""
        return self.paths.build_log_aside(self.tap)

    def keep(self, said: str) -> None:
        """Adds to the log what a tap said."""
        with self.log.open("a") as log:
            log.write(f"{said.rstrip()}\n")

    def step(self, text: str, started: float) -> None:
        """Tells of a step that is done; `started` is when, by time.monotonic()."""
        self.listen(Step(text, time.monotonic() - started))

    def instead(self, **changes: Any) -> str:
        """How a person asks for the same recipe with some fields changed."""
        return self.advise(replace(self.recipe, **changes))

    def note(self, text: str) -> None:
        self.listen(Note(text))


@contextlib.contextmanager
def alone(paths: Paths, tap: str, listen: Listener) -> Iterator[int]:
    """Holds the environments of a tap while the block runs, so that no other process builds, switches or removes them.

    Yields the lock's descriptor. Raises EnvironmentBroken when another process holds them for too long.
    """
    path = paths.building(tap)
    with contextlib.ExitStack() as stack:
        held = _enter(stack, path, tap, listen)
        stack.callback(path.unlink, missing_ok=True)
        yield held


def _enter(stack: contextlib.ExitStack, path: Path, tap: str, listen: Listener) -> int:
    wait = 0.0
    while True:
        try:
            held = stack.enter_context(durable.lock(path, note=f"pid {os.getpid()}", wait=wait))
        except durable.Held as other:
            if wait:
                raise EnvironmentBroken(
                    f'another process ({other.note}) still builds the environment of "{tap}"', data=UNCHANGED
                ) from other
            listen(Waiting(f'another process ({other.note}) builds the environment of "{tap}"'))
            wait = LONGEST_BUILD
            continue
        # Whoever had it before us took the file away; then a third may hold a new one of the same name.
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(held), os.stat(path)):
                return held
        stack.close()


@contextlib.contextmanager
def workshop(
    paths: Paths,
    tap: str,
    recipe: Recipe,
    *,
    advise: Advice,
    retry: str | None = None,
    around: Surroundings,
    listen: Listener,
) -> Iterator[Workshop]:
    """The workshop of a tap, to this process alone. Raises EnvironmentBroken as `alone` does."""
    with alone(paths, tap, listen) as held:
        log = paths.build_log_aside(tap)
        # What was said of an earlier attempt is about another one; that of one that fails stays to be read.
        log.unlink(missing_ok=True)
        with tempfile.TemporaryDirectory(prefix="orchestrator-") as temporary:
            uv = Uv(paths.root, held, log, confine=around.builds, temporary=Path(temporary))
            yield Workshop(paths, tap, recipe, advise, retry, around, uv, listen)
        log.unlink(missing_ok=True)
