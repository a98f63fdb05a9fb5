"""A run of a tap, kept as a tap of its own that says the same without the source: what tests replay.

player.py     the tap that plays; it goes into each cassette
cassettes/TAP/
  pyproject.toml, tap_cassette.py   it can be installed like any tap
  cassette.json, catalog.json, messages.jsonl
"""

import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from orchestrator import durable
from orchestrator.errors import UsageError

FORMAT = 1
# It belongs in git, with the tests that play it.
_READABLE = 0o644
_PROJECT = """\
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "tap-{tap}-cassette"
version = "{version}"
description = "Says what {package} said once"
requires-python = ">=3.8"

[project.scripts]
tap-{tap}-cassette = "tap_cassette:main"

[tool.hatch.build.targets.wheel]
only-include = {files}
"""


@dataclass(frozen=True, slots=True)
class Label:
    """What is recorded: `package` and `version` of the tap, when (RFC 3339, UTC), what it was told without its
    secrets, and how much it said. `cut` says why it was not heard out, None when it was."""

    tap: str
    package: str
    version: str
    recorded_at: str
    config: Mapping[str, Any]
    records: Mapping[str, int]
    messages: int
    cut: str | None


def write_cassette(folder: Path, label: Label, catalog: bytes | None, messages: Iterable[bytes]) -> None:
    """Puts a cassette into `folder`, in the place of one that is there. Raises UsageError when something else is."""
    if folder.exists() and not (folder / "cassette.json").exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            f"{folder} is there already, and is no cassette",
            data="nothing was changed",
            hint="--to with another folder",
        )
    aside = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    about = json.dumps({"format": FORMAT, **asdict(label)}, indent=2, ensure_ascii=False)
    files: dict[str, bytes] = {
        "tap_cassette.py": (Path(__file__).parent / "player.py").read_bytes(),
        "cassette.json": f"{about}\n".encode(),
        "messages.jsonl": b"".join(line + b"\n" for line in messages),
        **({} if catalog is None else {"catalog.json": catalog}),
    }
    for name, content in {**files, "pyproject.toml": _project(label, [*files]).encode()}.items():
        durable.write(aside / name, content, mode=_READABLE)
    shutil.rmtree(folder, ignore_errors=True)
    aside.rename(folder)


def _project(label: Label, files: list[str]) -> str:
    return _PROJECT.format(
        tap=label.tap.replace("_", "-"), version=label.version, package=label.package, files=json.dumps(files)
    )
