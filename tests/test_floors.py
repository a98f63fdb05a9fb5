"""Imports go down the floors, so that a room can be read without knowing what stands above it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import orchestrator

ROOMS = (
    "envs",
    "hub",
    "catalogs",
    "supervisor",
    "destinations",
    "state",
    "secrets",
    "templates",
    "cassettes",
    "contract",
    "notices",
)
VALUES = ("load", "protocol", "cadence")
EFFECTS = ("os", "subprocess", "time", "pathlib")

# From the roof down. A module may import what stands on a lower floor, and its own room.
FLOORS = (
    ("__main__",),
    ("cli", "schedule", "metrics", "web"),
    ("__init__",),
    ("api",),
    ("actions",),
    ROOMS,
    ("load",),
    ("protocol", "cadence"),
    ("paths", "config", "durable", "aside", "disk", "events", "clock"),
    ("errors", "failpoints"),
)
HEIGHT = {room: -depth for depth, floor in enumerate(FLOORS) for room in floor}


@dataclass(frozen=True)
class Import:
    """One module named in an import statement, wherever in the importing module that statement stands."""

    importer: str
    line: int
    target: str

    @property
    def broken_rule(self) -> str | None:
        """The rule that this import breaks, in words, or None."""
        room, target = room_of(self.importer), room_of(self.target)
        top_level = self.target.partition(".")[0]
        if top_level == "singer_sdk":
            return "singer_sdk is for tests only; the package never imports it"
        if room in VALUES and top_level in EFFECTS:
            return f"{', '.join(VALUES)} are values: no {', '.join(EFFECTS)}"
        if top_level != "orchestrator" or target == room or target not in HEIGHT:
            return None
        if HEIGHT[target] > HEIGHT[room]:
            return f"imports go down only, and {target} stands above {room}"
        if HEIGHT[target] == HEIGHT[room] and room in ROOMS:
            return "rooms stand side by side and do not import each other"
        return None

    def __str__(self) -> str:
        return f"{self.importer} (line {self.line}) imports {self.target}"


def room_of(module: str) -> str:
    """The first name below the package; the package itself is the room `__init__`."""
    return module.partition(".")[2].partition(".")[0] or "__init__"


def broken_rules(package: Path) -> list[str]:
    """Everything in the package at this path that breaks a rule, one sentence each."""
    templates = tuple((package / "templates").glob("*/"))
    modules = {
        module_name(path, package): path
        for path in sorted(package.rglob("*.py"))
        # They are data, and projects of their own.
        if not any(path.is_relative_to(template) for template in templates)
    }
    homeless = [
        f"{module}: {room_of(module)!r} stands on no floor; give it one in FLOORS and in the map"
        for module in modules
        if room_of(module) not in HEIGHT
    ]
    return homeless + [
        f"{found}: {found.broken_rule}"
        for module, path in modules.items()
        if room_of(module) in HEIGHT
        for found in imports(module, path)
        if found.broken_rule
    ]


def module_name(path: Path, package: Path) -> str:
    parts = path.relative_to(package).with_suffix("").parts
    return ".".join(("orchestrator", *(parts[:-1] if parts[-1] == "__init__" else parts)))


def imports(module: str, path: Path) -> Iterator[Import]:
    """Each import of a module, also those inside a function or under TYPE_CHECKING."""
    folder = module if path.stem == "__init__" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    yield Import(module, node.lineno, alias.name)
            case ast.ImportFrom(module=source, names=names, level=level):
                whole = absolute(folder, source, level)
                # `from orchestrator import errors` imports a room; any other name comes from the package itself.
                rooms = {alias.name for alias in names if whole == "orchestrator" and alias.name in HEIGHT}
                for room in sorted(rooms):
                    yield Import(module, node.lineno, f"{whole}.{room}")
                if len(rooms) < len(names):
                    yield Import(module, node.lineno, whole)


def absolute(folder: str, source: str | None, level: int) -> str:
    if level == 0:
        return source or ""
    ancestors = folder.split(".")[: len(folder.split(".")) - level + 1]
    return ".".join((*ancestors, source) if source else ancestors)


def test_imports_go_down_the_floors() -> None:
    broken = broken_rules(Path(orchestrator.__file__).parent)

    assert not broken, "\n".join(broken)


@pytest.mark.parametrize(
    ("file", "source", "complaint"),
    [
        ("actions/run_flow.py", "from orchestrator.cli import main", "cli stands above actions"),
        ("actions/run_flow.py", "from orchestrator import Workspace", "__init__ stands above actions"),
        ("actions/run_flow.py", "from ..api import Workspace", "api stands above actions"),
        ("cli/__init__.py", "from orchestrator import __main__", "__main__ stands above cli"),
        ("state/log.py", "import orchestrator.actions.run_flow", "actions stands above state"),
        ("state/log.py", "from orchestrator.destinations.duckdb import DuckDB", "side by side"),
        ("state/deep/log.py", "from ...secrets import redact", "side by side"),
        ("envs/__init__.py", "from .. import catalogs", "side by side"),
        ("protocol/messages.py", "from orchestrator import load", "load stands above protocol"),
        ("protocol/messages.py", "def read():\n    import os.path", "are values"),
        ("load/batch.py", "from pathlib import Path", "are values"),
        ("load/batch.py", "import json, time", "are values"),
        (
            "config.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import orchestrator.load",
            "load stands",
        ),
        ("errors.py", "def hint():\n    from .paths import find", "paths stands above errors"),
        ("catalogs/drift.py", "from singer_sdk.typing import PropertiesList", "tests only"),
        ("toolbox.py", "", "'toolbox' stands on no floor"),
    ],
)
def test_an_import_against_the_floors_is_found_and_explained(tmp_path, file, source, complaint):
    module = tmp_path / file
    module.parent.mkdir(parents=True, exist_ok=True)
    module.write_text(source)

    (found,) = broken_rules(tmp_path)

    assert complaint in found


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("__init__.py", "from orchestrator.api import Workspace"),
        ("__main__.py", "from orchestrator.cli import main"),
        ("cli/up.py", "from orchestrator import schedule, Workspace"),
        ("api.py", "from orchestrator.actions import run_flow"),
        ("actions/run_flow.py", "from . import replay\nfrom ..state import log\nfrom orchestrator import envs, errors"),
        ("state/log.py", "import os, time\nfrom .archive import Archive\nfrom orchestrator.load import Commit"),
        ("load/batch.py", "import json\nfrom datetime import datetime\nfrom orchestrator.protocol import Schema"),
        ("config.py", "from pathlib import Path\nfrom orchestrator import errors, paths"),
    ],
)
def test_an_import_down_the_floors_is_fine(tmp_path, file, source):
    module = tmp_path / file
    module.parent.mkdir(parents=True, exist_ok=True)
    module.write_text(source)

    assert broken_rules(tmp_path) == []
