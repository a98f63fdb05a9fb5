"""From a recipe to a lock: every package that the environment will hold, pinned with hashes."""

import re
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from packaging.utils import canonicalize_name

from orchestrator.envs.failure import Failed, Failure, Stage
from orchestrator.envs.folders import as_from_here, names_folders_of_others
from orchestrator.envs.interpreter import Interpreter
from orchestrator.envs.lock import Lock
from orchestrator.envs.offer import how_to_fetch
from orchestrator.envs.package import Kind, Package
from orchestrator.envs.uv import UvFailed, reason
from orchestrator.envs.workshop import UNCHANGED, Workshop
from orchestrator.errors import CannotBuild, CannotResolve
from orchestrator.paths import CONFIG_FILE

_BUILDING = re.compile(r"[Ff]ailed to (?:download and )?build|build backend|Failed to prepare")
_NETWORK = re.compile(
    r"Request failed|network was disabled|[Ff]ailed to fetch|dns error|error sending request|Git operation failed"
)
_CHECK_THE_NETWORK = "check the network; behind a proxy set HTTPS_PROXY, for an index of your own UV_DEFAULT_INDEX"
_SOURCES = re.compile(r"Distribution not found at: file:|`tool\.uv\.sources`")
_REFUSED = re.compile(r"An index URL \(\S+\) could not be queried due to .*? \(40[13] \w+\)")
_SAY_WHO_YOU_ARE = (
    "export UV_INDEX_NAME_USERNAME=… UV_INDEX_NAME_PASSWORD=… for UV_INDEX=NAME=URL, or a line in ~/.netrc"
)
_UNKNOWN = re.compile(r"Because (\S+) was not found in")
_NO_SUCH_VERSION = re.compile(r"^Because there (?:is no version|are no versions) of ([\w.-]+)")


def resolve(
    shop: Workshop,
    on: Interpreter,
    *,
    like: Lock | None = None,
    newest: bool = False,
    version: str | None = None,
) -> Lock:
    """Finds versions that fit together and serve the workshop's recipe, on every system that Python runs on.

    Versions in `like` are kept where they still fit; `newest` asks the index again, whatever the cache remembers.
    `version` is the only one of the tap itself that will do, where it has to be one.
    Raises Failed for what another recipe may mend, CannotResolve for what none can, such as a name that no index has.
    """
    recipe = shop.recipe
    package = Package.parse(recipe.package)
    asked = [package.at_version(version).text if version else package.text, *recipe.extras]
    with tempfile.TemporaryDirectory(dir=shop.uv.temporary) as folder:
        overrides, constraints, pinned = (Path(folder, name) for name in ("overrides.txt", "build.txt", "pinned.txt"))
        overrides.write_text(_lines(recipe.overrides, shop.paths.root))
        constraints.write_text(_lines(recipe.build_constraints, shop.paths.root))
        pinned.write_text(like.requirements if like else "")
        compile: tuple[str | Path, ...] = (
            *("pip", "compile", "-", "--overrides", overrides, "--build-constraints", constraints),
            *("--universal", "--no-header", "--no-emit-index-url", "--no-emit-find-links"),
            *("--python", on.path, "--python-version", on.minor),
            *how_to_fetch(recipe),
        )
        lines, root = _lines(asked, shop.paths.root), shop.paths.root
        named = (*asked, *recipe.overrides)
        try:
            again = ("--upgrade",) if newest else ()
            shop.uv.run(*compile, *again, "--generate-hashes", "--output-file", pinned, text=lines)
            requirements = pinned.read_text()
            if names_folders_of_others(requirements, named, root):
                pylock = shop.uv.run(*compile, "--format", "pylock.toml", "--quiet", text=lines)
                requirements = as_from_here(requirements, named, pylock, root)
        except UvFailed as failure:
            raise _explained(shop, on, failure.said) from failure
        # The name of a passing file, in a comment of uv's, would make every lock another one.
        requirements = requirements.replace(str(overrides), CONFIG_FILE)
    return Lock(replace(recipe, python=on.minor), requirements, datetime.now(UTC).date().isoformat())


def _lines(packages: list[str] | tuple[str, ...], root: Path) -> str:
    return "".join(f"{Package.parse(text).as_requirement(root)}\n" for text in packages)


def _explained(shop: Workshop, on: Interpreter, said: str) -> Failed | CannotResolve:
    package = Package.parse(shop.recipe.package)
    cause = reason(said)
    what = f"no versions were found for {package.text} on Python {on.minor}"
    if network_failed(said):
        return CannotResolve(what, cause=cause, data=UNCHANGED, hint=_CHECK_THE_NETWORK)
    if refused := _REFUSED.search(" ".join(said.split())):
        return CannotResolve(what, cause=refused[0], data=UNCHANGED, hint=_SAY_WHO_YOU_ARE)
    if _SOURCES.search(cause) and (folder := package.path(shop.paths.root)):
        what = f"what {package.text} depends on is not where its [tool.uv.sources] says"
        return CannotResolve(what, cause=cause, data=UNCHANGED, hint=f"mend it in {folder / 'pyproject.toml'}")
    if _BUILDING.search(said):
        what = f"{package.text} cannot be built on Python {on.minor}"
        return Failed(Failure(Stage.BUILD, what, cause, said, on, package.name))
    if hint := _no_remedy(shop, package, cause):
        return CannotResolve(what, cause=cause, data=UNCHANGED, hint=hint)
    return Failed(Failure(Stage.RESOLVE, what, cause, said, on, package.name))


def _no_remedy(shop: Workshop, package: Package, cause: str) -> str | None:
    """What to do about something that is not there, under whatever recipe."""
    if (unknown := _UNKNOWN.search(cause)) and package.kind is Kind.REQUIREMENT:
        return f"check the name {unknown[1]}; a tap that no index has can be added as git+https://… or ./folder"
    missing = _NO_SUCH_VERSION.search(cause)
    if package.pinned and missing and canonicalize_name(missing[1]) == package.name:
        return shop.instead(package=package.without_version().text)
    return None


def network_failed(said: str) -> bool:
    """Whether uv could not reach what it asked for, so that it says nothing about the packages."""
    return _NETWORK.search(said) is not None


def cannot_fetch(lock: Lock, cause: str) -> CannotBuild:
    """The error for a network that failed while an environment was built."""
    return CannotBuild(
        f"the packages of {lock.recipe.package} cannot be fetched",
        cause=cause,
        data=UNCHANGED,
        hint=_CHECK_THE_NETWORK,
    )
