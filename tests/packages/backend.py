"""A build backend without dependencies, so that tests build real distributions with no package index at hand.

Tests call `write_wheel`; a project names this file in its pyproject.toml, with `backend-path`, and uv calls the hooks.
"""

import base64
import hashlib
import os
import tomllib
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path


def write_wheel(
    folder: Path,
    name: str,
    version: str,
    files: Mapping[str, str],
    *,
    commands: Mapping[str, str],
    requires: Sequence[str] = (),
    requires_python: str = ">=3.8",
    author: str = "A Tester",
) -> str:
    """Writes a wheel into `folder` and returns its file name. `commands` are names of programs → `module:function`."""
    stem = f"{name.replace('-', '_')}-{version}"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nAuthor: {author}\n"
    metadata += f"Requires-Python: {requires_python}\n" + "".join(f"Requires-Dist: {each}\n" for each in requires)
    scripts = "[console_scripts]\n" + "".join(f"{command} = {target}\n" for command, target in commands.items())
    inside = f"{stem}.dist-info"
    content = {
        **files,
        f"{inside}/METADATA": metadata,
        f"{inside}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{inside}/entry_points.txt": scripts,
    }
    record = record_of({path: text.encode() for path, text in content.items()}, inside)
    with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as wheel:
        for path, text in {**content, f"{inside}/RECORD": record}.items():
            # The same content makes the same bytes, and so the same hash.
            wheel.writestr(zipfile.ZipInfo(path), text)
    return f"{stem}-py3-none-any.whl"


_OURS = ("backend.py", "builds.py", "setup.py")
"""What builds a project is no part of it."""


def build_wheel(wheel_directory: str, config_settings: object = None, metadata_directory: object = None) -> str:
    files = {path.name: path.read_text() for path in Path.cwd().glob("*.py") if path.name not in _OURS}
    return _build(Path(wheel_directory), files)


def build_editable(wheel_directory: str, config_settings: object = None, metadata_directory: object = None) -> str:
    return _build(Path(wheel_directory), {f"{Path.cwd().name}.pth": f"{os.getcwd()}\n"})


def _build(folder: Path, files: Mapping[str, str]) -> str:
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    requires = project.get("dependencies", [])
    return write_wheel(
        folder, project["name"], project["version"], files, commands=project["scripts"], requires=requires
    )


def record_of(content: Mapping[str, bytes], inside: str) -> str:
    """The list of files that a wheel brings, with their hashes; `inside` is the folder that it lies in."""
    lines = [f"{path},sha256={_digest(data)},{len(data)}\n" for path, data in content.items()]
    return "".join([*lines, f"{inside}/RECORD,,\n"])


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
