"""envs/<id>.lock: the recipe of an environment, and every package it came to, pinned with hashes."""

import hashlib
import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from packaging.markers import Marker
from packaging.utils import canonicalize_name

from orchestrator import durable
from orchestrator.envs.recipe import Recipe, same_python, settings
from orchestrator.errors import DamagedFile

# It is committed to git and holds no secrets.
READABLE = 0o644

_HEADER = re.compile(r"^# /// orchestrator\n(?P<toml>(?:#.*\n)*?)# ///\n", re.MULTILINE)
_INTRODUCTION = """\
# The environment of a tap. `orchestrator install` builds it from this file alone; commit it, and leave changes
# to `orchestrator upgrade`.
"""


@dataclass(frozen=True, slots=True)
class Pin:
    """One package of a lock. A folder has neither name nor version here; the version of a git package is its commit."""

    text: str
    name: str | None
    version: str | None
    marker: str | None
    hashed: bool

    @classmethod
    def parse(cls, block: str) -> Self | None:
        """The package of a block of lines; None for one that holds only comments."""
        text = block.partition("\n")[0].rstrip(" \\")
        if not text or text.startswith("#"):
            return None
        what, _, marker = text.partition(" ; ")
        named = re.match(r"([\w.-]+)(?:\[[^\]]*\])?(?:==(\S+)| @ \S+?(?:@([0-9a-f]{40})\S*)?$)", what)
        return cls(
            text=text,
            name=canonicalize_name(named[1]) if named else None,
            version=(named[2] or named[3]) if named else None,
            marker=marker.strip() or None,
            hashed="--hash=" in block,
        )

    @property
    def what(self) -> str:
        """The package without the marker."""
        return self.text.partition(" ; ")[0]

    @property
    def is_a_folder(self) -> bool:
        return self.name is None and not self.hashed

    def applies(self, minor: str) -> bool:
        """Whether it is installed on this machine and Python `minor`; a lock serves other systems too."""
        python = {"python_version": minor, "python_full_version": f"{minor}.0"}
        return self.marker is None or Marker(self.marker).evaluate(python)

    @property
    def comes_from_a_registry(self) -> bool:
        return self.name is not None and "==" in self.what


@dataclass(frozen=True, slots=True)
class VersionChange:
    """One package before and after; None where it was not there or is gone."""

    package: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Lock:
    """A recipe whose `python` is a minor version ("3.11"), and the requirements that it was resolved to.

    `resolved` is the day on which it was, so that what has to be built can be built again with tools of that day; two
    locks of different days may well be the same.
    """

    recipe: Recipe
    requirements: str
    resolved: str | None = field(default=None, compare=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError when it is not a lock of ours."""
        header = _HEADER.search(text)
        if header is None:
            raise ValueError("the header that starts with `# /// orchestrator` is missing")
        said = tomllib.loads("".join(line[1:].lstrip(" ") for line in header["toml"].splitlines(keepends=True)))
        recipe = Recipe(
            package=said["package"],
            python=said["python"],
            extras=tuple(said.get("with", ())),
            overrides=tuple(said.get("overrides", ())),
            build_constraints=tuple(said.get("build_constraints", ())),
            no_build=said.get("no_build", False),
            exclude_newer=said.get("exclude_newer"),
            executable=said.get("executable"),
            project=said.get("project"),
        )
        return cls(recipe, text[header.end() :], said.get("resolved"))

    @property
    def text(self) -> str:
        said = settings(self.recipe) | ({"resolved": self.resolved} if self.resolved else {})
        lines = [f"# {key} = {json.dumps(value, ensure_ascii=False)}" for key, value in said.items()]
        return "\n".join([f"{_INTRODUCTION}# /// orchestrator", *lines, "# ///", self.requirements])

    @property
    def python(self) -> str:
        """The minor version of the Python it was resolved for."""
        assert self.recipe.python is not None
        return self.recipe.python

    def serves(self, minor: str) -> bool:
        """Whether it was resolved for Python `minor` too: its markers tell all later Pythons apart."""
        return tuple(map(int, minor.split("."))) >= tuple(map(int, self.python.split(".")))

    def environment(self, interpreter: str) -> str:
        """Names the environment that comes of this lock on the interpreter at this path."""
        undated = replace(self, resolved=None)
        return hashlib.sha256(f"{undated.text}\0{interpreter}".encode()).hexdigest()[:16]

    def departures(self, recipe: Recipe) -> list[str]:
        """The settings in which this recipe is not the one that was resolved, by their names in orchestrator.toml."""
        python = recipe.python if same_python(recipe.python, self.python) else self.python
        asked, resolved = settings(recipe), settings(replace(self.recipe, python=python))
        return [key for key in sorted({*asked, *resolved}) if asked.get(key) != resolved.get(key)]

    def pins(self) -> list[Pin]:
        """What is installed on this machine, in the order of the file."""
        return [pin for pin in _pins(self.requirements) if pin.applies(self.python)]

    @property
    def dependencies(self) -> int:
        """How many packages are installed beside the tap."""
        return len(self.pins()) - 1

    def without_hash(self) -> list[Pin]:
        """What the lock cannot hold to its content: git repositories and folders."""
        return [pin for pin in _pins(self.requirements) if not pin.hashed]

    def versions(self) -> dict[str, str]:
        """Name → version of what is installed on this machine."""
        return {pin.name: pin.version for pin in self.pins() if pin.name and pin.version}


def changes(before: Lock | None, after: Lock) -> tuple[VersionChange, ...]:
    """What differs in versions between two locks, by name."""
    old, new = before.versions() if before else {}, after.versions()
    return tuple(
        VersionChange(name, old.get(name), new.get(name))
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    )


def read_lock(path: Path) -> Lock | None:
    """The lock at `path`, None when there is none. Raises DamagedFile."""
    try:
        return Lock.parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedFile(
            f"{path} is not a lock",
            cause=str(error),
            data="the environment in use is as it was",
            hint=f"orchestrator upgrade {path.stem}, or take the file from git",
        ) from error


def write_lock(path: Path, lock: Lock) -> None:
    durable.write(path, lock.text, mode=READABLE)


def blocks_of(requirements: str) -> list[str]:
    """One block of lines for each package: it starts at the margin; its hashes and the reason why it is there are
    indented."""
    return re.split(r"^(?=[^\s#])", requirements, flags=re.MULTILINE)


def _pins(requirements: str) -> Iterator[Pin]:
    return filter(None, map(Pin.parse, blocks_of(requirements)))
