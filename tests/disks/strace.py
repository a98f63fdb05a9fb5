"""The system calls of a program that change files, as strace tells them."""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path

from examples.databases.debian import Packages

_CALLS = (
    *("open", "openat", "creat", "close", "dup", "dup2", "dup3", "fcntl", "lseek"),
    *("write", "pwrite64", "writev", "pwritev", "ftruncate", "truncate", "fallocate"),
    *("rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat"),
    *("unlink", "unlinkat", "rmdir", "mkdir", "mkdirat", "fsync", "fdatasync", "clone", "clone3"),
)
# Every text whole, and in hexadecimal: no comma or bracket in it is one of the line.
_OPTIONS = ("-f", "--seccomp-bpf", "-qq", "-y", "-xx", "-s", "33554432", "-e", "signal=none")

_LINE = re.compile(r"(\d+) +(<\.\.\. \w+ resumed>)?(.*)", re.DOTALL)
_CALL = re.compile(r"(\w+)\((.*)\) += (\d+)", re.DOTALL)
_UNFINISHED = " <unfinished ...>"
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_FOLDER = re.compile(r"<((?:\\x[0-9a-f]{2})+)>[^<]*$")


@dataclass(frozen=True, slots=True)
class Call:
    """A system call that succeeded. `began` is how many others were finished when it began."""

    thread: int
    name: str
    arguments: str
    returned: int
    began: int

    @property
    def descriptor(self) -> int:
        """The one that comes first."""
        return int(self.arguments.partition("<")[0].partition(",")[0])

    @property
    def texts(self) -> list[bytes]:
        return [_bytes(text) for text in _TEXT.findall(self.arguments)]

    @property
    def last_number(self) -> int:
        return int(self.arguments.rpartition(", ")[2])

    @property
    def paths(self) -> list[Path]:
        """Each path that is named, from the open folder that stands before it if it is none of its own."""
        pieces = _TEXT.split(self.arguments)
        folders = [_FOLDER.search(piece) for piece in pieces[:-1:2]]
        return [
            Path(os.fsdecode(_bytes(folder[1])) if folder else "/", os.fsdecode(_bytes(name)))
            for folder, name in zip(folders, pieces[1::2], strict=True)
        ]


def strace(folder: Path) -> str:
    """The program of this machine, or else Debian's, unpacked in `folder`. Raises NotProvided."""
    found = shutil.which("strace")
    if found is None:
        packages = Packages(folder)
        packages.unpack(["strace"])
        program, started = packages.root / "usr" / "bin" / "strace", folder / "strace"
        # Its libraries are for itself; what it traces has those of the machine.
        libraries = f"LD_LIBRARY_PATH={shlex.quote(packages.libraries)}"
        started.write_text(f'#!/bin/sh\n{libraries} exec {shlex.quote(str(program))} -E LD_LIBRARY_PATH "$@"\n')
        started.chmod(0o700)
        found = str(started)
    return found


def trace(program: str, command: Sequence[str], log: Path) -> list[Call]:
    """Runs a command to its end. Gives what its first process did, in the order in which the calls ended."""
    subprocess.run([program, *_OPTIONS, "-e", f"trace={','.join(_CALLS)}", "-o", log, *command], check=True)
    with log.open() as lines:
        calls = list(_finished(lines))
    log.unlink()
    threads = {calls[0].thread}
    threads |= {call.returned for call in calls if call.name.startswith("clone") and "CLONE_THREAD" in call.arguments}
    # Of those that were finished when a call began, only ours count.
    ours = [0, *accumulate(call.thread in threads for call in calls)]
    return [replace(call, began=ours[call.began]) for call in calls if call.thread in threads]


def _finished(lines: Iterable[str]) -> Iterator[Call]:
    begun: dict[int, tuple[str, int]] = {}
    finished = 0
    for line in lines:
        found = _LINE.fullmatch(line.rstrip("\n"))
        assert found is not None, line[:200]
        thread, rest = int(found[1]), found[3]
        if rest.endswith(_UNFINISHED):
            begun[thread] = rest.removesuffix(_UNFINISHED), finished
            continue
        start, began = begun.pop(thread) if found[2] else ("", finished)
        call = _CALL.match(start + rest)
        if call is not None:
            yield Call(thread, call[1], call[2], int(call[3]), began)
            finished += 1


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))
