"""From a recipe to an environment whose tap starts: on the best Python for it, and where it fails, with the first
remedy that works."""

import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass

from packaging.version import Version

from orchestrator.envs.build import build
from orchestrator.envs.choice import Choice, choose
from orchestrator.envs.failure import Failed, Stage
from orchestrator.envs.hints import hint_for, hint_for_locked
from orchestrator.envs.interpreter import Interpreter, ours
from orchestrator.envs.lock import Lock, Pin
from orchestrator.envs.package import Package
from orchestrator.envs.receipt import Receipt
from orchestrator.envs.recipe import Recipe, options_of
from orchestrator.envs.resolve import resolve
from orchestrator.envs.search import search
from orchestrator.envs.switch import remove_build
from orchestrator.envs.workshop import UNCHANGED, Workshop

Agree = Callable[[str], bool]
"""Whether to go on with what was found to work; it is given the command for it."""


def never(command: str) -> bool:
    """Agrees to nothing."""
    return False


@dataclass(frozen=True, slots=True)
class Made:
    """An environment that is ready but not in use yet. `recipe` is what it was made from in the end."""

    recipe: Recipe
    lock: Lock
    receipt: Receipt


def make(
    shop: Workshop,
    agree: Agree,
    *,
    preferred: Interpreter | None = None,
    like: Lock | None = None,
    newest: bool = False,
) -> Made:
    """Makes the environment of the workshop's recipe, on the Python that is `preferred` where the tap allows it.

    Versions in `like` are kept where they still fit; `newest` asks the index again. When it fails, remedies are tried
    aside, and the first with which the tap starts is taken if `agree` says so.
    Raises CannotResolve, CannotBuild and DoesNotStart, with what works or might work as their hint.
    """
    try:
        choice = choose(shop, preferred or ours())
        lock, on = _resolved(shop, choice, like, newest)
        why = choice.why if on == choice.pythons[0] else "what this version depends on is not for the others"
        return Made(shop.recipe, lock, build(shop, lock, on, why=why))
    except Failed as failed:
        failure = failed.failure
    shop.note(f"{failure.what}: {failure.cause}")
    if (found := search(shop, failure)) is None:
        raise failure.told(data=f"{UNCHANGED}; {_where_it_is_told(shop)}", hint=hint_for(shop, failure))
    if agree(shop.advise(found.recipe)):
        return Made(found.recipe, found.lock, found.receipt)
    remove_build(shop.paths, shop.tap, found.receipt.environment)
    options = shlex.join(options_of(found.recipe, beyond=shop.recipe))
    raise failure.told(
        data=f"nothing was changed; with {options} it was tried, and the tap starts",
        hint=f"{shop.retry} --fix" if shop.retry else shop.advise(found.recipe),
    )


def make_locked(shop: Workshop, lock: Lock, on: Interpreter) -> Receipt:
    """Makes the environment of a lock, just as it is locked.

    Raises CannotBuild and DoesNotStart, with what this machine lacks as their hint.
    """
    try:
        why = "it is that of the lock" if on.minor == lock.python else "the lock serves it"
        return build(shop, lock, on, why=why, as_of=lock.resolved)
    except Failed as failed:
        hint = hint_for_locked(shop, lock, failed.failure)
        raise failed.failure.told(data=f"{UNCHANGED}; {_where_it_is_told(shop)}", hint=hint) from failed


def _where_it_is_told(shop: Workshop) -> str:
    return f"envs/{shop.log.name} has all that was said"


def _resolved(shop: Workshop, choice: Choice, like: Lock | None, newest: bool) -> tuple[Lock, Interpreter]:
    """The lock with the newest version of the tap, and the first Python on which packages go together with it."""
    started = time.monotonic()
    found: list[tuple[Lock, Interpreter]] = []
    failures: list[Failed] = []
    for on in choice.pythons:
        try:
            found.append((resolve(shop, on, like=like, newest=newest), on))
        except Failed as failed:
            failures.append(failed)
            if failed.failure.stage is not Stage.RESOLVE:
                break
        else:
            if like or choice.offer is None or _version(found[-1][0]) == choice.offer.version:
                break
    if not found:
        raise failures[0]
    lock, on = max(found, key=lambda each: Version(_version(each[0]) or "0"))
    _tell(shop, lock, started)
    if on != choice.pythons[0]:
        first = choice.pythons[0].minor
        shop.note(f"Python {on.minor} is taken: what this version depends on is not for Python {first}")
    elif not (like or shop.recipe.python) and choice.offer and _version(lock) != choice.offer.version:
        shop.note(f"{choice.offer.version} is newer, but what it depends on is not for the Pythons on this machine")
    return lock, on


def _tell(shop: Workshop, lock: Lock, started: float) -> None:
    package, version = Package.parse(shop.recipe.package), _version(lock)
    named = f"{package.name} {version}" if version else package.text
    others = "1 dependency" if lock.dependencies == 1 else f"{lock.dependencies} dependencies"
    shop.step(f"Resolved {named} and {others}", started)
    for pin in lock.without_hash():
        shop.note(_without_hash(pin))


def _version(lock: Lock) -> str | None:
    """That of the tap itself, where it has a name."""
    return lock.versions().get(Package.parse(lock.recipe.package).name or "")


def _without_hash(pin: Pin) -> str:
    if pin.version:
        return f"{pin.name} comes from git: the lock holds its commit, {pin.version[:12]}, in place of a hash"
    return f"{pin.text} is used as it stands on this machine; the lock cannot hold it to a version"
