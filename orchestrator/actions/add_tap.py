"""Adds a tap: from what a person typed to a tap that starts, and a flow that carries its rows."""

import datetime
import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from orchestrator.actions.building import surroundings_of
from orchestrator.config import Config, editing, read_config
from orchestrator.config.problems import ID
from orchestrator.config.values import beginning_of_variables
from orchestrator.envs.lock import Lock, read_lock
from orchestrator.envs.make import Agree, make, never
from orchestrator.envs.package import Package, default_id
from orchestrator.envs.receipt import Receipt, in_use
from orchestrator.envs.recipe import Recipe, add_tap_command, as_written, fingerprint, recipe_of
from orchestrator.envs.switch import put_in_use
from orchestrator.envs.workshop import workshop
from orchestrator.errors import UsageError
from orchestrator.events import Listener, nobody
from orchestrator.paths import Paths

DEFAULT_DESTINATION = "warehouse"


@dataclass(frozen=True, slots=True)
class TapAdded:
    """A tap that was added. `dependencies` counts the packages beside it, `author` is what its metadata says, and `why`
    says why it runs on this Python."""

    id: str
    flow: str
    destination: str
    package: str
    version: str
    author: str | None
    python: str
    why: str | None
    dependencies: int
    capabilities: tuple[str, ...]
    executable: str
    lock: Path


def add_tap(
    paths: Paths,
    requirement: str,
    *,
    id: str | None = None,
    python: str | None = None,
    extras: Sequence[str] = (),
    overrides: Sequence[str] = (),
    exclude_newer: str | None = None,
    build_constraints: Sequence[str] = (),
    no_build: bool = False,
    executable: str | None = None,
    destination: str | None = None,
    fix: Agree = never,
    listen: Listener = nobody,
) -> TapAdded:
    """Resolves, builds and tries out a tap, and only then adds it and a flow of the same name to orchestrator.toml.

    Where it fails, remedies are tried, and `fix` is asked whether the tap shall be added with the first that works.
    Relative paths are meant from the current folder. Raises UsageError, UnknownName for `destination`, ConfigError;
    CannotResolve, CannotBuild, DoesNotStart, and EnvironmentBroken when there is no such Python.
    """
    config = read_config(paths.config)
    here = Path.cwd()
    package = Package.parse(requirement).typed_in(here, paths.root)
    recipe = Recipe(
        package=package.text,
        python=os.path.abspath(os.path.expanduser(python)) if python and os.sep in python else python,
        extras=_as_written(extras, here, paths.root),
        overrides=_as_written(overrides, here, paths.root),
        build_constraints=_as_written(build_constraints, here, paths.root),
        no_build=no_build,
        exclude_newer=_moment(exclude_newer),
        executable=executable,
        project=fingerprint(package, paths.root),
    )
    options = (*(("--as", id) if id else ()), *(("--to", destination) if destination else ()))
    tap = _free_id(id or default_id(package, paths.root), config, package, requirement)
    destination = _destination(destination, config)

    def advise(instead: Recipe) -> str:
        return add_tap_command(instead, more=options)

    with workshop(paths, tap, recipe, advise=advise, around=surroundings_of(paths, recipe), listen=listen) as shop:
        if (added := read_config(paths.config).taps.get(tap)) and recipe_of(added, paths.root) == recipe:
            # Who waited for another process to add the very same finds it done.
            return _told(paths, tap, destination, in_use(paths, tap), read_lock(paths.lock(tap)))
        made = make(shop, fix)
        receipt = put_in_use(paths, tap, made.lock, made.receipt)
        editing.add_tap(paths.config, tap, as_written(made.recipe), flow=tap, destination=destination)
        return _told(paths, tap, destination, receipt, made.lock)


def _free_id(id: str, config: Config, package: Package, requirement: str) -> str:
    add = f"orchestrator add-tap {shlex.quote(requirement)} --as"
    if not ID.fullmatch(id):
        raise UsageError(
            f'a tap cannot be called "{id}"',
            cause="a name has 1 to 63 of a-z, 0-9, - and _, and starts with a letter or digit",
            hint=f"{add} NAME",
        )
    taken = {*config.taps, *config.flows}
    hint = f"{add} {next(name for number in count(2) if (name := f'{id}-{number}') not in taken)}"
    if there := config.taps.get(id):
        if package.name and package.name == Package.parse(there.package).name:
            hint += f", or orchestrator upgrade {id} for a newer version"
        raise UsageError(f'there is a tap "{id}" already', cause=f"it is {there.package}", hint=hint)
    if id in config.flows:
        raise UsageError(f'there is a flow "{id}" already', hint=hint)
    variables = beginning_of_variables(id)
    if other := next((each for each in config.taps if beginning_of_variables(each) == variables), None):
        raise UsageError(f'the variables {variables}… are those of tap "{other}"', hint=hint)
    return id


def _destination(asked: str | None, config: Config) -> str:
    if asked is not None:
        return config.destination(asked).id
    if len(config.destinations) == 1:
        return next(iter(config.destinations))
    if DEFAULT_DESTINATION in config.destinations:
        return DEFAULT_DESTINATION
    raise UsageError(
        "where shall the rows go?",
        cause=f"the destinations are {', '.join(config.destinations)}"
        if config.destinations
        else "orchestrator.toml has no destination",
        hint="--to DESTINATION" if config.destinations else "add a [destinations.warehouse] to orchestrator.toml",
    )


def _as_written(requirements: Sequence[str], here: Path, root: Path) -> tuple[str, ...]:
    return tuple(Package.parse(text).typed_in(here, root).text for text in requirements)


def _moment(exclude_newer: str | None) -> str | None:
    if exclude_newer is not None:
        try:
            datetime.datetime.fromisoformat(exclude_newer)
        except ValueError as error:
            raise UsageError(
                f'"{exclude_newer}" is not a date', cause=str(error), hint="--exclude-newer 2021-06-01"
            ) from error
    return exclude_newer


def _told(paths: Paths, tap: str, destination: str, receipt: Receipt, lock: Lock | None) -> TapAdded:
    return TapAdded(
        id=tap,
        flow=tap,
        destination=destination,
        package=receipt.package,
        version=receipt.version,
        author=receipt.author,
        python=receipt.python_version,
        why=receipt.why,
        dependencies=lock.dependencies if lock else 0,
        capabilities=receipt.capabilities,
        executable=receipt.executable,
        lock=paths.lock(tap),
    )
