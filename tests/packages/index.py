"""A package index of a few wheels in a folder, made as a test needs them."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.packages import backend

HERE = Path(__file__).parent

STEADY = """
import argparse

def main():
    parser = argparse.ArgumentParser()
    for option in ("config", "catalog", "state"):
        parser.add_argument(f"--{option}")
    parser.add_argument("--discover", action="store_true")
    parser.parse_args()
"""
"""The start of a tap as singer-python makes it."""


OF_THE_SDK = """
import sys

ABOUT = '{"name": "tap-shapes", "sdk_version": "0.54.9", "capabilities": ["catalog", "about"], "settings": %s}'

def main():
    if "--about" in sys.argv:
        print(ABOUT)
    else:
        print("--about --format [json|markdown] --config TEXT --catalog FILENAME --state FILENAME --discover")
"""
"""A tap that says of itself what taps of the Singer SDK say; `%` puts in the JSON schema of its settings."""


@dataclass(frozen=True)
class Index:
    """Adds distributions; uv finds these and no others."""

    folder: Path

    def add(
        self,
        name: str,
        version: str = "1.0",
        source: str = STEADY,
        *,
        commands: Sequence[str] | None = None,
        requires: Sequence[str] = (),
        requires_python: str = ">=3.8",
    ) -> None:
        """A distribution of one module; its commands (default: its name) all run `main` of it."""
        module = name.replace("-", "_")
        backend.write_wheel(
            self.folder,
            name,
            version,
            {f"{module}.py": source},
            commands=dict.fromkeys([name] if commands is None else commands, f"{module}:main"),
            requires=requires,
            requires_python=requires_python,
        )


def project_in(folder: Path) -> Path:
    """A folder with the project of `tap-folder`, which builds without an index."""
    shutil.copytree(HERE / "tap_folder", folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(HERE / "backend.py", folder)
    return folder
