"""secrets/<tap>/: a file for each secret that a person typed in, readable by the owner alone and unknown to git."""

import contextlib
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from orchestrator import durable
from orchestrator.config import Reference
from orchestrator.paths import Paths


def write_secret(paths: Paths, path: Path, content: str) -> None:
    """Writes a file below secrets/, which git ignores also where the .gitignore of the workspace does not know it."""
    ignore = durable.make_folder(paths.secrets) / ".gitignore"
    if not ignore.exists():
        durable.write(ignore, "*\n")
    durable.write(path, content)


@dataclass(slots=True)
class Keeper:
    """Keeps secrets in files of the workspace."""

    paths: Paths
    _before: dict[Path, str | None] = field(default_factory=dict)

    def keep(self, tap: str, setting: str, secret: str) -> Reference:
        """The reference that stands in the place of a secret."""
        path = self.paths.typed_secrets(tap) / quote(setting, safe="")
        self._before.setdefault(path, path.read_text() if path.exists() else None)
        # A reference leads to what the file holds without the newline at its end.
        write_secret(self.paths, path, f"{secret}\n")
        return Reference("file", str(path.relative_to(self.paths.root)))

    def undo(self) -> None:
        """Brings back what was there before."""
        for path, content in self._before.items():
            if content is None:
                path.unlink(missing_ok=True)
            else:
                write_secret(self.paths, path, content)


@contextmanager
def keeping(paths: Paths) -> Iterator[Keeper]:
    """Keeps secrets while the block runs; if it fails, the files are as they were."""
    keeper = Keeper(paths)
    try:
        yield keeper
    except BaseException:
        keeper.undo()
        raise


def forget_all(paths: Paths, tap: str) -> None:
    """Removes everything that was kept of a tap."""
    shutil.rmtree(paths.typed_secrets(tap), ignore_errors=True)


def forget(paths: Paths, tap: str, references: Iterable[Reference]) -> None:
    """Removes what was kept of a tap and is referred to no more. Files from elsewhere stay."""
    folder = paths.typed_secrets(tap)
    for reference in references:
        path = paths.root / reference.name
        if reference.kind == "file" and path.parent == folder:
            path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        folder.rmdir()
