"""A folder of one process, for what nobody else is to find. It goes with the process, however that ends."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from orchestrator.durable import alone, holder, lock, make_folder, remove_folder

_LOCK = "lock"


class Aside:
    """A folder below `parent`, made when it is first asked for."""

    def __init__(self, parent: Path) -> None:
        self._parent = parent
        self._lock = contextlib.ExitStack()
        self._folder: Path | None = None
        self._made = 0

    @property
    def folder(self) -> Path:
        if self._folder is None:
            make_folder(self._parent)
            # Whoever sweeps must not come between the folder and its lock.
            with alone(self._parent):
                folder = Path(tempfile.mkdtemp(dir=self._parent))
                self._lock.enter_context(lock(folder / _LOCK, note=f"pid {os.getpid()}"))
            self._folder = folder
        return self._folder

    def new(self) -> Path:
        """A path in the folder that nothing has had before."""
        self._made += 1
        return self.folder / str(self._made)

    def close(self) -> None:
        """Removes the folder and all in it."""
        if self._folder is not None:
            remove_folder(self._folder, ignore_errors=True)
            self._folder = None
        self._lock.close()


def sweep(parent: Path) -> None:
    """Removes the folders below `parent` whose process is gone."""
    if not parent.is_dir():
        return
    with alone(parent):
        for folder in parent.iterdir():
            if holder(folder / _LOCK) is None:
                remove_folder(folder, ignore_errors=True)


@contextlib.contextmanager
def folder_aside(parent: Path) -> Iterator[Path]:
    """An empty folder while the block lasts. What killed processes left below `parent` goes first."""
    sweep(parent)
    with contextlib.closing(Aside(parent)) as aside:
        yield make_folder(aside.new())
