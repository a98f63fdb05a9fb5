"""What surrounds an environment while it is built: what it is built from is code of others, which runs already then."""

import os
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from orchestrator import durable
from orchestrator.config import Sandbox
from orchestrator.envs.package import Package
from orchestrator.envs.recipe import Recipe
from orchestrator.envs.surroundings import Confine, Surroundings
from orchestrator.paths import Paths, home
from orchestrator.supervisor.command import tap_environment
from orchestrator.supervisor.launcher import landlock_version
from orchestrator.supervisor.launching import confined
from orchestrator.supervisor.sandbox import SYSTEM, Allowed, Confinement, python_of

_TOOLS = (".cargo", ".rustup", ".pyenv", ".local/share/uv")
"""Below the home folder: what compiles, and Pythons."""
_SETTINGS = (".config/uv", ".netrc", ".gitconfig", ".config/git")
"""Below the home folder: what tells uv and git where packages come from."""
_KEYS = {"git+ssh:": (".ssh",), "git+https:": (".git-credentials", ".config/gh")}
"""The same: what lets git in, by how a requirement is fetched."""
_POINTING = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "UV_CONFIG_FILE", "UV_FIND_LINKS", "NETRC")
"""Variables that name files which uv reads."""
_REPOSITORY = re.compile(r"git\+file://(/[^@#\s]+)")


def surroundings_of(paths: Paths, recipe: Recipe, sandbox: Sandbox = Sandbox.AUTO) -> Surroundings:
    """Where a tap is built and tried out: without our variables, and where the kernel can, without our files.

    What is built reaches the system, compilers and Pythons, the cache of uv, what tells it where packages come from,
    and the environments; of the workspace nothing else.
    """
    shown = tap_environment(os.environ)
    if sandbox is Sandbox.BUBBLEWRAP and landlock_version():
        # Files of the cache are linked into environments; between the mounts of bubblewrap they would be copied.
        sandbox = Sandbox.LANDLOCK
    if sandbox is Sandbox.NONE:
        return Surroundings(shown)
    pythons = _pythons(recipe)
    folders = _folders_of(recipe, paths.root)
    starts = SYSTEM | pythons | Allowed(runs=(paths.envs, *folders))
    cache = _cache(os.environ)
    builds = starts | Allowed(
        # What is linked from the cache may gain no right by that, or it is copied.
        runs=(*_at_home(_TOOLS), cache),
        reads=(
            *_at_home(_SETTINGS),
            *_pointed_at(os.environ),
            *map(Path, ("/etc/uv", "/etc/gitconfig")),
        ),
        writes=(durable.make_folder(paths.envs), cache, *folders),
    )
    asked = " ".join((recipe.package, *recipe.extras, *recipe.overrides))
    builds |= Allowed(reads=tuple(Path(unquote(each)) for each in _REPOSITORY.findall(asked)))
    builds |= Allowed(reads=_at_home(key for way, keys in _KEYS.items() if way in asked for key in keys))
    if os.environ.get("UV_PYTHON_DOWNLOADS", "never") != "never":
        builds |= Allowed(writes=_at_home([".local/share/uv"]))
    return Surroundings(shown, _confining(builds, sandbox), _confining(starts, sandbox, in_its_own=True))


def _confining(allowed: Allowed, sandbox: Sandbox, *, in_its_own: bool = False) -> Confine:
    """What confines commands; one that stands in an environment of its own may write there, as Python does when it
    compiles modules."""

    def confine(
        command: Sequence[str], folder: Path | None
    ) -> AbstractContextManager[tuple[Sequence[str], Sequence[int]]]:
        folders = [] if folder is None else [folder]
        if in_its_own:
            folders.append(Path(command[0]).parent.parent)
        return confined(command, Confinement(sandbox, allowed | Allowed(writes=tuple(folders))))

    return confine


def _pythons(recipe: Recipe) -> Allowed:
    """Those that may be taken, and uv itself: what stands on the PATH, and what is named."""
    import uv

    named = [recipe.python] if recipe.python and os.sep in recipe.python else []
    folders = [Path(each) for each in os.environ.get("PATH", "").split(os.pathsep) if os.path.isabs(each)]
    found = (str(each) for folder in folders if folder.is_dir() for each in folder.glob("python3*"))
    places = chain.from_iterable(python_of(each).runs for each in (sys.executable, *named, *found))
    return Allowed(runs=tuple(_but_home({*places, *folders, Path(uv.find_uv_bin()).parent})))


def _but_home(places: Iterable[Path]) -> Iterator[Path]:
    """Without what holds the home folder as a whole."""
    return (each for each in places if not home().is_relative_to(each))


def _at_home(names: Iterable[str]) -> tuple[Path, ...]:
    return tuple(home() / name for name in names)


def _pointed_at(environ: Mapping[str, str]) -> Iterator[Path]:
    for name in _POINTING:
        for word in environ.get(name, "").replace(",", " ").split():
            if os.path.isabs(path := word.removeprefix("file://")):
                yield Path(path)


def _cache(environ: Mapping[str, str]) -> Path:
    """Where uv keeps what it fetched: https://docs.astral.sh/uv/concepts/cache/"""
    said = environ.get("UV_CACHE_DIR")
    place = Path(said) if said else Path(environ.get("XDG_CACHE_HOME") or home() / ".cache") / "uv"
    return durable.make_folder(place.absolute())


def _folders_of(recipe: Recipe, root: Path) -> tuple[Path, ...]:
    """The projects in folders that are to be installed, and those that they ask for in folders beside them."""
    asked = (Package.parse(each).path(root) for each in (recipe.package, *recipe.extras, *recipe.overrides))
    waiting, found = [each for each in asked if each is not None], dict[Path, None]()
    while waiting:
        folder = waiting.pop()
        if folder not in found:
            found[folder] = None
            waiting += _sources_of(folder)
    return tuple(found)


def _sources_of(folder: Path) -> list[Path]:
    try:
        project = tomllib.loads((folder / "pyproject.toml").read_text())
    except (OSError, ValueError):
        return []
    match project:
        case {"tool": {"uv": {"sources": dict(sources)}}}:
            return [folder / place for place in _places_in(sources) if (folder / place).exists()]
    return []


def _places_in(sources: Mapping[str, Any]) -> Iterator[str]:
    for source in sources.values():
        for each in source if isinstance(source, list) else [source]:
            match each:
                case {"path": str(place)}:
                    yield place
