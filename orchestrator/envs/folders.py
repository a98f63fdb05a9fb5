"""The folders that a project in a folder depends on, by its `[tool.uv.sources]`. uv puts them into requirements as that
project has them, and not as the workspace would."""

import os
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from orchestrator.envs.lock import Pin, blocks_of
from orchestrator.envs.package import Package


def names_folders_of_others(requirements: str, asked: Iterable[str], root: Path) -> bool:
    """Whether there are folders among requirements that nobody `asked` for. `root` is the workspace."""
    named = _named(asked, root)
    return any(_is_of_others(block, named, root) for block in blocks_of(requirements))


def as_from_here(requirements: str, asked: Iterable[str], pylock: str, root: Path) -> str:
    """The requirements with such folders as paths from the workspace, which the pylock.toml of the same has."""
    named = _named(asked, root)
    kept = [block for block in blocks_of(requirements) if not _is_of_others(block, named, root)]
    folders = [package for package in tomllib.loads(pylock)["packages"] if "directory" in package]
    missing = [_line(each) for each in folders if _from(root, each["directory"]["path"]) not in named]
    return "".join((*kept, *missing))


def _named(asked: Iterable[str], root: Path) -> set[str]:
    paths = [Package.parse(line).path(root) for line in asked]
    return {str(path) for path in paths if path is not None}


def _is_of_others(block: str, named: set[str], root: Path) -> bool:
    pin = Pin.parse(block)
    if pin is None or not pin.is_a_folder:
        return False
    # A folder may be called as a package is, and then an installer would take the package.
    path = Package.parse(pin.what).path(root)
    return path is None or str(path) not in named


def _line(package: dict[str, Any]) -> str:
    folder = package["directory"]
    path = folder["path"] if folder["path"].startswith((".", "/")) else f"./{folder['path']}"
    marker = f" ; {package['marker']}" if "marker" in package else ""
    return f"{'-e ' if folder.get('editable') else ''}{path}{marker}\n    # as [tool.uv.sources] has it\n"


def _from(root: Path, path: str) -> str:
    return os.path.normpath(root / path)
