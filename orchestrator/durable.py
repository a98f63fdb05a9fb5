"""Files that are whole or absent, logs that end at a whole line, and locks that die with their process."""

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from orchestrator.failpoints import Step, doing

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


def make_folder(path: Path) -> Path:
    """Makes `path` and its missing parents, readable by the owner alone; they survive a power loss. Returns it."""
    if not path.is_dir():
        # mkdir(parents=True) gives the mode to the last folder only.
        make_folder(path.parent)
        path.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        sync_folder(path.parent)
    return path


def sync(descriptor: int, path: Path) -> None:
    """Makes what was written into the open file at `path` survive a power loss."""
    with doing(Step.FILE_SYNC, path):
        os.fsync(descriptor)


def sync_file(path: Path) -> None:
    """The same for a file that somebody else has written."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        sync(descriptor, path)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Makes renames and new names in `path` survive a power loss."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with doing(Step.FOLDER_SYNC, path):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def rename(old: Path, new: Path) -> None:
    """Gives a file the name `new`, in the place of whatever has it, in one step."""
    with doing(Step.FILE_RENAME, new):
        os.replace(old, new)


def remove(path: Path) -> None:
    """Removes a file. Raises FileNotFoundError."""
    with doing(Step.FILE_REMOVE, path):
        path.unlink()


def remove_folder(path: Path, *, ignore_errors: bool = False) -> None:
    """Removes a folder with all that is in it."""
    with doing(Step.FOLDER_REMOVE, path):
        shutil.rmtree(path, ignore_errors=ignore_errors)


def write(path: Path, content: bytes | str, *, mode: int = PRIVATE_FILE) -> None:
    """Replaces `path` by `content` in one step: readers see the old file or the new one, never a part.

    What a process that is killed leaves aside has the name that the next one takes for it.
    """
    make_folder(path.parent)
    aside = path.with_name(f".{path.name}.new")
    with os.fdopen(_alone_with(aside), "wb") as file:
        try:
            with doing(Step.FILE_WRITE, path):
                file.write(content.encode() if isinstance(content, str) else content)
                file.flush()
            os.fchmod(file.fileno(), mode)
            sync(file.fileno(), path)
            rename(aside, path)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise
    sync_folder(path.parent)


def _alone_with(path: Path) -> int:
    """The file at `path`, empty, once nobody else has it open like this."""
    while True:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, PRIVATE_FILE)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        # Whoever had it may have given it another name, or removed it.
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.stat(path), os.fstat(descriptor)):
                os.truncate(descriptor, 0)
                return descriptor
        os.close(descriptor)


def append_lines(path: Path, lines: Iterable[bytes]) -> None:
    """Adds lines to a log and waits until they are on the disk. A torn last line is cut off first."""
    make_folder(path.parent)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
    with os.fdopen(descriptor, "r+b") as file:
        end = _end_of_last_line(file.fileno())
        if end == 0:
            # Before the first line: a log that has one has a name that lasts.
            sync_folder(path.parent)
        file.seek(end)
        file.truncate()
        with doing(Step.LINES_APPEND, path):
            file.writelines(line.rstrip(b"\n") + b"\n" for line in lines)
            file.flush()
        sync(file.fileno(), path)


def read_lines(path: Path) -> list[bytes]:
    """The whole lines of a log, without their ends. A torn last line is left out; no file means no lines."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    return content.split(b"\n")[:-1]


def _end_of_last_line(descriptor: int) -> int:
    end = os.lseek(descriptor, 0, os.SEEK_END)
    while end > 0:
        start = max(0, end - 65536)
        newline = os.pread(descriptor, end - start, start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


class Held(Exception):
    """The lock is held by somebody else; `note` is what the holder wrote into it."""

    def __init__(self, note: str) -> None:
        super().__init__(note)
        self.note = note


@contextlib.contextmanager
def lock(path: Path, *, note: str = "", wait: float = 0.0) -> Iterator[int]:
    """Holds the OS lock on `path` while the block runs; the kernel lets go when the process dies, however it dies.

    `note` is for whoever finds the lock held. `wait` is in seconds (0: do not wait). Raises Held.
    Yields the descriptor of the lock: a child that is given it (`pass_fds`) holds the lock until it ends too.
    """
    make_folder(path.parent)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
    try:
        # Asking who holds a lock (`holder`) takes it for an instant, so a first refusal means little.
        deadline = time.monotonic() + max(wait, 0.1)
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise Held(os.pread(descriptor, 4096, 0).decode(errors="replace")) from None
                time.sleep(0.02)
        os.ftruncate(descriptor, 0)
        # Where there is no room for a note, there still is a lock.
        with contextlib.suppress(OSError):
            os.pwrite(descriptor, note.encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def shared(path: Path) -> Iterator[Callable[[], bool]]:
    """Holds the OS lock on `path` together with others while the block runs. Yields what tells whether nobody else
    does; if so, others wait until the block ends."""
    make_folder(path.parent)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)

    def is_alone() -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield is_alone
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Waits until nobody else is alone in `folder`, and is while the block runs. Leaves no file behind."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def holder(path: Path) -> str | None:
    """What the process that holds the lock wrote into it, or None when nobody holds it."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.pread(descriptor, 4096, 0).decode(errors="replace")
    else:
        return None
    finally:
        os.close(descriptor)
