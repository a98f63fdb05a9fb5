"""Removes what lies in envs/ and no lock names: environments of before, of taps that are gone, and half-built ones."""

import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from orchestrator.actions.running import running_flows
from orchestrator.config import Config, read_config
from orchestrator.envs.bytecode import nobodys
from orchestrator.envs.lock import Lock, read_lock
from orchestrator.envs.receipt import finished, write_receipt
from orchestrator.envs.switch import receipt_or_none, remove_folder
from orchestrator.envs.workshop import alone
from orchestrator.errors import DamagedFile
from orchestrator.events import Listener, Note, nobody
from orchestrator.paths import Paths


@dataclass(frozen=True, slots=True)
class Leftover:
    """Something that no lock names; `path` starts at the workspace. `size` is what goes with it, in bytes: a file that
    is linked from elsewhere, too, takes no room of its own."""

    path: Path
    what: str
    size: int


def prune(paths: Paths, *, dry_run: bool = False, listen: Listener = nobody) -> tuple[Leftover, ...]:
    """Removes every leftover, or with `dry_run` only tells of them. What is in use stays, whatever its lock says by
    now; a rollback has nothing to go back to afterwards.

    Raises ConfigError; EnvironmentBroken when another process builds for too long.
    """
    config = read_config(paths.config)
    found: list[Leftover] = []
    for tap in _ever_built(paths):
        with alone(paths, tap, listen):
            for path, what in _left_of(paths, config, tap, listen):
                found.append(Leftover(path.relative_to(paths.root), what, _size(path)))
                if not dry_run:
                    _remove(path)
            if not dry_run:
                _forget_before(paths, tap)
    # Compiled modules are nobody's once the environments are gone that they were linked into.
    if compiled := nobodys(paths.bytecode, [paths.root / each.path for each in found]):
        freed = sum(path.stat().st_blocks * 512 for path in compiled)
        found.append(Leftover(paths.bytecode.relative_to(paths.root), "compiled for no environment", freed))
        for path in () if dry_run else compiled:
            path.unlink()
    return tuple(found)


def _ever_built(paths: Paths) -> list[str]:
    """The names of taps that something in envs/ is of, beside their locks."""
    built = [folder.name for folder in paths.envs.glob("[!.]*") if folder.is_dir()]
    failed = [log.name[1 : -len(".log")] for log in paths.envs.glob(".*.log")]
    return sorted({*built, *failed})


def _left_of(paths: Paths, config: Config, tap: str, listen: Listener) -> Iterator[tuple[Path, str]]:
    if (log := paths.build_log_aside(tap)).exists():
        yield log, "what was said when it could not be built"
    builds = paths.builds(tap)
    if not builds.is_dir():
        return
    if tap in config.taps and running_flows(paths, config, tap):
        listen(Note(f'a flow of tap "{tap}" is running: its environments stay'))
        return
    try:
        lock = read_lock(paths.lock(tap))
    except DamagedFile as damaged:
        listen(Note(f"{damaged.message}: its environments stay"))
        return
    if lock is None and tap not in config.taps:
        yield builds, "of a tap that is gone"
        return
    in_use = receipt_or_none(paths, tap)
    for folder in sorted(each for each in builds.iterdir() if each.is_dir()):
        is_in_use = in_use is not None and folder.name == in_use.environment
        if not is_in_use and (lock is None or _built_from(paths, tap, folder) != lock):
            yield folder, "not in use any more" if finished(paths, tap, folder.name) else "never finished, or not whole"


def _built_from(paths: Paths, tap: str, folder: Path) -> Lock | None:
    try:
        return read_lock(paths.built_lock(tap, folder.name))
    except DamagedFile:
        return None


def _forget_before(paths: Paths, tap: str) -> None:
    """A receipt that names an environment which is gone promises a way back that leads nowhere."""
    receipt = receipt_or_none(paths, tap)
    if receipt and receipt.previous and not paths.build(tap, receipt.previous).exists():
        write_receipt(paths.receipt(tap), replace(receipt, previous=None))


def _size(path: Path) -> int:
    found = [each.lstat() for each in (path, *path.rglob("*"))]
    return sum(each.st_blocks * 512 for each in found if stat.S_ISDIR(each.st_mode) or each.st_nlink == 1)


def _remove(path: Path) -> None:
    if path.is_dir():
        remove_folder(path)
    else:
        path.unlink()
