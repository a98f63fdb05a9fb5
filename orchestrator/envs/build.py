"""From a lock to an environment that is known to start. It is built aside: nothing points to it yet."""

import contextlib
import time
from datetime import UTC, datetime
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from orchestrator import durable
from orchestrator.envs.about import write_about
from orchestrator.envs.installed import Installed, choose_command, find_installed
from orchestrator.envs.interpreter import Interpreter
from orchestrator.envs.lock import Lock, write_lock
from orchestrator.envs.package import Package
from orchestrator.envs.receipt import Receipt, finished, write_receipt
from orchestrator.envs.resolve import install_hint, python_that_fits
from orchestrator.envs.switch import remove_folder
from orchestrator.envs.trial import TrialFailed, start_once
from orchestrator.envs.uv import UvFailed, reason
from orchestrator.envs.workshop import UNCHANGED, Workshop
from orchestrator.errors import CannotBuild, DoesNotStart


def build(shop: Workshop, lock: Lock, on: Interpreter) -> Receipt:
    """Builds the environment of a lock and starts the tap in it once; one that was built before is taken as it is.

    Raises CannotBuild and DoesNotStart; then nothing is left of it.
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
        _install(shop, lock, on, folder)
        shop.step(f"Built envs/{shop.tap} on Python {on.minor}", started)
        started = time.monotonic()
        receipt = _try(shop, lock, on, folder)
        shop.step(f"Starts{_what_it_takes(receipt)}", started)
        write_lock(shop.paths.built_lock(shop.tap, environment), lock)
        write_receipt(shop.paths.built_receipt(shop.tap, environment), receipt)
    except BaseException:
        remove_folder(folder)
        with contextlib.suppress(OSError):
            folder.parent.rmdir()
        raise
    return receipt


def _install(shop: Workshop, lock: Lock, on: Interpreter, folder: Path) -> None:
    unhashed = lock.without_hash()
    for pin in unhashed:
        if pin.comes_from_a_registry:
            raise CannotBuild(
                f"the lock has no hash for {pin.text}", data=UNCHANGED, hint=f"orchestrator upgrade {shop.tap}"
            )
    pins = folder / "pins.txt"
    exclude_newer = lock.recipe.exclude_newer
    try:
        shop.uv.run("venv", "--no-project", "--python", on.path, folder)
        pins.write_text(lock.requirements)
        shop.uv.run(
            *("pip", "sync", pins, "--python", folder / "bin" / "python"),
            # uv checks every hash there is; asked to require them, it would refuse git and folders.
            *(() if unhashed else ("--require-hashes",)),
            *(("--exclude-newer", exclude_newer) if exclude_newer else ()),
        )
    except UvFailed as failure:
        raise CannotBuild(
            f"the environment of {lock.recipe.package} cannot be built on Python {on.minor}",
            cause=reason(failure.said),
            data=UNCHANGED,
            hint=install_hint(shop, on, failure.said),
        ) from failure
    pins.unlink()


def _try(shop: Workshop, lock: Lock, on: Interpreter, folder: Path) -> Receipt:
    installed = find_installed(folder, Package.parse(lock.recipe.package), shop.paths.root)
    executable = choose_command(installed, folder, lock.recipe.executable)
    try:
        tap = start_once(executable)
    except TrialFailed as failure:
        raise DoesNotStart(
            f"{installed.name} {installed.version} installs but does not start on Python {on.minor}",
            cause=failure.cause,
            data=UNCHANGED,
            hint=_start_hint(shop, lock, on, installed, failure),
        ) from failure
    if not _allows(installed, on):
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
        built_at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    )


def _start_hint(shop: Workshop, lock: Lock, on: Interpreter, installed: Installed, failure: TrialFailed) -> str:
    if failure.missing is not None and failure.missing not in lock.versions():
        return shop.instead(extras=(*shop.recipe.extras, failure.missing))
    fitting = failure.last_python
    if not _allows(installed, on):
        fitting = fitting or python_that_fits(f"requires Python {installed.requires_python}")
    if fitting is not None and fitting != on.minor:
        return shop.instead(python=fitting)
    return f"versions of its time may work together: {shop.instead(exclude_newer='YYYY-MM-DD')}"


def _allows(installed: Installed, on: Interpreter) -> bool:
    try:
        return SpecifierSet(installed.requires_python or "").contains(on.version, prereleases=True)
    except InvalidSpecifier:
        return True


def _what_it_takes(receipt: Receipt) -> str:
    takes = [
        *(["a catalog"] if receipt.takes("catalog") or receipt.takes("properties") else []),
        *(["a state"] if receipt.takes("state") else []),
    ]
    return f"; takes {' and '.join(takes)}" if takes else ""
