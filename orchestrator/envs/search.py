"""Looks for what mends a failure: remedies are tried in environments aside until the tap starts."""

import re
import time
from collections import deque
from dataclasses import dataclass, replace
from functools import cache
from shlex import join

from orchestrator.envs.build import build
from orchestrator.envs.failure import Failed, Failure, Stage
from orchestrator.envs.interpreter import Interpreter, find_interpreter, interpreters
from orchestrator.envs.lock import Lock
from orchestrator.envs.offer import Index
from orchestrator.envs.package import Package
from orchestrator.envs.receipt import Receipt
from orchestrator.envs.recipe import Recipe, options_of
from orchestrator.envs.remedies import Around, Remedy, remedies, what_is_missing, what_is_too_new
from orchestrator.envs.resolve import resolve
from orchestrator.envs.workshop import Workshop
from orchestrator.errors import EnvironmentBroken
from orchestrator.events import nobody

TRIES = 30
"""How many recipes are tried before the search gives up. Most that fail do so while they are resolved, in a moment."""

DEEPEST = 3
"""How many remedies are put together, beside what is only missing."""

LONGEST_TRY = 180.0
"""Seconds that one call of the installer may take: a remedy that compiles for longer is none, or the last resort."""

LONGEST_SEARCH = 900.0
"""Seconds after which nothing further is tried."""

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
    package = Package.parse(shop.recipe.package)

    @cache
    def newest(name: str) -> str | None:
        offer = index.offer(Package.parse(name), failure.on)
        return offer.version if offer else None

    def is_ready_made(name: str, version: str, on: Interpreter) -> bool:
        return index.is_ready_made(Package.parse(f"{name}=={version}"), on)

    tap = index.offer(package.at_version(failure.version) if failure.version else package, failure.on)
    around = Around(interpreters(index.uv), tap.released if tap else None, newest, is_ready_made)
    # A resolver that stopped to build something had the newest version in hand; one that found nothing tried them all.
    version = tap.version if tap and failure.stage is not Stage.RESOLVE else None
    return _Search(shop, failure, version, around).run()


@dataclass(frozen=True, slots=True)
class _Place:
    """A recipe that was tried, how it failed, and how many remedies lie behind it, beside what was only missing."""

    recipe: Recipe
    failure: Failure
    remedies: int


class _Search:
    """Where a search has been, and how far it may still go."""

    def __init__(self, shop: Workshop, failure: Failure, version: str | None, around: Around) -> None:
        self._shop = shop
        self._first = failure
        self._version = version
        self._around = around
        self._left = TRIES
        self._until = time.monotonic() + LONGEST_SEARCH
        self._places: deque[_Place] = deque()
        self._recipes = {shop.recipe}
        self._builds: set[tuple[object, ...]] = set()

    def run(self) -> Found | None:
        """Tries single remedies before two of them together, and these before three."""
        self._places.append(_Place(self._shop.recipe, self._first, remedies=0))
        while self._places:
            place = self._places.popleft()
            for remedy in remedies(place.failure, place.recipe, self._around):
                if found := self._follow(place, remedy):
                    return found
        return None

    def _follow(self, place: _Place, remedy: Remedy) -> Found | None:
        """What a remedy leads to from a place; a place that it leads to is one to go on from later."""
        reached = self._go(place, remedy)
        if isinstance(reached, _Place):
            self._places.append(reached)
            return None
        return reached

    def _go(self, place: _Place, remedy: Remedy) -> Found | _Place | None:
        """Where a remedy leads from a place; None when it is no further."""
        recipe = remedy.to(place.recipe)
        if recipe in self._recipes or not self._left or time.monotonic() > self._until:
            return None
        self._recipes.add(recipe)
        outcome = self._attempt(recipe)
        if outcome is None or isinstance(outcome, Found):
            return outcome
        brought = remedy in what_is_missing(place.failure)
        reached = _Place(recipe, outcome, place.remedies + (not brought))
        if not _leads_on(place.failure, remedy, outcome):
            return None
        # What turns out to be missing is needed in any case: it is put there before anything else is tried.
        for each in what_is_missing(outcome):
            if further := self._go(reached, each):
                return further
        if reached.remedies == DEEPEST:
            return None
        # What is named as too new most likely is.
        for each in what_is_too_new(outcome):
            if found := self._follow(reached, each):
                return found
        return reached

    def _attempt(self, recipe: Recipe) -> Found | Failure | None:
        """What comes of a recipe; None when that says nothing, or nothing new."""
        shop = replace(self._shop, recipe=recipe, uv=replace(self._shop.uv, longest=LONGEST_TRY), listen=nobody)
        started = time.monotonic()
        tried = f"Tried {join(options_of(recipe, beyond=self._shop.recipe))}"
        try:
            on = find_interpreter(recipe.python, shop.uv) if recipe.python else self._first.on
            # Free to take any version of the tap, the resolver would build every one that there ever was.
            lock = resolve(shop, on, version=self._version)
            if not self._is_new(lock, on):
                return None
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

    def _is_new(self, lock: Lock, on: Interpreter) -> bool:
        """Whether a lock was not built yet."""
        same = (on, lock.recipe.build_constraints, *(pin.text for pin in lock.pins()))
        is_new = same not in self._builds
        self._builds.add(same)
        return is_new


def _leads_on(before: Failure, remedy: Remedy, after: Failure) -> bool:
    """Whether a remedy brought the tap further, to something else that is wrong."""
    if after.stage < before.stage:
        # Versions of an older day may have to be built, on a Python of that day.
        return after.stage is Stage.BUILD and remedy.changes[0][0] == "exclude_newer"
    return (after.stage, _gist(after)) != (before.stage, _gist(before))


def _gist(failure: Failure) -> str:
    return _PASSING.sub("", failure.cause)
