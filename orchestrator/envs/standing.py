"""How the environment of a tap stands against its lock, and the lock against orchestrator.toml."""

import contextlib
from enum import StrEnum

from orchestrator.envs.lock import Lock, read_lock
from orchestrator.envs.receipt import Receipt, in_use
from orchestrator.envs.recipe import Recipe
from orchestrator.errors import DamagedFile, NotInstalled
from orchestrator.paths import Paths


class Standing(StrEnum):
    """What a person has to know of an environment before it is used."""

    READY = "ready"
    """It can be run, and is what lock and orchestrator.toml say."""
    NOT_INSTALLED = "not installed"
    """It is not on this machine; `orchestrator install` builds it."""
    DIFFERS = "differs from lock"
    """It can be run, but lock or orchestrator.toml say something else by now; `orchestrator install` follows them."""


def standing(paths: Paths, tap: str, recipe: Recipe) -> Standing:
    """How the environment of `tap` stands; reads only."""
    try:
        in_use(paths, tap)
        lock = read_lock(paths.lock(tap))
    except NotInstalled:
        return Standing.NOT_INSTALLED
    except DamagedFile:
        return Standing.DIFFERS
    if lock is None or lock.departures(recipe) or stands(paths, tap, lock) is None:
        return Standing.DIFFERS
    return Standing.READY


def stands(paths: Paths, tap: str, lock: Lock) -> Receipt | None:
    """The receipt of the environment in use, when it can be run and was built from `lock`."""
    with contextlib.suppress(NotInstalled, DamagedFile):
        receipt = in_use(paths, tap)
        if read_lock(paths.built_lock(tap, receipt.environment)) == lock:
            return receipt
    return None
