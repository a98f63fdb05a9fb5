"""Resolves the environment of a tap anew, to the newest that its requirement allows."""

import os
from dataclasses import dataclass

from orchestrator.actions.running import running_flows
from orchestrator.config import read_config
from orchestrator.envs.interpreter import find_if_here
from orchestrator.envs.lock import VersionChange, changes
from orchestrator.envs.make import make, never
from orchestrator.envs.package import Package
from orchestrator.envs.recipe import recipe_of, settings_instead
from orchestrator.envs.switch import lock_or_none, put_in_use, receipt_or_none, sweep
from orchestrator.envs.workshop import workshop
from orchestrator.events import Listener, nobody
from orchestrator.paths import Paths
from orchestrator.supervisor.command import tap_environment


@dataclass(frozen=True, slots=True)
class TapUpgraded:
    """An upgrade. `before` is None when nothing was installed; `pinned` says that orchestrator.toml holds the tap
    itself to its version, so that only its dependencies can change."""

    id: str
    package: str
    before: str | None
    version: str
    python: str
    changes: tuple[VersionChange, ...]
    pinned: bool


def upgrade_tap(paths: Paths, id: str, *, listen: Listener = nobody) -> TapUpgraded:
    """Upgrades the environment that tap `id` runs in, with all that run in it; the one before is kept to go back to.

    Raises UnknownName, ConfigError; CannotResolve, CannotBuild, DoesNotStart, EnvironmentBroken.
    """
    config = read_config(paths.config)
    tap = config.taps[config.tap(id).environment]
    recipe = recipe_of(tap, paths.root)
    shown = tap_environment(os.environ)
    with workshop(paths, tap.id, recipe, settings_instead(tap.id, recipe), shown, listen) as shop:
        old, before = lock_or_none(paths, tap.id), receipt_or_none(paths, tap.id)
        made = make(shop, never, preferred=find_if_here(old.python, shop.uv) if old else None, newest=True)
        receipt = put_in_use(paths, tap.id, made.lock, made.receipt)
        if not running_flows(paths, config, tap.id):
            sweep(paths, tap.id)
    return TapUpgraded(
        id=id,
        package=receipt.package,
        before=before.version if before else None,
        version=receipt.version,
        python=receipt.python_version,
        changes=changes(old, made.lock),
        pinned=Package.parse(recipe.package).pinned,
    )
