"""An environment is empty at first; a Python that uv refuses gets one all the same, if virtualenv knows how."""

import subprocess

import pytest

from orchestrator.envs.interpreter import Interpreter, ours
from orchestrator.envs.uv import Uv, UvFailed
from orchestrator.envs.venv import make_venv


def python_in(path, source: str):
    path.write_text(f"#!/bin/sh\n{source}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def refused(tmp_path):
    """A Python that does not understand what uv asks it, as uv says of those that it has given up."""
    source = f'case " $* " in *" -I "*) exit 3;; esac\nexec {ours().path} "$@"'
    return Interpreter(str(python_in(tmp_path / "python-of-old", source)), ours().version)


def test_what_uv_refuses_is_made_by_virtualenv_and_can_be_installed_into(tmp_path, refused, index):
    index.add("shapes-of-old", source="CORNERS = 4", commands=[])
    uv = Uv(tmp_path)
    with pytest.raises(UvFailed, match="Failed to inspect Python interpreter"):
        uv.run("venv", "--no-project", "--python", refused.path, tmp_path / "by-uv")

    make_venv(uv, refused, tmp_path / "environment")

    python = tmp_path / "environment" / "bin" / "python"
    uv.run("pip", "install", "--python", python, "shapes-of-old")
    told = subprocess.check_output(
        [python, "-c", "import shapes_of_old, sys; print(shapes_of_old.CORNERS, sys.prefix)"]
    )
    assert told.decode().split() == ["4", str(tmp_path / "environment")]


def test_what_neither_can_make_fails_with_the_words_of_uv(tmp_path):
    broken = Interpreter(str(python_in(tmp_path / "python-of-old", "exit 3")), "3.2.6")

    with pytest.raises(UvFailed, match="Failed to inspect Python interpreter"):
        make_venv(Uv(tmp_path), broken, tmp_path / "environment")
