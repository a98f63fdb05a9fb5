"""What a person may do about a failure when no remedy was found."""

import re
from dataclasses import replace

from orchestrator.envs.failure import Failure
from orchestrator.envs.interpreter import Interpreter, allows, interpreters
from orchestrator.envs.known import last_python, missing_in_the_system
from orchestrator.envs.lock import Lock
from orchestrator.envs.offer import Index
from orchestrator.envs.package import Package
from orchestrator.envs.remedies import is_missing_something, what_cannot_be_built
from orchestrator.envs.uv import as_typed
from orchestrator.envs.workshop import Workshop

PYTHONS = ("3.14", "3.13", "3.12", "3.11", "3.10", "3.9", "3.8", "3.7", "3.6")
"""What a person may be told to install, the newest first."""

_ASKS_FOR = re.compile(r"Python ?((?:[<>=!~]=?[\d.*]+,? ?)+)")


def hint_for(shop: Workshop, failure: Failure) -> str:
    """The next move, which no program can make."""
    if package := missing_in_the_system(failure.said):
        return f"sudo apt-get install {package} && {shop.advise(shop.recipe)}"
    if shop.recipe.no_build:
        return shop.instead(no_build=False)
    here = interpreters(shop.uv)
    if python := _python_to_install(failure, here) or _python_with_wheels(shop, failure, here):
        return f"{as_typed('python', 'install', python)} && {shop.instead(python=python)}"
    if is_missing_something(failure):
        return f"if you know what brings it: {shop.instead(extras=(*shop.recipe.extras, 'PACKAGE'))}"
    if shop.recipe.exclude_newer is None:
        return f"versions of its time may work together: {shop.instead(exclude_newer='YYYY-MM-DD')}"
    return f"less {shop.log}"


def hint_for_locked(shop: Workshop, lock: Lock, failure: Failure) -> str:
    """The next move when a lock is not to be changed: what worked where it was made lacks something here."""
    if package := missing_in_the_system(failure.said):
        return f"sudo apt-get install {package} && orchestrator install"
    if failure.on.minor != lock.python:
        return f"{as_typed('python', 'install', lock.python)} && orchestrator install"
    return f"orchestrator upgrade {shop.tap}"


def _python_to_install(failure: Failure, here: tuple[Interpreter, ...]) -> str | None:
    """The newest Python that a failure asks for; None when it asks for none, or for one that is here."""
    asked = [each.strip(" ,") for each in _ASKS_FOR.findall(failure.cause)]
    if last := last_python(failure.cause):
        asked.append(f"<={last}.99")
    wanted = ",".join(filter(None, [*asked, failure.requires_python]))
    if not wanted or any(allows(wanted, python) for python in here):
        return None
    # The last patch that there will ever be: bounds are about minor versions.
    return next((minor for minor in PYTHONS if allows(wanted, Interpreter("", f"{minor}.99"))), None)


def _python_with_wheels(shop: Workshop, failure: Failure, here: tuple[Interpreter, ...]) -> str | None:
    """The newest Python, of those that are not here, on which nothing has to be built that cannot be built."""
    index = Index(replace(shop.uv, log=None), shop.recipe)
    broken = [Package.parse(f"{each.name}=={each.version}") for each in what_cannot_be_built(failure) if each.version]
    if not broken:
        return None
    others = [minor for minor in PYTHONS if minor not in {each.minor for each in here}]
    pythons = [Interpreter("", f"{minor}.99") for minor in others]
    allowed = (each for each in pythons if allows(failure.requires_python, each))
    fitting = (each for each in allowed if all(index.is_ready_made(package, each) for package in broken))
    return next((each.minor for each in fitting), None)
