"""Makes an empty environment: uv does, and for a Python that uv refuses, virtualenv."""

import subprocess
import sys
from pathlib import Path

from orchestrator.envs.interpreter import Interpreter
from orchestrator.envs.uv import Uv, UvFailed
from orchestrator.envs.variables import inherited


def make_venv(uv: Uv, on: Interpreter, folder: Path) -> None:
    """Raises UvFailed, with what uv said, when neither can."""
    try:
        uv.run("venv", "--no-project", "--python", on.path, folder)
    except UvFailed:
        virtualenv = [sys.executable, "-m", "virtualenv", "--quiet", "--no-seed", "--python", on.path, str(folder)]
        if subprocess.run(virtualenv, stdin=subprocess.DEVNULL, capture_output=True, env=inherited()).returncode:
            raise
