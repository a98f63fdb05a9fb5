"""A package index of a few packages in a folder, made as a test needs them."""

import io
import shutil
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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

NOT_BUILT_HERE = """
from backend import *

def build_wheel(*arguments):
    raise RuntimeError("this cannot be built")

def get_requires_for_build_wheel(settings=None):
    raise RuntimeError("this cannot be built")
"""
"""A build backend that fails, whatever it is built with."""


@dataclass(frozen=True)
class Index:
    """Adds distributions; uv finds these and no others. `told` is what an index with pages says of files."""

    folder: Path
    told: dict[str, dict[str, str]] = field(default_factory=dict)

    def add(
        self,
        name: str,
        version: str = "1.0",
        source: str = STEADY,
        *,
        module: str | None = None,
        commands: Sequence[str] | None = None,
        requires: Sequence[str] = (),
        requires_python: str = ">=3.8",
        author: str = "A Tester",
        released: str = "2020-01-01",
    ) -> None:
        """A distribution of one module; its commands (default: its name) all run `main` of it."""
        module = module or name.replace("-", "_")
        file = backend.write_wheel(
            self.folder,
            name,
            version,
            {f"{module}.py": source},
            commands=dict.fromkeys([name] if commands is None else commands, f"{module}:main"),
            requires=requires,
            requires_python=requires_python,
            author=author,
        )
        self.told[file] = {"upload-time": f"{released}T00:00:00Z", "requires-python": requires_python}

    def add_source(
        self, name: str, version: str = "1.0", *, builds: str = "from backend import *\n", requires: Sequence[str] = ()
    ) -> None:
        """A source distribution of one empty module. `builds` is its build backend, which `requires` other packages."""
        module = name.replace("-", "_")
        project = (
            f'[build-system]\nrequires = {list(requires)}\nbuild-backend = "builds"\nbackend-path = ["."]\n\n'
            f'[project]\nname = "{name}"\nversion = "{version}"\n\n[project.scripts]\n'
        )
        files = {
            "pyproject.toml": project,
            "builds.py": builds,
            "backend.py": (HERE / "backend.py").read_text(),
            f"{module}.py": "",
            "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        }
        archive = f"{module}-{version}.tar.gz"
        _write_archive(self.folder / archive, f"{module}-{version}", files)
        self.told[archive] = {"upload-time": "2020-01-01T00:00:00Z"}


def _write_archive(path: Path, inside: str, files: Mapping[str, str]) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(f"{inside}/{name}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))


def project_in(folder: Path) -> Path:
    """A folder with the project of `tap-folder`, which builds without an index."""
    shutil.copytree(HERE / "tap_folder", folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(HERE / "backend.py", folder)
    return folder
