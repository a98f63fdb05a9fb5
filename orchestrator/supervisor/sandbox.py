"""What a tap may reach of this machine: a program of somebody else, to which credentials are handed."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from glob import iglob
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from orchestrator.config import Sandbox


@dataclass(frozen=True, slots=True)
class Allowed:
    """Folders and files, each with all that lies below: of which it may start programs, read, and write, and of which
    it may see the names alone."""

    runs: tuple[Path, ...] = ()
    reads: tuple[Path, ...] = ()
    writes: tuple[Path, ...] = ()
    lists: tuple[Path, ...] = ()

    def __or__(self, more: "Allowed") -> "Allowed":
        return Allowed(
            self.runs + more.runs, self.reads + more.reads, self.writes + more.writes, self.lists + more.lists
        )


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


@dataclass(frozen=True, slots=True)
class Named:
    """What the paths come to that a tap is told: what they allow it, and those that are too much to allow."""

    allowed: Allowed
    refused: tuple[str, ...] = ()


def named_in(values: Any, folder: Path, *, closed: Iterable[Path], too_wide: Iterable[Path]) -> Named:
    """The files and folders that stand in `values`, which a tap is told; relative ones start at `folder`. They may be
    read, but for what is `closed`, lies in it or holds it, and for what is `too_wide` as a whole. Of a pattern in a
    folder that is too wide, the files may be read that fit it now."""
    closed, too_wide = [_real(each) for each in closed], [_real(each) for each in too_wide]
    reads: dict[Path, None] = {}
    lists: dict[Path, None] = {}
    refused: dict[str, None] = {}

    def may_be_read(path: Path) -> bool:
        holds_too_much = any(each.is_relative_to(path) for each in (*closed, *too_wide))
        return not holds_too_much and not any(path.is_relative_to(each) for each in closed)

    for text in _paths_in(values):
        pattern = os.path.join(folder, text)
        place = _real(Path(_without_marks(pattern)))
        if may_be_read(place):
            reads |= {place: None} if os.path.exists(place) else {}
        elif pattern != _without_marks(pattern) and "**" not in pattern:
            fitting = {path: None for path in map(_real, map(Path, sorted(iglob(pattern)))) if may_be_read(path)}
            reads |= fitting
            lists |= {place: None} if fitting else {}
        elif os.path.exists(place) and _is_surely_a_path(text):
            refused[text] = None
    return Named(Allowed(reads=tuple(reads), lists=tuple(lists)), tuple(refused))


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _paths_in(values: Any) -> Iterator[str]:
    match values:
        case str():
            if path := _path_in(values):
                yield path
        case Mapping():
            for value in values.values():
                yield from _paths_in(value)
        case list() | tuple():
            for value in values:
                yield from _paths_in(value)


_LONGEST = 4096


def _path_in(text: str) -> str | None:
    """A text as a path or a pattern, as far as it may be one."""
    if text.startswith("file:"):
        parts = urlsplit(text)
        text = unquote(parts.netloc + parts.path)
    if not text.strip() or len(text) > _LONGEST or "\0" in text or "\n" in text or "://" in text:
        return None
    return os.path.expanduser(text)


def _without_marks(pattern: str) -> str:
    """Of a pattern, the folder that it begins in."""
    first = min((pattern.index(mark) for mark in "*?[" if mark in pattern), default=None)
    return pattern if first is None else os.path.dirname(pattern[:first])


def _is_surely_a_path(text: str) -> bool:
    """Whether it is no word or address that only happens to name something here: "/", "state"."""
    return text in (".", "..") or ("/" in text and text != "/")
