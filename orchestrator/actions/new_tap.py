"""Makes a new tap: a small project of the Singer SDK that runs, passes its own tests, and can be specialised."""

import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from orchestrator.config import read_config
from orchestrator.envs import in_use
from orchestrator.envs.installed import called_by
from orchestrator.envs.package import Package
from orchestrator.errors import OrchestratorError, UsageError
from orchestrator.paths import Paths, find_workspace
from orchestrator.templates import Base, Kind, Names, add_tap_words, project

_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
# How a tap of the Singer SDK is started: a method of its class.
_COMMAND_OF_A_CLASS = re.compile(r"(?P<module>[\w.]+):(?P<tap_class>\w+)\.\w+")


@dataclass(frozen=True, slots=True)
class TapMade:
    """A new project. `base` is the distribution that it specialises; `add_tap` are the words that install it, typed
    in the folder above."""

    name: str
    folder: Path
    files: tuple[str, ...]
    base: str | None
    add_tap: tuple[str, ...]


def new_tap(above: Path, name: str, *, kind: Kind = Kind.REST, extends: str | None = None) -> TapMade:
    """Makes the project of a tap in a new folder in `above`. `extends` names the tap that it specialises: a folder, or
    a tap of the workspace around `above`.

    Raises UsageError for a name that cannot be, a folder that is there already, or a base that cannot be specialised.
    """
    names = _names(name)
    folder = above / names.distribution
    if folder.exists():
        raise UsageError(
            f"{folder} is there already", data="nothing was changed", hint=f"orchestrator tap new {names.id}-2"
        )
    base = _base(above, extends) if extends else None
    files = project(names, kind, base)
    if base and base.folder:
        files["pyproject.toml"] += _source(base, folder, above)
    for file, text in files.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return TapMade(
        names.distribution, folder, tuple(files), base.distribution if base else None, add_tap_words(names, base)
    )


def _names(name: str) -> Names:
    id = name.removeprefix("tap-")
    if not _NAME.fullmatch(id):
        raise UsageError(
            f'a tap cannot be called "{name}"',
            cause="a name has words of a-z and 0-9 with - between them, and starts with a letter",
            hint="orchestrator tap new my-source",
        )
    return Names(id)


def _source(base: Base, folder: Path, above: Path) -> str:
    """Tells uv where the base lies, for who works in the project's own folder."""
    assert base.folder is not None
    path = os.path.relpath(above / base.folder, folder)
    return f'\n[tool.uv.sources]\n{base.distribution} = {{ path = "{path}", editable = true }}\n'


# ── the tap that is specialised ──────────────────────────────────────────────────────────────────


def _base(above: Path, extends: str) -> Base:
    folder = above / Path(extends).expanduser()
    if (folder / "pyproject.toml").is_file():
        return _base_in_a_folder(folder, above)
    try:
        return _base_in_a_workspace(find_workspace(above), extends, above)
    except OrchestratorError as error:
        raise UsageError(
            f'there is no tap "{extends}" to extend',
            cause=f"{folder} is no Python project, and {error.message}",
            data="nothing was made",
            hint="--extends ./tap-NAME, or the name of a tap in this workspace",
        ) from error


def _base_in_a_folder(folder: Path, above: Path) -> Base:
    said = tomllib.loads((folder / "pyproject.toml").read_text())
    about = said.get("project") or said.get("tool", {}).get("poetry", {})
    name = str(about.get("name") or folder.name)
    relative = os.path.relpath(folder, above)
    written = relative if relative.startswith(".") else f"./{relative}"
    for called in about.get("scripts", {}).values():
        if found := _COMMAND_OF_A_CLASS.fullmatch(str(called)):
            return Base(name, name, found["module"], found["tap_class"], written)
    raise _not_of_the_sdk(name)


def _base_in_a_workspace(paths: Paths, id: str, above: Path) -> Base:
    tap = read_config(paths.config).tap(id)
    package = Package.parse(tap.package)
    if (folder := package.path(paths.root)) and folder.is_dir():
        return _base_in_a_folder(folder, above)
    receipt = in_use(paths, tap.environment)
    executable = Path(receipt.executable)
    found = _COMMAND_OF_A_CLASS.fullmatch(called_by(executable.parents[1], executable.name) or "")
    if found is None:
        raise _not_of_the_sdk(receipt.package)
    requirement = tap.package if package.name else f"{canonicalize_name(receipt.package)} @ {tap.package}"
    return Base(receipt.package, requirement, found["module"], found["tap_class"])


def _not_of_the_sdk(name: str) -> UsageError:
    return UsageError(
        f"{name} cannot be extended",
        cause="no command of it is a class of the Singer SDK",
        data="nothing was made",
        hint="orchestrator tap new NAME --kind plain",
    )
