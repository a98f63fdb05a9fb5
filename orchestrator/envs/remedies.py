"""What might mend a failure: changes of the recipe, in the order in which they are tried.

What is installed beside the tap goes before another Python, that before an older date, and that before versions that
nobody asked for: the first that starts is the one that bends the tap's own word least.
"""

import datetime
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Self

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from orchestrator.envs.failure import Failure, Stage
from orchestrator.envs.interpreter import Interpreter, allows
from orchestrator.envs.known import BROUGHT_BY, GONE, INSTEAD, built_with, last_python
from orchestrator.envs.package import Package
from orchestrator.envs.recipe import Recipe

SUSPECTS = 3
"""How many packages on the way to an exception are taken for its reason, the innermost first."""

STEPS_BACK = 2
"""How many major versions back are tried of a package that may be too new."""

_DAY = datetime.timedelta(days=1)
_MODULE = re.compile(r"No module named '([\w.]+)'")
_DISTRIBUTION = re.compile(
    r"The '([\w.-]+)[^']*' distribution was not found|No package metadata was found for ([\w.-]+)"
    r"|(?:pip|conda) install ['\"`]?([\w.-]+)|Missing optional dependency '([\w.-]+)'"
)
_NAMED = re.compile(
    r"No module named '(\w+)|from '(\w+)|module '(\w+)[\w.]*' has no attribute"
    # What was compiled for an earlier version of another package.
    r"|\b(\w+)\.[\w.]+ (?:size changed, may indicate binary incompatibility|failed to import)"
)
_FRAME = re.compile(r'File "[^"]*site-packages/(\w+)')
_FAILED_BUILD = re.compile(r"[Ff]ailed to (?:download and )?build `([\w.-]+?)(?:==([^`]+))?`")
_DEPENDS_ON = re.compile(r"depends? on ([\w.-]+?)(?:\[[^\]]*\])?[<>=!~]")


@dataclass(frozen=True, slots=True)
class Remedy:
    """Changes of a recipe: fields, and what each is set to or gets added."""

    changes: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, **changes: str) -> Self:
        return cls(tuple(changes.items()))

    def to(self, recipe: Recipe) -> Recipe:
        """The recipe with the changes; of a package that was named before, only the new requirement is left."""
        changed: dict[str, Any] = {}
        for field, value in self.changes:
            match getattr(recipe, field):
                case tuple(already):
                    changed[field] = (*(each for each in already if _name(each) != _name(value)), value)
                case _:
                    changed[field] = value
        return replace(recipe, **changed)


@dataclass(frozen=True, slots=True)
class Around:
    """What remedies are made of: the Pythons here, the day when the tap was released, the newest version that an index
    has of a package, and whether it has a version ready-made for a Python. None is what is not known."""

    pythons: tuple[Interpreter, ...]
    released: datetime.date | None
    newest: Callable[[str], str | None]
    is_ready_made: Callable[[str, str, Interpreter], bool]


@dataclass(frozen=True, slots=True)
class Suspect:
    """A package that may not fit, and its version, where that is known."""

    name: str
    version: str | None

    @property
    def parsed(self) -> Version | None:
        return _parsed(self.version)

    @property
    def bounds_below(self) -> list[str]:
        """What its version may have to stay below: its major version, and those before."""
        now = self.parsed
        if now is None:
            return []
        if now.major == 0:
            return [f"0.{now.minor}"] if now.minor else []
        return [str(major) for major in range(now.major, max(now.major - STEPS_BACK, 0), -1)]


def remedies(failure: Failure, recipe: Recipe, around: Around) -> Iterator[Remedy]:
    """What to try of a recipe that failed so."""
    match failure.stage:
        case Stage.START:
            suspects = [*dict.fromkeys([*_named(failure), *_passed(failure)])]
            yield from what_is_missing(failure)
            yield from what_is_too_new(failure)
            yield from _on(_pythons(failure, around))
            yield from _dates(recipe, around)
            yield from _newer(suspects, around)
            yield from _older("overrides", suspects)
        case Stage.BUILD:
            broken = what_cannot_be_built(failure)
            promising, others = _by_promise(failure, broken, around)
            yield from _others("extras", broken)
            yield from _on(promising)
            yield from _dates(recipe, around)
            yield from _newer(broken, around)
            yield from _others("overrides", broken)
            yield from (Remedy.of(build_constraints=each) for each in built_with(failure.said))
            yield from _in_its_place(broken)
            yield from _on(others)
        case Stage.RESOLVE:
            yield from _on(_pythons(failure, around))
            yield from _dates(recipe, around)
            yield from (Remedy.of(overrides=each.name) for each in _in_conflict(failure))


def is_missing_something(failure: Failure) -> bool:
    """Whether a tap does not start because a module or distribution is not there that Python itself never had."""
    return last_python(failure.cause) is None and bool(
        _MODULE.search(failure.cause) or _DISTRIBUTION.search(failure.cause)
    )


def what_is_missing(failure: Failure) -> Iterator[Remedy]:
    """What brings a module or a distribution that was not found, and that nothing installed brings."""
    if named := _DISTRIBUTION.search(failure.cause):
        name = next(filter(None, named.groups()))
        if canonicalize_name(name) not in failure.versions:
            yield Remedy.of(extras=name)
    if missing := _MODULE.search(failure.cause):
        yield from _that_bring(missing[1], failure)


def what_is_too_new(failure: Failure) -> Iterator[Remedy]:
    """Earlier versions of the packages that a failure names."""
    return _older("extras", _named(failure))


def _that_bring(module: str, failure: Failure) -> Iterator[Remedy]:
    top, *below = module.split(".")
    paths = [".".join((top, *below[:depth])) for depth in range(len(below), -1, -1)]
    if known := next((path for path in paths if path in BROUGHT_BY), None):
        yield Remedy.of(extras=BROUGHT_BY[known])
    elif top not in failure.modules and not any(top in gone.modules for gone in GONE):
        yield Remedy.of(extras=top)
    elif len(failure.modules.get(top, ())) > 1:
        # Parts of a namespace are called after the whole path: google.cloud.storage is in google-cloud-storage.
        for path in paths[:-1]:
            yield Remedy.of(extras=path.replace(".", "-"))


def _named(failure: Failure) -> list[Suspect]:
    """The packages whose modules the cause names."""
    if last_python(failure.cause) is not None:
        return []
    return _suspects(failure, [next(filter(None, each)) for each in _NAMED.findall(failure.cause)])


def _passed(failure: Failure) -> list[Suspect]:
    """The packages that the exception passed on its way up, the innermost first."""
    last_traceback = failure.said.rpartition("Traceback (most recent call last)")[2]
    return _suspects(failure, [*reversed(_FRAME.findall(last_traceback))])


def _suspects(failure: Failure, modules: list[str]) -> list[Suspect]:
    names = dict.fromkeys(name for module in modules for name in failure.modules.get(module, ()))
    return [Suspect(name, failure.versions.get(name)) for name in names if name != failure.package][:SUSPECTS]


def what_cannot_be_built(failure: Failure) -> list[Suspect]:
    """The packages that cannot be built."""
    found = [(canonicalize_name(name), version) for name, version in _FAILED_BUILD.findall(failure.said)]
    return [Suspect(name, version or failure.versions.get(name)) for name, version in found if name != failure.package]


def _in_conflict(failure: Failure) -> list[Suspect]:
    """The packages that others want in versions that do not go together."""
    names = dict.fromkeys(map(canonicalize_name, _DEPENDS_ON.findall(failure.cause)))
    return [Suspect(name, None) for name in names if name not in (failure.package, "python")]


def _pythons(failure: Failure, around: Around) -> list[Interpreter]:
    """The other Pythons that the tap allows: the nearest older one first, then newer ones. What Python itself once had
    leads to those that have it."""
    last = last_python(failure.cause)
    others = [each for each in around.pythons if each.minor != failure.on.minor]
    older = [each for each in others if each.age < failure.on.age]
    newer = [each for each in reversed(others) if each.age > failure.on.age]
    return [
        python
        for python in (*older, *newer)
        if allows(failure.requires_python, python) and (last is None or python.age <= _age(last))
    ]


def _by_promise(failure: Failure, broken: list[Suspect], around: Around) -> tuple[list[Interpreter], list[Interpreter]]:
    """The other Pythons on which a package may well not fail as it does here, and the rest."""
    pythons = _pythons(failure, around)
    if not broken or last_python(failure.cause) is not None:
        return pythons, []

    # What can be built on none of two Pythons can seldom be built on a third; but there it may not have to be.
    promising = [
        each
        for each in pythons
        if each is pythons[0] or all(around.is_ready_made(it.name, it.version or "", each) for it in broken)
    ]
    return promising, [each for each in pythons if each not in promising]


def _on(pythons: Iterable[Interpreter]) -> Iterator[Remedy]:
    return (Remedy.of(python=python.minor) for python in pythons)


def _dates(recipe: Recipe, around: Around) -> Iterator[Remedy]:
    """The day after the tap was released, when nothing was too new for it."""
    if recipe.exclude_newer is None and around.released is not None:
        yield Remedy.of(exclude_newer=(around.released + _DAY).isoformat())


def _older(field: str, suspects: list[Suspect]) -> Iterator[Remedy]:
    """Versions of before the last major ones."""
    for each in suspects:
        for bound in each.bounds_below:
            yield Remedy.of(**{field: f"{each.name}<{bound}"})


def _newer(suspects: list[Suspect], around: Around) -> Iterator[Remedy]:
    """The newest version of the same major one, then the newest of all; whatever others ask for."""
    for each in suspects:
        newest, now = _parsed(around.newest(each.name)), each.parsed
        if newest is None or now is None or newest <= now:
            continue
        if newest.major > now.major:
            yield Remedy.of(overrides=f"{each.name}>{now},<{now.major + 1}")
        yield Remedy.of(overrides=f"{each.name}>{now}")


def _others(field: str, broken: list[Suspect]) -> Iterator[Remedy]:
    """A version before the one that cannot be built: it may have come ready-made."""
    for each in broken:
        if each.version:
            yield Remedy.of(**{field: f"{each.name}<{each.version}"})


def _in_its_place(broken: list[Suspect]) -> Iterator[Remedy]:
    for each in broken:
        for known in INSTEAD:
            if known.package == each.name:
                # A marker that is never true takes a package out, whoever asks for it.
                yield Remedy.of(extras=known.by, overrides=f"{each.name}; python_version < '0'")


def _parsed(version: str | None) -> Version | None:
    try:
        return Version(version or "")
    except InvalidVersion:
        return None


def _age(minor: str) -> tuple[int, ...]:
    return tuple(map(int, minor.split(".")))


def _name(requirement: str) -> str:
    return Package.parse(requirement).name or requirement
