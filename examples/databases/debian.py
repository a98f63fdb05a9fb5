"""Debian's packages, as its archive has them now, unpacked in a folder: nothing is installed."""

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

PROGRAMS = ("apt-get", "apt-cache", "dpkg-deb", "setpriv")


class NotProvided(RuntimeError):
    """A server cannot be had on this machine; the text says what is missing."""


class Packages:
    """The packages of this Debian. Lists, archives and what is unpacked lie in `folder`; `root` is as `/` would be.

    Raises NotProvided where this is no Debian, or where its archive is out of reach.
    """

    def __init__(self, folder: Path) -> None:
        missing = [program for program in PROGRAMS if shutil.which(program) is None]
        if missing:
            raise NotProvided(f"programs are taken from Debian's packages, and here is no {', '.join(missing)}")
        self.root = folder / "root"
        self._lists, self._cache = folder / "lists", folder / "cache"
        for made in (self._lists / "partial", self._cache / "archives" / "partial", self.root):
            made.mkdir(parents=True)
        # The machine's own lists may be missing, or older than the archive.
        self._apt("apt-get", "update", "--error-on=any")

    def named(self, pattern: str) -> list[re.Match[str]]:
        """The packages whose whole name matches."""
        names = self._apt("apt-cache", "pkgnames").splitlines()
        return [match for match in map(re.compile(pattern).fullmatch, names) if match]

    def unpack(self, names: Iterable[str]) -> None:
        """Unpacks packages, and of what they need that which the machine lacks."""
        self._apt("apt-get", "install", "--download-only", "--reinstall", "--no-install-recommends", "--yes", *names)
        for archive in sorted((self._cache / "archives").glob("*.deb")):
            _run("dpkg-deb", "--extract", str(archive), str(self.root))

    @property
    def libraries(self) -> str:
        """The value of LD_LIBRARY_PATH for programs that were unpacked."""
        return ":".join(map(str, sorted(self.root.glob("usr/lib/*-linux-gnu*"))))

    def _apt(self, program: str, *arguments: str) -> str:
        options = {
            "Dir::State::Lists": self._lists,
            "Dir::Cache": self._cache,
            # Nothing of the machine is touched, so that there is nothing to lock and nobody to become.
            "Debug::NoLocking": 1,
            "APT::Sandbox::User": "",
        }
        settings = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        return _run(program, *settings, *arguments)


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        said = done.stderr.strip() or done.stdout.strip()
        raise NotProvided(f"{command[0]} ended with exit code {done.returncode}: {said[-500:]}")
    return done.stdout
