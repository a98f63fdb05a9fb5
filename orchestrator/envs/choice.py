"""Which Python an environment is built on, and why: both bounds of what the tap itself asks for count."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from packaging.version import Version

from orchestrator.envs.installed import Installed
from orchestrator.envs.interpreter import Interpreter, allows, find_interpreter, interpreters, ours
from orchestrator.envs.offer import Index, Offer
from orchestrator.envs.package import Package
from orchestrator.envs.workshop import Workshop
from orchestrator.errors import EnvironmentBroken


@dataclass(frozen=True, slots=True)
class Choice:
    """The Pythons to build on, the best first, and `why` that one. `offer` is the newest version of the tap that an
    index has for any Python here; None for what comes from elsewhere."""

    pythons: tuple[Interpreter, ...]
    why: str
    offer: Offer | None = None


@dataclass(frozen=True, slots=True)
class _Seen:
    """A tap before it is installed: on the Python that is preferred, and at its newest. What could not be found out is
    None."""

    package: Package
    preferred: Interpreter
    there: Offer | None
    newest: Offer | None
    tap: Installed | None

    @property
    def asks(self) -> str:
        """`tap-gitlab 1.0.1 asks for Python >=3.10`."""
        if self.tap is None or not self.tap.requires_python:
            return f"{self.package.text} asks for no Python"
        return f"{self.tap.name} {self.tap.version} asks for Python {self.tap.requires_python}"

    @property
    def is_older_there(self) -> bool:
        return self.there is not None and self.there != self.newest


def choose(shop: Workshop, preferred: Interpreter) -> Choice:
    """Chooses among the Pythons on this machine; `preferred` where the tap allows it, or the one that the recipe asks
    for. Notes what a person may not expect.

    Raises EnvironmentBroken when the Python that the recipe asks for is not here.
    """
    if shop.recipe.python:
        preferred = _asked_for(shop, shop.recipe.python)
    # What is only looked up is no part of the build, and does not belong in its log.
    index = Index(replace(shop.uv, log=None), shop.recipe)
    here = interpreters(index.uv)
    seen = _see(index, preferred, newest_python=here[0])
    if seen.is_older_there:
        _tell_of_the_other(shop, index, seen)
    if shop.recipe.python:
        return Choice((preferred,), "it was asked for", seen.newest)
    requires = seen.tap.requires_python if seen.tap else None
    fitting = tuple(each for each in dict.fromkeys((preferred, *here)) if allows(requires, each))
    if fitting and fitting[0] != preferred:
        why = f"{seen.asks}, and {_whose(preferred)} is {preferred.minor}"
        shop.note(f"Python {fitting[0].minor} is taken: {why}")
        return Choice(fitting, why, seen.newest)
    why = f"it is {_whose(preferred)}" + ("" if fitting else f"; {seen.asks}, which is not on this machine")
    return Choice(fitting or (preferred,), why, seen.newest)


def _asked_for(shop: Workshop, python: str) -> Interpreter:
    try:
        return find_interpreter(python, shop.uv)
    except EnvironmentBroken as error:
        error.hint = f"{error.hint} && {shop.advise(shop.recipe)}"
        raise


def _see(index: Index, preferred: Interpreter, newest_python: Interpreter) -> _Seen:
    package = Package.parse(index.recipe.package)
    with ThreadPoolExecutor() as asking:
        # Lower bounds alone count for the resolver, so the newest Python takes the newest version.
        there, newest = asking.map(lambda on: index.offer(package, on), (preferred, newest_python))
    if there is not None and newest is not None and Version(there.version) > Version(newest.version):
        newest = there
    on = preferred if there == newest else newest_python
    exactly = package if newest is None else package.at_version(newest.version)
    return _Seen(package, preferred, there, newest or there, index.describe(exactly, on))


def _tell_of_the_other(shop: Workshop, index: Index, seen: _Seen) -> None:
    """Says that the name is an older version, or another tap altogether, on the Python that is preferred."""
    assert seen.there is not None
    other = index.describe(seen.package.at_version(seen.there.version), seen.preferred)
    where = f"on Python {seen.preferred.minor}"
    if other and seen.tap and (other.author, other.library) != (seen.tap.author, seen.tap.library):
        shop.note(
            f"{where} the name {other.name} is another tap: {_in_words(other)}; the newest is {_in_words(seen.tap)}"
        )
    else:
        shop.note(f"{seen.asks}; {where} the name stands for {seen.there.version}")


def _in_words(tap: Installed) -> str:
    author = f" of {tap.author}" if tap.author else ""
    return f"{tap.version}{author}" + (f", written with {tap.library}" if tap.library else "")


def _whose(python: Interpreter) -> str:
    return "the one that orchestrator runs on" if python == ours() else "the one of the lock"
