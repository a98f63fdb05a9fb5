"""From a lock to an environment that is known to start. It is built aside: nothing points to it yet."""

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from orchestrator import durable
from orchestrator.clock import rfc3339
from orchestrator.envs.about import write_about
from orchestrator.envs.bytecode import Bytecode
from orchestrator.envs.failure import Failed, Failure, Stage
from orchestrator.envs.installed import choose_command, find_installed, modules_in, versions_in
from orchestrator.envs.interpreter import Interpreter, allows
from orchestrator.envs.lock import Lock, write_lock
from orchestrator.envs.offer import how_to_fetch
from orchestrator.envs.package import Package
from orchestrator.envs.receipt import Receipt, finished, write_receipt
from orchestrator.envs.recipe import Recipe
from orchestrator.envs.resolve import cannot_fetch, network_failed
from orchestrator.envs.switch import remove_build, remove_folder
from orchestrator.envs.trial import TrialFailed, start_once
from orchestrator.envs.uv import UvFailed, reason
from orchestrator.envs.venv import make_venv
from orchestrator.envs.workshop import UNCHANGED, Workshop
from orchestrator.errors import CannotBuild


def build(shop: Workshop, lock: Lock, on: Interpreter, *, why: str | None = None, as_of: str | None = None) -> Receipt:
    """Builds the environment of a lock and starts the tap in it once; one that was built before is taken as it is.
    `why` says why on this Python. What has to be built is built with tools of the day `as_of`, where the index knows
    days.

    Raises Failed for what another recipe may mend, CannotBuild and DoesNotStart for what none can; then nothing is
    left of it.
    """
    environment = lock.environment(on.path)
    if built := finished(shop.paths, shop.tap, environment):
        return built
    folder = shop.paths.build(shop.tap, environment)
    # What stands there without a receipt was killed half-way.
    remove_folder(folder)
    durable.make_folder(folder.parent)
    try:
        started = time.monotonic()
        _install(shop, lock, on, folder, as_of)
        shop.step(f"Built envs/{shop.tap} on Python {on.minor}", started)
        bytecode = Bytecode(shop.paths.bytecode / on.minor, on)
        bytecode.lend(folder)
        started = time.monotonic()
        receipt = replace(_try(shop, lock, on, folder), why=why)
        bytecode.gather(folder)
        shop.step(f"Starts{_what_it_takes(receipt)}", started)
        write_lock(shop.paths.built_lock(shop.tap, environment), lock)
        os.replace(shop.log, shop.paths.build_log(shop.tap, environment))
        write_receipt(shop.paths.built_receipt(shop.tap, environment), receipt)
    except BaseException:
        remove_build(shop.paths, shop.tap, environment)
        raise
    return receipt


def _install(shop: Workshop, lock: Lock, on: Interpreter, folder: Path, as_of: str | None) -> None:
    unhashed = lock.without_hash()
    for pin in unhashed:
        if pin.comes_from_a_registry:
            raise CannotBuild(
                f"the lock has no hash for {pin.text}", data=UNCHANGED, hint=f"orchestrator upgrade {shop.tap}"
            )
    pins, constraints = folder / "pins.txt", folder / "build.txt"
    sync = (
        *("pip", "sync", pins, "--python", folder / "bin" / "python", "--build-constraints", constraints),
        # uv checks every hash there is; asked to require them, it would refuse git and folders.
        *(() if unhashed else ("--require-hashes",)),
    )
    try:
        make_venv(shop.uv, on, folder)
        pins.write_text(lock.requirements)
        constraints.write_text("".join(f"{each}\n" for each in lock.recipe.build_constraints))
        _sync(shop, lock.recipe, sync, as_of)
    except UvFailed as failure:
        raise _explained(shop, lock, on, failure.said) from failure
    pins.unlink()
    constraints.unlink()


def _sync(shop: Workshop, recipe: Recipe, sync: Sequence[str | Path], as_of: str | None) -> None:
    dated = replace(recipe, exclude_newer=recipe.exclude_newer or as_of)
    try:
        shop.uv.run(*sync, *how_to_fetch(dated))
    except UvFailed:
        if dated == recipe:
            raise
        # To an index that knows no days, everything is newer.
        shop.uv.run(*sync, *how_to_fetch(recipe))


def _explained(shop: Workshop, lock: Lock, on: Interpreter, said: str) -> Failed | CannotBuild:
    cause = reason(said)
    what = f"the environment of {lock.recipe.package} cannot be built on Python {on.minor}"
    if "Hash mismatch" in said:
        hint = f"what is fetched is not what was locked; if it is to be trusted: orchestrator upgrade {shop.tap}"
        return CannotBuild(what, cause=cause, data=UNCHANGED, hint=hint)
    if network_failed(said):
        return cannot_fetch(lock, cause)
    return Failed(Failure(Stage.BUILD, what, cause, said, on, Package.parse(lock.recipe.package).name, lock.versions()))


def _try(shop: Workshop, lock: Lock, on: Interpreter, folder: Path) -> Receipt:
    installed = find_installed(folder, Package.parse(lock.recipe.package), shop.paths.root)
    executable = choose_command(installed, folder, lock.recipe.executable)
    try:
        tap = start_once(executable, shop.around)
    except TrialFailed as failure:
        shop.keep(failure.said)
        raise Failed(
            Failure(
                Stage.START,
                f"{installed.name} {installed.version} installs but does not start on Python {on.minor}",
                failure.cause,
                failure.said,
                on,
                installed.name,
                versions=versions_in(folder),
                modules=modules_in(folder),
                requires_python=installed.requires_python,
            )
        ) from failure
    if not allows(installed.requires_python, on):
        shop.note(
            f"{installed.name} {installed.version} asks for Python {installed.requires_python}; "
            f"it starts on {on.minor} all the same"
        )
    if tap.about is not None:
        write_about(shop.paths.built_about(shop.tap, folder.name), tap.about)
    return Receipt(
        environment=folder.name,
        package=installed.name,
        version=installed.version,
        author=installed.author,
        executable=str(executable),
        python=on.path,
        python_version=on.version,
        capabilities=tap.capabilities,
        built_at=rfc3339(),
    )


def _what_it_takes(receipt: Receipt) -> str:
    takes = [
        *(["a catalog"] if receipt.takes("catalog") or receipt.takes("properties") else []),
        *(["a state"] if receipt.takes("state") else []),
    ]
    return f"; takes {' and '.join(takes)}" if takes else ""
