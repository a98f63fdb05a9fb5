"""bubblewrap: a tap has a file system of its own, and no other processes to see. See bwrap(1)."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from orchestrator.supervisor.sandbox import Allowed

_OWN = ("/proc", "/dev")
"""What it makes anew: of the tap's processes alone, and with no device but those that every program may need."""
_APART = ("--unshare-pid", "--unshare-ipc", "--die-with-parent")
_SLOWEST_TRIAL = 10.0


def enclosing(allowed: Allowed, folder: Path | None = None) -> tuple[str, ...]:
    """What goes before a command, so that nothing is there for it but what is `allowed`. It runs in `folder`, of which
    it sees no more for that.

    Whoever is started by it ends with it, and it with whom it was started by. Its exit code is that of the command.
    """
    binary = shutil.which("bwrap")
    assert binary is not None
    place = () if folder is None else ("--dir", str(folder), "--chdir", str(folder))
    # What is in none of these would be a file system in memory.
    return (binary, *_APART, *_mounts(allowed), *place, "--remount-ro", "/", "--")


def flaw_of_bubblewrap() -> str | None:
    """Why nothing can be enclosed here; None: it can."""
    if shutil.which("bwrap") is None:
        return "there is no bwrap on the PATH"
    trial = (*enclosing(Allowed(reads=(Path("/"),))), "/bin/true")
    try:
        tried = subprocess.run(trial, capture_output=True, text=True, timeout=_SLOWEST_TRIAL)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    said = [*tried.stderr.split("\n"), ""][0]
    return (said or f"bwrap ended with exit code {tried.returncode}") if tried.returncode else None


def _mounts(allowed: Allowed) -> Iterator[str]:
    how = dict.fromkeys(allowed.lists, "--dir")
    how |= dict.fromkeys((*allowed.runs, *allowed.reads), "--ro-bind-try") | dict.fromkeys(allowed.writes, "--bind-try")
    if option := how.pop(Path("/"), None):
        yield from (option, "/", "/")
    yield from ("--proc", "/proc", "--dev", "/dev")
    # What is mounted later hides what lies below its place.
    for path in sorted(how, key=lambda path: len(path.parts)):
        if not any(path.is_relative_to(own) for own in _OWN):
            yield from (how[path], *(str(path),) * (1 if how[path] == "--dir" else 2))
