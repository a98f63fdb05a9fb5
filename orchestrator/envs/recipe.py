"""What an environment is made from, and how a person asks for another."""

import datetime
import hashlib
import json
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from orchestrator.config import Tap
from orchestrator.envs.package import Package

_PROJECT_FILES = ("pyproject.toml", "setup.cfg", "setup.py")
_VERSION = re.compile(r"\d+\.\d+")
_KEYS = {"extras": "with"}
"""Where the name of a field is not the name that people write."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What stands in [taps.ID] about its environment.

    `project` is a fingerprint of the project files when the package is a folder: what else could tell that the
    folder asks for other dependencies now?
    """

    package: str
    python: str | None = None
    extras: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    build_constraints: tuple[str, ...] = ()
    no_build: bool = False
    exclude_newer: str | None = None
    executable: str | None = None
    project: str | None = None


OPTIONS = {
    "python": "--python",
    "exclude_newer": "--exclude-newer",
    "executable": "--executable",
    "extras": "--with",
    "overrides": "--override",
    "build_constraints": "--build-constraint",
    "no_build": "--no-build",
}
"""How `orchestrator add-tap` is told each field."""

Advice = Callable[[Recipe], str]
"""Says how a person asks for this recipe in place of the one that failed."""


def recipe_of(tap: Tap, root: Path) -> Recipe:
    """The recipe of a tap in the workspace `root`. Raises UsageError when its package cannot be read."""
    return Recipe(
        package=tap.package,
        python=tap.python,
        extras=tap.extras,
        overrides=tap.overrides,
        build_constraints=tap.build_constraints,
        no_build=tap.no_build,
        exclude_newer=tap.exclude_newer,
        executable=tap.executable,
        project=fingerprint(Package.parse(tap.package), root),
    )


def fingerprint(package: Package, root: Path) -> str | None:
    """A hash over the project files of a folder; None for a package that is not a folder."""
    folder = package.path(root)
    if folder is None or not folder.is_dir():
        return None
    contents = [(folder / name).read_bytes() for name in _PROJECT_FILES if (folder / name).is_file()]
    return hashlib.sha256(b"\0".join(contents)).hexdigest()[:16]


def same_python(asked: str | None, minor: str) -> bool:
    """Whether Python `minor` (such as "3.11") may be what was asked for: what a path leads to, only it can tell."""
    version = _VERSION.match(asked or minor)
    return version is None or version[0] == minor


def settings(recipe: Recipe) -> dict[str, str | bool | tuple[str, ...]]:
    """What is not left to default, under the names that orchestrator.toml and locks give it."""
    return {
        _KEYS.get(field.name, field.name): value for field in fields(recipe) if (value := getattr(recipe, field.name))
    }


def as_written(recipe: Recipe) -> dict[str, Any]:
    """The recipe as orchestrator.toml has it: with a date as a date, and without what can be seen in the folder."""
    fields: dict[str, Any] = {key: value for key, value in settings(recipe).items() if key != "project"}
    if recipe.exclude_newer and len(recipe.exclude_newer) == len("2021-06-01"):
        fields["exclude_newer"] = datetime.date.fromisoformat(recipe.exclude_newer)
    return fields


def add_tap_command(recipe: Recipe, *, more: tuple[str, ...] = ()) -> str:
    """The command that adds a tap with this recipe. `more` are options that say nothing about the environment."""
    return shlex.join(["orchestrator", "add-tap", recipe.package, *more, *options_of(recipe)])


def options_of(recipe: Recipe, *, beyond: Recipe | None = None) -> list[str]:
    """The options that ask `orchestrator add-tap` for a recipe; those that another asks for as well are left out."""
    words: list[str] = []
    for field, option in OPTIONS.items():
        said, known = getattr(recipe, field), getattr(beyond, field, None)
        if isinstance(said, tuple):
            words += [word for value in said if value not in (known or ()) for word in (option, value)]
        elif said and said != known:
            words += [option] if said is True else [option, said]
    return words


def settings_instead(tap: str, recipe: Recipe) -> Advice:
    """Advises to change, in orchestrator.toml, what another recipe has other than this one."""

    def advise(instead: Recipe) -> str:
        asked, now = settings(instead), settings(recipe)
        changed = [f"{key} = {json.dumps(value)}" for key, value in asked.items() if now.get(key) != value]
        if not changed:
            return "orchestrator install"
        return f"under [taps.{tap}] say {', '.join(changed)}; then: orchestrator install"

    return advise
