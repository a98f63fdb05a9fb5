"""What a tap may reach of this machine: a program of somebody else, to which credentials are handed."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from orchestrator.config import Sandbox


@dataclass(frozen=True, slots=True)
class Allowed:
    """Folders and files, each with all that lies below: of which it may start programs, read, and write."""

    runs: tuple[Path, ...] = ()
    reads: tuple[Path, ...] = ()
    writes: tuple[Path, ...] = ()

    def __or__(self, more: "Allowed") -> "Allowed":
        return Allowed(self.runs + more.runs, self.reads + more.reads, self.writes + more.writes)


@dataclass(frozen=True, slots=True)
class Confinement:
    """How a tap is kept to what it is allowed."""

    sandbox: Sandbox
    allowed: Allowed


_ETC = """
    ssl pki ca-certificates ca-certificates.conf crypto-policies gnutls
    hosts host.conf resolv.conf nsswitch.conf gai.conf networks protocols services
    passwd group localtime timezone locale.alias locale.conf default/locale
    ld.so.cache ld.so.conf ld.so.conf.d ld.so.preload alternatives os-release lsb-release debian_version mime.types
    magic odbc.ini odbcinst.ini unixODBC freetds freetds.conf krb5.conf krb5.conf.d mysql my.cnf my.cnf.d
    fonts java java-11-openjdk java-17-openjdk java-21-openjdk
"""
SYSTEM = Allowed(
    runs=tuple(map(Path, ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix", "/gnu"))),
    reads=(
        *(Path("/etc", name) for name in _ETC.split()),
        *map(Path, ("/proc", "/sys", "/run/systemd/resolve", "/run/NetworkManager", "/run/resolvconf")),
        *map(Path, ("/var/lib/ca-certificates", "/usr/share")),
    ),
    writes=tuple(Path("/dev", name) for name in ("null", "zero", "full", "random", "urandom", "shm")),
)
"""Programs, libraries, certificates, names and devices that every program may need, and that tell nothing of us."""


def python_of(interpreter: str) -> Allowed:
    """What a Python needs of itself, given as a path: its own place, and the one that it was linked from."""
    return Allowed(runs=tuple({Path(each).parent.parent for each in (interpreter, os.path.realpath(interpreter))}))


def named_in(values: Any, folder: Path, *, closed: Iterable[Path], too_wide: Iterable[Path]) -> Allowed:
    """The files and folders that stand in `values`, which a tap is told; relative ones start at `folder`. They may be
    read, but for what is `closed`, lies in it or holds it, and for what is `too_wide` as a whole: a setting may be "/"
    and be no path at all."""
    closed, too_wide = [_real(each) for each in closed], [_real(each) for each in too_wide]

    def may_be_read(path: Path) -> bool:
        holds_too_much = any(each.is_relative_to(path) for each in (*closed, *too_wide))
        return not holds_too_much and not any(path.is_relative_to(each) for each in closed)

    named = {_real(path): None for path in _paths_in(values, folder) if os.path.exists(path)}
    return Allowed(reads=tuple(filter(may_be_read, named)))


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _paths_in(values: Any, folder: Path) -> Iterator[Path]:
    match values:
        case str():
            if path := _path_in(values):
                yield folder / path
        case Mapping():
            for value in values.values():
                yield from _paths_in(value, folder)
        case list() | tuple():
            for value in values:
                yield from _paths_in(value, folder)


_LONGEST = 4096
_MARKS = "*?["


def _path_in(text: str) -> str | None:
    """A text as a path, as far as it may be one: of a pattern, the folder that it begins in."""
    if text.startswith("file:"):
        parts = urlsplit(text)
        text = unquote(parts.netloc + parts.path)
    if not text.strip() or len(text) > _LONGEST or "\0" in text or "\n" in text or "://" in text:
        return None
    first = min((text.index(mark) for mark in _MARKS if mark in text), default=None)
    if first is not None:
        text = os.path.dirname(text[:first]) or "."
    return os.path.expanduser(text)
