"""Looks for what mends a failure: remedies are tried in environments aside until the tap starts."""

import re
import time
from dataclasses import dataclass, replace
from functools import cache

from orchestrator.envs.build import build
from orchestrator.envs.failure import Failed, Failure, Stage
from orchestrator.envs.interpreter import Interpreter, find_interpreter, interpreters
from orchestrator.envs.lock import Lock
from orchestrator.envs.offer import Index
from orchestrator.envs.package import Package
from orchestrator.envs.receipt import Receipt
from orchestrator.envs.recipe import Recipe
from orchestrator.envs.remedies import Around, Remedy, remedies
from orchestrator.envs.resolve import resolve
from orchestrator.envs.workshop import Workshop
from orchestrator.errors import EnvironmentBroken
from orchestrator.events import nobody

TRIES = 30
"""How many recipes are tried before the search gives up. Most that fail do so while they are resolved, in a moment."""

DEEPEST = 3
"""How many remedies are put together."""

LONGEST_TRY = 600.0
"""Seconds that one call of the installer may take: a remedy that compiles for longer is none."""

_PASSING = re.compile(r"/[^\s'\",:]*|\b0x[0-9a-f]+")
"""What differs in the words of a failure from one environment to the next, though it is the same."""


@dataclass(frozen=True, slots=True)
class Found:
    """A recipe with which the tap starts, and the environment that was made of it."""

    recipe: Recipe
    lock: Lock
    receipt: Receipt


def search(shop: Workshop, failure: Failure) -> Found | None:
    """The first recipe that works, beginning at the workshop's, which failed so; None when none was found."""
    index = Index(replace(shop.uv, log=None), shop.recipe)

    @cache
    def newest(name: str) -> str | None:
        offer = index.offer(Package.parse(name), failure.on)
        return offer.version if offer else None

    tap = index.offer(Package.parse(shop.recipe.package), failure.on)
    around = Around(interpreters(index.uv), tap.released if tap else None, newest)
    return _Search(shop, failure.on, around).descend(shop.recipe, failure, ())


class _Search:
    """Where a search has been, and how far it may still go."""

    def __init__(self, shop: Workshop, on: Interpreter, around: Around) -> None:
        self._shop = shop
        self._on = on
        self._around = around
        self._left = TRIES
        self._recipes = {shop.recipe}
        self._builds: set[tuple[object, ...]] = set()

    def descend(self, recipe: Recipe, failure: Failure, way: tuple[Remedy, ...]) -> Found | None:
        """Tries each remedy of a failure; where another failure takes its place, goes on from there."""
        for remedy in remedies(failure, recipe, self._around):
            changed = remedy.to(recipe)
            if changed in self._recipes or not self._left:
                continue
            self._recipes.add(changed)
            outcome = self._attempt(changed, (*way, remedy))
            if isinstance(outcome, Found):
                return outcome
            if outcome and len(way) + 1 < DEEPEST and _leads_on(failure, remedy, outcome):
                found = self.descend(changed, outcome, (*way, remedy))
                if found is not None:
                    return found
        return None

    def _attempt(self, recipe: Recipe, way: tuple[Remedy, ...]) -> Found | Failure | None:
        """What comes of a recipe; None when it comes to what was tried before, or when it cannot be told."""
        shop = replace(self._shop, recipe=recipe, uv=replace(self._shop.uv, longest=LONGEST_TRY), listen=nobody)
        started = time.monotonic()
        tried = f"Tried {' '.join(map(str, way))}"
        try:
            on = find_interpreter(recipe.python, shop.uv) if recipe.python else self._on
            lock = resolve(shop, on)
            same = (on, recipe.build_constraints, *(pin.text for pin in lock.pins()))
            if same in self._builds:
                return None
            self._builds.add(same)
            self._left -= 1
            found = Found(recipe, lock, build(shop, lock, on, why="it was tried, and the tap starts on it"))
        except Failed as failed:
            self._shop.note(f"{tried}: {failed.failure.cause}")
            return failed.failure
        except EnvironmentBroken as error:
            self._shop.note(f"{tried}: {error.cause or error.message}")
            return None
        self._shop.step(f"{tried}: starts", started)
        return found


def _leads_on(before: Failure, remedy: Remedy, after: Failure) -> bool:
    """Whether a remedy brought the tap further, to something else that is wrong."""
    if after.stage < before.stage:
        # Versions of an older day may have to be built, on a Python of that day.
        return after.stage is Stage.BUILD and remedy.changes[0][0] == "exclude_newer"
    return (after.stage, _gist(after)) != (before.stage, _gist(before))


def _gist(failure: Failure) -> str:
    return _PASSING.sub("", failure.cause)
