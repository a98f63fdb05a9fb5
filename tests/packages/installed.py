"""Wheels made of what is installed here, so that projects which need the Singer SDK build without a package index."""

import zipfile
from collections.abc import Iterable
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.packages.backend import record_of, write_wheel

# What an installer leaves behind, and no wheel holds.
_OF_THE_INSTALLER = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")


def write_wheels(folder: Path, roots: Iterable[str]) -> None:
    """Writes wheels of the distributions, and of all that they need, into `folder`."""
    waiting, written = [*roots], set[str]()
    while waiting:
        requirement = Requirement(waiting.pop())
        name = canonicalize_name(requirement.name)
        if name in written or "extra" in str(requirement.marker):
            continue
        if requirement.marker is None or requirement.marker.evaluate():
            installed = distribution(name)
            _write_wheel(folder, installed)
            waiting += installed.requires or ()
            written.add(name)
        else:
            # Another system or Python would need it, and locks are made for all of them.
            version = next((each.version for each in requirement.specifier if each.operator in (">=", "==", "~=")), "1")
            write_wheel(folder, name, version, {}, commands={})


def _write_wheel(folder: Path, installed: Distribution) -> None:
    content: dict[str, bytes] = {}
    for file in installed.files or ():
        # Programs are made anew from the entry points.
        if file.parts[0] != ".." and "__pycache__" not in file.parts and file.name not in _OF_THE_INSTALLER:
            content[str(file)] = Path(str(file.locate())).read_bytes()
    info = next(path.rpartition("/")[0] for path in content if path.endswith(".dist-info/METADATA"))
    lines = content[f"{info}/WHEEL"].decode().splitlines()
    tags = [line.removeprefix("Tag: ").split("-") for line in lines if line.startswith("Tag: ")]
    tag = "-".join(".".join(dict.fromkeys(parts)) for parts in zip(*tags, strict=True))
    content[f"{info}/RECORD"] = record_of(content, info).encode()
    with zipfile.ZipFile(folder / f"{info.removesuffix('.dist-info')}-{tag}.whl", "w") as wheel:
        for path, data in content.items():
            wheel.writestr(path, data)
