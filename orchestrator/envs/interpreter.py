"""Finds the Python that an environment is built on."""

import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from orchestrator.envs.uv import Uv, UvFailed, complaint, reason
from orchestrator.envs.variables import inherited
from orchestrator.errors import EnvironmentBroken


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python on this machine, by its absolute path."""

    path: str
    version: str

    @property
    def minor(self) -> str:
        return ".".join(self.version.split(".")[:2])


def find_interpreter(asked: str | None, uv: Uv) -> Interpreter:
    """The Python that was asked for (a version or a path), or the one that we run on.

    Raises EnvironmentBroken when there is none on this machine.
    """
    if asked is None or asked == ".".join(platform.python_version_tuple()[:2]):
        return Interpreter(os.path.realpath(sys.executable), platform.python_version())
    try:
        path = uv.run("python", "find", "--system", "--no-project", asked).strip()
    except UvFailed as error:
        path = _among_pyenv(asked)
        if not path:
            raise EnvironmentBroken(
                f"there is no Python {asked} on this machine",
                cause=reason(error.said),
                hint=f"uv python install {asked}, or --python with the path of one",
            ) from error
    return Interpreter(path, _version_of(path))


def _among_pyenv(asked: str) -> str:
    """The newest fitting Python of pyenv, whose stand-ins on the PATH only start versions chosen by `pyenv global`.

    Empty when there is none.
    """
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = {
        tuple(map(int, folder.name.split("."))): folder / "bin" / "python"
        for folder in root.glob("versions/*.*")
        if folder.name.replace(".", "").isdigit() and f"{folder.name}.".startswith(f"{asked}.")
    }
    return str(found[max(found)]) if found else ""


def _version_of(path: str) -> str:
    command = [path, "-I", "-c", "import platform; print(platform.python_version())"]
    asked = subprocess.run(command, capture_output=True, text=True, env=inherited())
    if asked.returncode:
        raise EnvironmentBroken(f"{path} does not start", cause=complaint(asked.stderr))
    return asked.stdout.strip()
