"""Tells of which taps there are newer versions, without installing any."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from packaging.version import Version

from orchestrator.config import read_config
from orchestrator.envs.interpreter import interpreters
from orchestrator.envs.offer import Index
from orchestrator.envs.package import Package
from orchestrator.envs.recipe import Recipe, recipe_of
from orchestrator.envs.switch import lock_or_none
from orchestrator.envs.uv import Uv
from orchestrator.paths import Paths


@dataclass(frozen=True, slots=True)
class TapOutdated:
    """A tap that is locked at `version`. `allowed` is the newest that its requirement in orchestrator.toml allows, so
    that `upgrade` takes it, and `newest` the newest there is; None where no index tells."""

    id: str
    package: str
    version: str | None
    allowed: str | None
    newest: str | None

    @property
    def is_outdated(self) -> bool:
        return any(_is_newer(each, self.version) for each in (self.allowed, self.newest))


def outdated(paths: Paths) -> tuple[TapOutdated, ...]:
    """Every tap with an environment of its own whose package comes from an index, as it is and as it could be.

    Raises ConfigError, UsageError for a package that cannot be read.
    """
    config = read_config(paths.config)
    uv = Uv(paths.root)
    newest_python = interpreters(uv)[0]
    recipes = {tap.id: recipe_of(tap, paths.root) for tap in config.taps.values() if tap.environment == tap.id}

    def look_up(id: str) -> TapOutdated:
        recipe = recipes[id]
        package = Package.parse(recipe.package)
        lock = lock_or_none(paths, id)
        # The resolver goes by lower bounds, so the newest Python sees every version.
        allowed = Index(uv, recipe).offer(package, newest_python)
        newest = Index(uv, Recipe(recipe.package)).offer(package.without_version(), newest_python)
        return TapOutdated(
            id=id,
            package=package.name or package.text,
            version=lock.versions().get(package.name or "") if lock else None,
            allowed=allowed.version if allowed else None,
            newest=newest.version if newest else None,
        )

    from_an_index = [id for id, recipe in recipes.items() if Package.parse(recipe.package).is_from_an_index]
    with ThreadPoolExecutor() as asking:
        return tuple(asking.map(look_up, from_an_index))


def _is_newer(version: str | None, than: str | None) -> bool:
    return version is not None and (than is None or Version(version) > Version(than))
