"""What an index has under a name: the version that a Python takes, and what that version says of itself."""

import datetime
import tempfile
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.utils import canonicalize_name

from orchestrator.envs.installed import Installed, find_installed
from orchestrator.envs.interpreter import Interpreter, ours
from orchestrator.envs.package import Package
from orchestrator.envs.recipe import Recipe
from orchestrator.envs.uv import Uv, UvFailed
from orchestrator.errors import CannotBuild


@dataclass(frozen=True, slots=True)
class Offer:
    """A version of a package, and the day it was released, where the index tells."""

    version: str
    released: datetime.date | None


@dataclass(frozen=True, slots=True)
class Index:
    """The index that uv asks, and what a recipe allows to be taken from it."""

    uv: Uv
    recipe: Recipe

    def offer(self, package: Package, on: Interpreter) -> Offer | None:
        """What a Python takes of a package, whatever the dependencies say; None when it takes none, and for what does
        not come from an index.

        The resolver goes by the lower bounds of Requires-Python alone. A Python without a path is one that is not here.
        """
        if not package.is_from_an_index:
            return None
        try:
            told = self.uv.run(
                *("pip", "compile", "-", "--no-deps", "--format", "pylock.toml", "--quiet"),
                *("--python", on.path or ours().path, "--python-version", on.minor),
                *how_to_fetch(self.recipe),
                text=f"{package.text}\n",
            )
        except UvFailed:
            return None
        (found,) = tomllib.loads(told)["packages"]
        files = [*found.get("wheels", []), *([found["sdist"]] if "sdist" in found else [])]
        released = [file["upload-time"].date() for file in files if "upload-time" in file]
        return Offer(found["version"], min(released, default=None))

    def is_ready_made(self, package: Package, on: Interpreter) -> bool:
        """Whether a package comes as a wheel for a Python, so that nothing has to be built."""
        return replace(self, recipe=replace(self.recipe, no_build=True)).offer(package, on) is not None

    def describe(self, package: Package, on: Interpreter) -> Installed | None:
        """What a package says of itself; None when it has to be built first and cannot be."""
        path = package.path(self.uv.folder)
        if path is not None and path.is_dir():
            return _described_in(path)
        with tempfile.TemporaryDirectory(dir=self.uv.temporary) as folder:
            try:
                self.uv.run(
                    *("pip", "install", "--no-deps", "--target", folder, "--python", on.path, "--quiet"),
                    *how_to_fetch(self.recipe),
                    package.as_requirement(self.uv.folder),
                )
                return find_installed(Path(folder), package, self.uv.folder)
            except (UvFailed, CannotBuild):
                return None


_FIRST_BUILDERS = "2019-02-06"
"""The day from which on there is a setuptools that builds as PEP 517 asks for: 40.8."""

_GOOD_BUILDER = "setuptools=2021-08-15"
"""Until then setuptools understood all that it ever had: 58 took out the translation from Python 2."""


def how_to_fetch(recipe: Recipe) -> tuple[str, ...]:
    """The options by which uv fetches what a recipe allows."""
    day = recipe.exclude_newer
    return (
        *(("--exclude-newer", day) if day else ()),
        *(("--exclude-newer-package", _GOOD_BUILDER) if day and day < _FIRST_BUILDERS else ()),
        *(("--no-build",) if recipe.no_build else ()),
    )


def _described_in(folder: Path) -> Installed | None:
    """What the pyproject.toml of a folder says; the folder is not built to ask it."""
    try:
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8")).get("project", {})
    except (OSError, ValueError):
        return None
    return Installed(
        name=canonicalize_name(project.get("name", folder.name)),
        version=project.get("version", ""),
        author=None,
        requires_python=project.get("requires-python"),
        library=None,
        commands=(),
    )
