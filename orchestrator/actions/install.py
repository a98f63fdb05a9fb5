"""Installs what the locks say: after a clone, after a pull, after a change in orchestrator.toml."""

from dataclasses import dataclass

from orchestrator.actions.building import surroundings_of
from orchestrator.actions.running import running_flows
from orchestrator.config import Config, Tap, editing, read_config
from orchestrator.envs.interpreter import Interpreter, find_if_here, find_interpreter, ours
from orchestrator.envs.lock import Lock, read_lock
from orchestrator.envs.make import Agree, Made, make, make_locked, never
from orchestrator.envs.receipt import Receipt
from orchestrator.envs.recipe import as_written, recipe_of, settings_instead
from orchestrator.envs.standing import stands
from orchestrator.envs.switch import put_in_use, sweep
from orchestrator.envs.workshop import Workshop, workshop
from orchestrator.errors import EnvironmentBroken, OrchestratorError
from orchestrator.events import Listener, Note, nobody
from orchestrator.paths import Paths


@dataclass(frozen=True, slots=True)
class TapInstalled:
    """The environment of one tap, ready. `resolved` says that its lock is new, `built` that another came into use."""

    tap: str
    package: str
    version: str
    python: str
    resolved: bool
    built: bool


def install(
    paths: Paths, *, frozen: bool = False, fix: Agree = never, listen: Listener = nobody
) -> tuple[TapInstalled, ...]:
    """Builds every environment that is not as its lock says. A lock that is missing, or older than what
    orchestrator.toml says, is resolved anew; with `frozen` that is an error.

    Where one fails, remedies are tried, and `fix` is asked about those that work, as with `add_tap`. One tap that fails
    keeps no other from being installed. Raises ConfigError; and for the first tap that failed
    EnvironmentBroken in all its kinds, DamagedFile or UsageError.
    """
    config = read_config(paths.config)
    installed: list[TapInstalled] = []
    failures: list[OrchestratorError] = []
    for tap in config.taps.values():
        if tap.environment == tap.id:
            try:
                installed.append(_install(paths, config, tap, frozen, fix, listen))
            except OrchestratorError as failure:
                failures.append(failure)
    for other in failures[1:]:
        listen(Note(str(other)))
    if failures:
        raise failures[0]
    return tuple(installed)


def _install(paths: Paths, config: Config, tap: Tap, frozen: bool, fix: Agree, listen: Listener) -> TapInstalled:
    recipe = recipe_of(tap, paths.root)
    with workshop(
        paths,
        tap.id,
        recipe,
        advise=settings_instead(tap.id, recipe),
        retry="orchestrator install",
        around=surroundings_of(paths, recipe, tap.sandbox),
        listen=listen,
    ) as shop:
        kept = read_lock(paths.lock(tap.id))
        # What a path leads to may have become another Python, so only a version needs no look.
        if kept and not kept.departures(recipe) and not _is_path(recipe.python):
            standing = stands(paths, tap.id, kept)
            if standing is not None:
                return _told(tap, standing, resolved=False, built=False)
        made = _made(shop, kept, frozen, fix)
        before = stands(paths, tap.id, made.lock)
        receipt = put_in_use(paths, tap.id, made.lock, made.receipt)
        if made.recipe != recipe:
            editing.set_tap(paths.config, tap.id, as_written(made.recipe))
        if not running_flows(paths, config, tap.id):
            sweep(paths, tap.id)
    built = before is None or before.environment != receipt.environment
    return _told(tap, receipt, resolved=made.lock != kept, built=built)


def _made(shop: Workshop, kept: Lock | None, frozen: bool, fix: Agree) -> Made:
    """The environment of the lock that is there, where that is what orchestrator.toml asks for; else of a new one."""
    departures = kept.departures(shop.recipe) if kept else []
    if kept is not None and not departures:
        interpreter = _python_for(shop, kept)
        if kept.serves(interpreter.minor):
            return Made(shop.recipe, kept, make_locked(shop, kept, interpreter))
    if frozen:
        raise EnvironmentBroken(
            f"envs/{shop.tap}.lock is {'not what orchestrator.toml asks for' if kept else 'missing'}",
            cause=f"not the same: {', '.join(departures or ['python'])}" if kept else None,
            data="the environment in use is as it was",
            hint="orchestrator install (without --frozen) resolves it anew",
        )
    return make(shop, fix, preferred=find_if_here(kept.python, shop.uv) if kept else None, like=kept)


def _python_for(shop: Workshop, lock: Lock) -> Interpreter:
    """The Python that orchestrator.toml asks for; where it asks for none, that of the lock, or else ours."""
    if shop.recipe.python:
        return find_interpreter(shop.recipe.python, shop.uv)
    if lock.serves(ours().minor):
        return find_if_here(lock.python, shop.uv) or ours()
    return find_interpreter(lock.python, shop.uv)


def _is_path(python: str | None) -> bool:
    return python is not None and "/" in python


def _told(tap: Tap, receipt: Receipt, *, resolved: bool, built: bool) -> TapInstalled:
    return TapInstalled(tap.id, receipt.package, receipt.version, receipt.python_version, resolved, built)
