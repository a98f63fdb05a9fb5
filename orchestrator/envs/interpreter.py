"""The Pythons on this machine, and the one that was asked for among them."""

import contextlib
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from orchestrator.envs.uv import Uv, UvFailed, as_typed, complaint, reason
from orchestrator.envs.variables import inherited
from orchestrator.errors import EnvironmentBroken

_VERSION_MANAGERS = (
    ("PYENV_ROOT", "~/.pyenv", "versions"),
    ("ASDF_DATA_DIR", "~/.asdf", "installs/python"),
    ("MISE_DATA_DIR", "~/.local/share/mise", "installs/python"),
)
"""Where Pythons are kept that the PATH need not lead to: a variable, the default for it, and the folder in there."""
_STARTS_A_VERSION = re.compile(r"python3\.\d+")
_WHOLE_VERSION = re.compile(r"3\.\d+\.\d+")


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python on this machine, by its absolute path."""

    path: str
    version: str

    @property
    def minor(self) -> str:
        return ".".join(self.version.split(".")[:2])

    @property
    def age(self) -> tuple[int, ...]:
        """Orders minor versions, the oldest first."""
        return tuple(map(int, self.minor.split(".")))


def allows(requires_python: str | None, python: Interpreter) -> bool:
    """Whether a Python is within both bounds of a Requires-Python; one that cannot be read has none."""
    try:
        return SpecifierSet(requires_python or "").contains(python.version, prereleases=True)
    except InvalidSpecifier:
        return True


def ours() -> Interpreter:
    """The Python that we run on."""
    return Interpreter(os.path.realpath(sys.executable), platform.python_version())


def find_interpreter(asked: str | None, uv: Uv) -> Interpreter:
    """The Python that was asked for (a version or a path), or the one that we run on.

    Raises EnvironmentBroken when there is none on this machine.
    """
    if asked is None or asked == ours().minor:
        return ours()
    if kept := next((each for each in interpreters(uv) if f"{each.version}.".startswith(f"{asked}.")), None):
        return kept
    try:
        path = uv.run("python", "find", "--system", "--no-project", asked).strip()
    except UvFailed as error:
        raise EnvironmentBroken(
            f"there is no Python {asked} on this machine",
            cause=reason(error.said),
            hint=as_typed("python", "install", asked),
        ) from error
    return Interpreter(path, _version_of(path))


def find_if_here(minor: str, uv: Uv) -> Interpreter | None:
    """The Python of a minor version, None when this machine has none."""
    return next((each for each in interpreters(uv) if each.minor == minor), None)


def interpreters(uv: Uv) -> tuple[Interpreter, ...]:
    """The CPythons on this machine, one of each minor version, the newest first; ours stands for its own version."""
    found: dict[str, Interpreter] = {}
    for each in (*_kept_by_version_managers(), *_installed_by_uv(uv), *_on_the_path()):
        if each.minor not in found or Version(each.version) > Version(found[each.minor].version):
            found[each.minor] = each
    found[ours().minor] = ours()
    return tuple(sorted(found.values(), key=lambda each: each.age, reverse=True))


def _kept_by_version_managers() -> Iterator[Interpreter]:
    for root, folder in _version_managers():
        for python in root.glob(f"{folder}/3.*.*/bin/python"):
            yield from _of_a_version(python, python.parts[-3])


def _installed_by_uv(uv: Uv) -> Iterator[Interpreter]:
    # Not `uv python list`: it starts every Python it meets, and each stand-in of a version manager takes its time.
    for python in Path(uv.run("python", "dir").strip()).glob("cpython-3.*-*/bin/python"):
        yield from _of_a_version(python, python.parts[-3].split("-")[1])


def _on_the_path() -> Iterator[Interpreter]:
    for folder in os.get_exec_path():
        if not any(Path(folder).is_relative_to(root) for root, _ in _version_managers()):
            for python in Path(folder).glob("python3.*"):
                if _STARTS_A_VERSION.fullmatch(python.name) and os.access(python, os.X_OK):
                    with contextlib.suppress(EnvironmentBroken):
                        yield Interpreter(str(python), _version_of(str(python)))


def _of_a_version(python: Path, version: str) -> Iterator[Interpreter]:
    if _WHOLE_VERSION.fullmatch(version) and os.access(python, os.X_OK):
        yield Interpreter(str(python), version)


def _version_managers() -> Iterator[tuple[Path, str]]:
    for variable, default, folder in _VERSION_MANAGERS:
        yield Path(os.environ.get(variable) or default).expanduser(), folder


@cache
def _version_of(path: str) -> str:
    command = [path, "-I", "-c", "import platform; print(platform.python_version())"]
    asked = subprocess.run(command, capture_output=True, text=True, env=inherited())
    if asked.returncode:
        raise EnvironmentBroken(f"{path} does not start", cause=complaint(asked.stderr))
    return asked.stdout.strip()
