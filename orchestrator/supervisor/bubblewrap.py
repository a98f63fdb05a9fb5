"""bubblewrap: a tap has a file system of its own, and no other processes to see. See bwrap(1)."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from orchestrator.errors import ConfigError
from orchestrator.supervisor.sandbox import Allowed

_OWN = ("/proc", "/dev")
"""What it makes anew: of the tap's processes alone, and with no device but those that every program may need."""
_APART = ("--unshare-pid", "--unshare-ipc", "--die-with-parent")
_NOT_THERE = "there is no bwrap on the PATH"
_SLOWEST_TRIAL = 10.0
"""Seconds."""


def enclosing(allowed: Allowed, folder: Path | None = None) -> tuple[str, ...]:
    """What goes before a command, so that nothing is there for it but what is `allowed`. It runs in `folder`, of which
    it sees no more for that.

    Whoever is started by it ends with it, and it with whom it was started by. Its exit code is that of the command.
    Raises ConfigError where there is no bwrap.
    """
    binary = shutil.which("bwrap")
    if binary is None:
        raise ConfigError(
            "a sandbox that was asked for is not there", cause=_NOT_THERE, hint="sudo apt-get install bubblewrap"
        )
    place = () if folder is None else ("--dir", str(folder), "--chdir", str(folder))
    # What is in none of these would be a file system in memory.
    return (binary, *_APART, *_mounts(allowed), *place, "--remount-ro", "/", "--")


def flaw_of_bubblewrap() -> str | None:
    """Why nothing can be enclosed here; None: it can."""
    if shutil.which("bwrap") is None:
        return _NOT_THERE
    trial = (*enclosing(Allowed(reads=(Path("/"),))), "true")
    try:
        tried = subprocess.run(trial, capture_output=True, text=True, timeout=_SLOWEST_TRIAL)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if tried.returncode == 0:
        return None
    return tried.stderr.partition("\n")[0] or f"bwrap ended with exit code {tried.returncode}"


def _mounts(allowed: Allowed) -> Iterator[str]:
    # What is mounted later hides what lies below its place, so what may be written stays so wherever it is named.
    written = [Path(os.path.realpath(path)) for path in allowed.writes]

    def bound(path: Path) -> str:
        real = Path(os.path.realpath(path))
        return "--bind-try" if any(real.is_relative_to(each) for each in written) else "--ro-bind-try"

    how = dict.fromkeys(allowed.lists, "--dir")
    how |= {path: bound(path) for path in (*allowed.runs, *allowed.reads, *allowed.writes)}
    if option := how.pop(Path("/"), None):
        yield from (option, "/", "/")
    yield from ("--proc", "/proc", "--dev", "/dev")
    for path in sorted(how, key=lambda path: len(path.parts)):
        if not any(path.is_relative_to(own) for own in _OWN):
            yield from (how[path], str(path), str(path))[: 2 if how[path] == "--dir" else 3]
