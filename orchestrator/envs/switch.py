"""Another environment comes into use, and older ones go. Replacing the receipt is the moment."""

import contextlib
import shutil
from dataclasses import replace
from pathlib import Path

from orchestrator.envs.lock import Lock, read_lock, write_lock
from orchestrator.envs.receipt import Receipt, finished, in_use, read_receipt, write_receipt
from orchestrator.errors import DamagedFile, EnvironmentBroken, UsageError
from orchestrator.paths import Paths


def put_in_use(paths: Paths, tap: str, lock: Lock, receipt: Receipt) -> Receipt:
    """Writes the lock file and points the receipt at a finished environment; the one in use until now is kept.

    A crash between the two leaves a lock that is newer than the environment; `orchestrator install` follows it.
    """
    before = receipt_or_none(paths, tap)
    if before is None:
        previous = None
    else:
        previous = before.previous if before.environment == receipt.environment else before.environment
    now = replace(receipt, previous=previous)
    if lock_or_none(paths, tap) != lock:
        write_lock(paths.lock(tap), lock)
    write_receipt(paths.receipt(tap), now)
    return now


def go_back(paths: Paths, tap: str) -> tuple[Receipt, Receipt, Lock]:
    """Puts the environment before this one in use again, with its lock.

    Returns the receipt that was left, and receipt and lock that are in use now.
    Raises UsageError when there was none before, EnvironmentBroken when it is gone; NotInstalled, DamagedFile.
    """
    # The one in use may well be broken; without any, in_use says what to do.
    left = read_receipt(paths.receipt(tap)) or in_use(paths, tap)
    if left.previous is None:
        raise UsageError(
            f'the environment of tap "{tap}" is the only one it ever had',
            data=f"{left.package} {left.version} stays in use",
            hint=f"orchestrator upgrade {tap}",
        )
    before = finished(paths, tap, left.previous)
    lock = read_lock(paths.built_lock(tap, left.previous))
    if before is None or lock is None:
        raise EnvironmentBroken(
            f'the environment that tap "{tap}" had before cannot be run any more',
            cause=f"{paths.build(tap, left.previous)} is not whole",
            data=f"{left.package} {left.version} stays in use",
            hint=f"set the version in orchestrator.toml, then: orchestrator upgrade {tap}",
        )
    return left, put_in_use(paths, tap, lock, before), lock


def sweep(paths: Paths, tap: str) -> None:
    """Removes what is neither in use nor kept to go back to. Only for who holds the workshop of the tap."""
    receipt = receipt_or_none(paths, tap)
    kept = {receipt.environment, receipt.previous} if receipt else set()
    for folder in paths.builds(tap).iterdir():
        if folder.is_dir() and folder.name not in kept:
            remove_folder(folder)


def remove_build(paths: Paths, tap: str, environment: str) -> None:
    """Removes an environment that nothing points to, and the folder of the tap with the last one."""
    remove_folder(paths.build(tap, environment))
    with contextlib.suppress(OSError):
        paths.builds(tap).rmdir()


def remove_folder(folder: Path) -> None:
    """Removes a folder, if it is there, with all that is in it."""
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)


def receipt_or_none(paths: Paths, tap: str) -> Receipt | None:
    """What the receipt says; None also when it is damaged, for who is about to replace it."""
    with contextlib.suppress(DamagedFile):
        return read_receipt(paths.receipt(tap))
    return None


def lock_or_none(paths: Paths, tap: str) -> Lock | None:
    """What the lock says; None also when it is damaged, for who is about to replace it."""
    with contextlib.suppress(DamagedFile):
        return read_lock(paths.lock(tap))
    return None
