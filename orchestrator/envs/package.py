"""One thing to install, as a person types it: a requirement, a URL or a path."""

import os
import re
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from orchestrator.errors import UsageError

_URL = re.compile(r"(?:git\+)?[a-z]+://", re.IGNORECASE)
_PATH = re.compile(r"\.{1,2}$|(?:\.{0,2}|~)/|[^@:]+/[^@:]*$|[^@:]+\.(?:whl|tar\.gz|zip)$")
_EXTRAS = re.compile(r"\[[^\]]*\]$")
_OWNER_AND_REPOSITORY = re.compile(r"[A-Za-z\d][A-Za-z\d-]*/[\w.-]+")


class Kind(Enum):
    REQUIREMENT = auto()
    """A name and what its version may be; also `name @ URL`."""
    URL = auto()
    """A git repository, or an archive on the web. What it is called, only it knows."""
    PATH = auto()
    """A folder with a Python project, or a wheel or source archive."""


@dataclass(frozen=True, slots=True)
class Package:
    """`text` is what stands in orchestrator.toml; relative paths are meant from the workspace.

    `name` is None while only the thing itself knows what it is called. `pinned` says that no newer version is meant.
    """

    text: str
    kind: Kind
    name: str | None = None
    pinned: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads what was typed. Raises UsageError."""
        # Other tools of the field write `-e` before a folder; here folders are always editable.
        text = text.strip().removeprefix("-e ").strip()
        if _URL.match(text):
            _refuse_password(text)
            return cls(text, Kind.URL)
        if _PATH.match(text):
            return cls(text, Kind.PATH)
        try:
            requirement = Requirement(text)
        except InvalidRequirement as error:
            raise UsageError(
                f'"{text}" is not something to install',
                cause=str(error).splitlines()[0],
                hint="a name such as tap-gitlab, tap-gitlab==0.5.1, git+https://… or ./folder",
            ) from error
        if requirement.url:
            _refuse_password(requirement.url)
        pinned = any(
            each.operator in ("==", "===") and not each.version.endswith(".*") for each in requirement.specifier
        )
        return cls(text, Kind.REQUIREMENT, canonicalize_name(requirement.name), pinned)

    def path(self, root: Path) -> Path | None:
        """The file or folder this is, None for what is not a path. `root` is the workspace."""
        if self.kind is not Kind.PATH:
            return None
        return Path(os.path.normpath(root / Path(_EXTRAS.sub("", self.text)).expanduser()))

    def typed_in(self, folder: Path, root: Path) -> "Package":
        """The same, when it was typed in `folder` and is written down in the workspace `root`.

        A path inside the workspace, or typed as relative, becomes relative to it. Raises UsageError when there is none.
        """
        target = self.path(folder)
        if target is None:
            return self
        if not target.exists():
            on_github = _OWNER_AND_REPOSITORY.fullmatch(self.text)
            raise UsageError(
                f"there is no {self.text} here",
                cause=f"{target} does not exist",
                hint=f"git+https://github.com/{self.text}" if on_github else None,
            )
        extras = self.text[len(_EXTRAS.sub("", self.text)) :]
        typed_as_relative = not self.text.startswith(("/", "~"))
        if not typed_as_relative and not target.is_relative_to(root):
            return Package(f"{target}{extras}", Kind.PATH)
        relative = os.path.relpath(target, root)
        return Package(f"{relative if relative.startswith('.') else f'./{relative}'}{extras}", Kind.PATH)

    def as_requirement(self, root: Path) -> str:
        """The line for uv. A folder is installed as editable: no hash could tell that something in it changed."""
        path = self.path(root)
        return f"-e {self.text}" if path is not None and path.is_dir() else self.text

    def likely_name(self, root: Path) -> str:
        """What it is called, or what its URL or path ends with."""
        if self.name is not None:
            return self.name
        path = self.path(root)
        if path is None:
            return _last_part_of_url(self.text)
        # A wheel or an archive bears the version after the name.
        return path.name if path.is_dir() else re.split(r"-\d", path.name)[0]

    def without_version(self) -> "Package":
        """Any version of the same package, for a name; else the package itself."""
        return self._of(Requirement(self.text), "") if self.is_from_an_index else self

    def at_version(self, version: str) -> "Package":
        """That version of the same package, for a name; else the package itself."""
        return self._of(Requirement(self.text), f"=={version}") if self.is_from_an_index else self

    @property
    def is_from_an_index(self) -> bool:
        return self.kind is Kind.REQUIREMENT and not Requirement(self.text).url

    def _of(self, requirement: Requirement, version: str) -> "Package":
        extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
        return Package(f"{requirement.name}{extras}{version}", Kind.REQUIREMENT, self.name, pinned=bool(version))


def default_id(package: Package, root: Path) -> str:
    """What the tap is called unless a person says otherwise: `pipelinewise-tap-postgres` → `postgres`."""
    name = canonicalize_name(package.likely_name(root))
    return re.sub(r"^(?:.*?-)??tap-(?=.)", "", name)


def _last_part_of_url(url: str) -> str:
    parts = urlsplit(url)
    named = dict(part.partition("=")[::2] for part in parts.fragment.split("&"))
    path = named.get("egg") or named.get("subdirectory") or re.sub(r"@[^@]*$", "", parts.path)
    return unquote(path).rstrip("/").rpartition("/")[2].removesuffix(".git")


def _refuse_password(url: str) -> None:
    parts = urlsplit(url)
    # With ssh the user name is part of the address ("git@"); with https it is a token.
    if parts.password or (parts.username and "http" in parts.scheme):
        address = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        raise UsageError(
            f"{address} was given with a password, which would end up in orchestrator.toml and in the lock",
            hint="leave it out and let git ask its credential helper, or use git+ssh://",
        )
