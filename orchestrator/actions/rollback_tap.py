"""Goes back to the environment that a tap had before, which is still there. One small write."""

from dataclasses import dataclass

from orchestrator.config import read_config
from orchestrator.envs.lock import VersionChange, changes
from orchestrator.envs.recipe import recipe_of
from orchestrator.envs.switch import go_back, lock_or_none
from orchestrator.envs.workshop import alone
from orchestrator.events import Listener, nobody
from orchestrator.paths import Paths


@dataclass(frozen=True, slots=True)
class TapRolledBack:
    """A rollback from version `before`. `departures` are settings of orchestrator.toml that still say otherwise, and
    that the next install would follow."""

    id: str
    package: str
    before: str
    version: str
    changes: tuple[VersionChange, ...]
    departures: tuple[str, ...]


def rollback_tap(paths: Paths, id: str, *, listen: Listener = nobody) -> TapRolledBack:
    """Puts the environment before this one in use again, lock and all; a second time goes forward again.

    Raises UnknownName, ConfigError; UsageError when there is none before; EnvironmentBroken, DamagedFile.
    """
    config = read_config(paths.config)
    tap = config.taps[config.tap(id).environment]
    recipe = recipe_of(tap, paths.root)
    with alone(paths, tap.id, listen):
        old = lock_or_none(paths, tap.id)
        left, receipt, lock = go_back(paths, tap.id)
    return TapRolledBack(
        id=id,
        package=receipt.package,
        before=left.version,
        version=receipt.version,
        changes=changes(old, lock),
        departures=tuple(lock.departures(recipe)),
    )
