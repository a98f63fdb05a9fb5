"""From a recipe to a lock: every package that the environment will hold, pinned with hashes."""

import re
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from orchestrator.envs.interpreter import Interpreter
from orchestrator.envs.lock import Lock, Pin
from orchestrator.envs.package import Kind, Package
from orchestrator.envs.uv import UvFailed, reason
from orchestrator.envs.workshop import UNCHANGED, Workshop
from orchestrator.errors import CannotBuild, CannotResolve
from orchestrator.paths import CONFIG_FILE

PYTHONS = ("3.13", "3.12", "3.11", "3.10", "3.9", "3.8", "3.7", "3.6")
"""What a person may be told to try, the newest first."""

_BUILDING = re.compile(r"[Ff]ailed to build|build backend|Failed to prepare")
_NETWORK = re.compile(
    r"Request failed|network was disabled|[Ff]ailed to fetch|dns error|error sending request|Git operation failed"
)
_CHECK_THE_NETWORK = "check the network; behind a proxy set HTTPS_PROXY, for an index of your own UV_DEFAULT_INDEX"
_UNKNOWN = re.compile(r"Because (\S+) was not found in")
_OLD_PYTHON = re.compile(r"requires Python ([<>=!~0-9., ]+\d)")


def resolve(shop: Workshop, on: Interpreter, *, like: Lock | None = None, newest: bool = False) -> Lock:
    """Finds versions that fit together and serve the workshop's recipe, on every system that Python runs on.

    Versions in `like` are kept where they still fit; `newest` asks the index again, whatever the cache remembers.
    Raises CannotResolve; CannotBuild when a package has to be built to tell what it needs, and cannot be.
    """
    recipe = shop.recipe
    package = Package.parse(recipe.package)
    asked = [package, *map(Package.parse, recipe.extras)]
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        overrides, pinned = Path(folder, "overrides.txt"), Path(folder, "pinned.txt")
        overrides.write_text(_lines([Package.parse(text) for text in recipe.overrides], shop.paths.root))
        pinned.write_text(like.requirements if like else "")
        try:
            shop.uv.run(
                *("pip", "compile", "-", "--output-file", pinned, "--overrides", overrides),
                *("--universal", "--generate-hashes", "--no-header", "--no-emit-index-url", "--no-emit-find-links"),
                *("--python", on.path, "--python-version", on.minor),
                *(("--exclude-newer", recipe.exclude_newer) if recipe.exclude_newer else ()),
                *(("--upgrade",) if newest else ()),
                text=_lines(asked, shop.paths.root),
            )
        except UvFailed as failure:
            raise _explained(shop, package, on, failure) from failure
        # The name of a passing file, in a comment of uv's, would make every lock another one.
        requirements = pinned.read_text().replace(str(overrides), CONFIG_FILE)
        lock = Lock(replace(recipe, python=on.minor), requirements)
    others = "1 dependency" if lock.dependencies == 1 else f"{lock.dependencies} dependencies"
    shop.step(f"Resolved {_named(package, lock)} and {others}", started)
    for pin in lock.without_hash():
        shop.note(_without_hash(pin))
    return lock


def _lines(packages: list[Package], root: Path) -> str:
    return "".join(f"{package.as_requirement(root)}\n" for package in packages)


def _named(package: Package, lock: Lock) -> str:
    version = lock.versions().get(package.name or "")
    return f"{package.name} {version}" if version else package.text


def _without_hash(pin: Pin) -> str:
    if pin.version:
        return f"{pin.name} comes from git: the lock holds its commit, {pin.version[:12]}, in place of a hash"
    return f"{pin.text} is used as it stands on this machine; the lock cannot hold it to a version"


def _explained(shop: Workshop, package: Package, on: Interpreter, failure: UvFailed) -> CannotResolve | CannotBuild:
    cause = reason(failure.said)
    if _BUILDING.search(failure.said) and not _NETWORK.search(failure.said):
        return CannotBuild(
            f"{package.text} cannot be built on Python {on.minor}",
            cause=cause,
            data=UNCHANGED,
            hint=install_hint(shop, on, failure.said),
        )
    return CannotResolve(
        f"no versions were found for {package.text} on Python {on.minor}",
        cause=cause,
        data=UNCHANGED,
        hint=_resolve_hint(shop, package, cause, failure.said),
    )


def _resolve_hint(shop: Workshop, package: Package, cause: str, said: str) -> str:
    if _NETWORK.search(said):
        return _CHECK_THE_NETWORK
    if fitting := python_that_fits(said):
        return shop.instead(python=fitting)
    if (unknown := _UNKNOWN.search(cause)) and package.kind is Kind.REQUIREMENT:
        return f"check the name {unknown[1]}; a tap that no index has can be added as git+https://… or ./folder"
    if package.pinned:
        return shop.instead(package=package.without_version().text)
    return "orchestrator add-tap --help tells of --override, which puts a version over what the packages ask for"


def install_hint(shop: Workshop, on: Interpreter, said: str) -> str:
    """What to try when a package cannot be fetched or built; `said` is what uv said of it."""
    if "Hash mismatch" in said:
        return f"what is fetched is not what was locked; if it is to be trusted: orchestrator upgrade {shop.tap}"
    if _NETWORK.search(said):
        return _CHECK_THE_NETWORK
    # It may be older than the Python, or lack a part of the system.
    older = "3.9" if on.minor in ("3.10", "3.11", "3.12", "3.13") else "3.11"
    return f"install what the cause names, or try a Python of its time: {shop.instead(python=older)}"


def python_that_fits(said: str) -> str | None:
    """The newest Python that every `requires Python ...` in a text allows."""
    try:
        wanted = SpecifierSet(",".join(_OLD_PYTHON.findall(said)))
    except InvalidSpecifier:
        return None
    fitting = [version for version in PYTHONS if wanted.contains(f"{version}.99")]
    return fitting[0] if fitting and str(wanted) else None
