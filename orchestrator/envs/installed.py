"""What an environment holds: the tap's distribution, the commands that it brought, and which modules are whose."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.utils import parseaddr
from importlib.metadata import Distribution, distributions
from pathlib import Path
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name

from orchestrator.envs.package import Package
from orchestrator.errors import CannotBuild, DoesNotStart

_SINGER = re.compile(r"(?:[\w-]+-)?singer-(?:sdk|python)")
_NAME = re.compile(r"[^\w.-]")


@dataclass(frozen=True, slots=True)
class Installed:
    """A distribution in an environment. `commands` are the programs it put into the environment's bin, by name;
    `library` is the one of the Singer libraries that it is written with."""

    name: str
    version: str
    author: str | None
    requires_python: str | None
    library: str | None
    commands: tuple[str, ...]


def find_installed(environment: Path, package: Package, root: Path) -> Installed:
    """The distribution that `package` became. Raises CannotBuild when nothing in the environment came of it."""
    for each in _distributions(environment):
        if _came_of(each, package, root):
            return Installed(
                name=canonicalize_name(each.name),
                version=each.version,
                author=_said(each, "Author") or parseaddr(_said(each, "Author-email") or "")[0] or None,
                requires_python=_said(each, "Requires-Python"),
                library=next(filter(_SINGER.fullmatch, map(_name_of, each.requires or ())), None),
                commands=tuple(sorted(_commands(each, environment / "bin"))),
            )
    raise CannotBuild(f"{package.text} was installed, but nothing in the environment came of it")


def versions_in(environment: Path) -> dict[str, str]:
    """Every distribution, by its name, and its version."""
    return {canonicalize_name(each.name): each.version for each in _distributions(environment)}


def modules_in(environment: Path) -> dict[str, tuple[str, ...]]:
    """The top-level modules, and the names of the distributions that each is from: of a namespace there are several."""
    found: dict[str, set[str]] = {}
    for each in _distributions(environment):
        for file in each.files or ():
            if file.suffix in (".py", ".so") and ".." not in file.parts:
                found.setdefault(file.parts[0].partition(".")[0], set()).add(canonicalize_name(each.name))
    return {module: tuple(sorted(names)) for module, names in found.items()}


def choose_command(installed: Installed, environment: Path, asked: str | None) -> Path:
    """The program that starts the tap: the one asked for, or the tap's own. Raises DoesNotStart."""
    if asked is not None:
        return _asked_for(installed, environment, asked)
    # Package, program and tap may each have a name of their own.
    for fitting in (
        [name for name in installed.commands if name == installed.name],
        installed.commands,
        [name for name in installed.commands if name.startswith("tap-")],
    ):
        if len(fitting) == 1:
            return environment / "bin" / fitting[0]
    if not installed.commands:
        raise DoesNotStart(
            f"{installed.name} {installed.version} brings no program to start",
            hint="if another package brings it: --with PACKAGE --executable NAME",
        )
    raise DoesNotStart(
        f"{installed.name} {installed.version} brings several programs, and none is plainly the tap",
        cause=f"they are {', '.join(installed.commands)}",
        hint=f"choose one: --executable {installed.commands[0]}",
    )


def called_by(environment: Path, command: str) -> str | None:
    """What a command of an environment calls, as `module:function`."""
    scripts = (script for each in _distributions(environment) for script in each.entry_points)
    return next((each.value for each in scripts if (each.group, each.name) == ("console_scripts", command)), None)


def _asked_for(installed: Installed, environment: Path, asked: str) -> Path:
    program = environment / "bin" / asked
    if Path(asked).name != asked or not program.is_file():
        raise DoesNotStart(
            f'there is no program "{asked}" in the environment',
            cause=f"{installed.name} {installed.version} brings {', '.join(installed.commands) or 'none'}",
            hint=f"--executable {installed.commands[0]}" if installed.commands else None,
        )
    return program


def _distributions(environment: Path) -> Iterable[Distribution]:
    # What was installed with --target lies in the folder itself.
    folders = [*environment.glob("lib/*/site-packages")] or [environment]
    return distributions(path=[str(folder) for folder in folders])


def _came_of(each: Distribution, package: Package, root: Path) -> bool:
    if package.name is not None:
        return canonicalize_name(each.name) == package.name
    origin = json.loads(each.read_text("direct_url.json") or "{}")
    url = str(origin.get("url", ""))
    if path := package.path(root):
        return url.startswith("file:") and Path(unquote(urlsplit(url).path)).resolve() == path.resolve()
    address, found, version = package.text.removeprefix("git+").partition(url)
    return bool(url and found) and not address and version[:1] in ("", "@", ".", "#")


def _said(each: Distribution, key: str) -> str | None:
    # Not `get`: on Python 3.11 the type that metadata is declared to have does not promise it.
    return each.metadata[key] if key in each.metadata else None  # noqa: SIM401


def _name_of(requirement: str) -> str:
    return canonicalize_name(_NAME.split(requirement.strip(), maxsplit=1)[0])


def _commands(each: Distribution, folder: Path) -> Iterator[str]:
    for file in each.files or ():
        if file.parent.name == folder.name and Path(str(each.locate_file(file))).resolve().parent == folder.resolve():
            yield file.name
