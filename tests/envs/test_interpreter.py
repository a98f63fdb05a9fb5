"""The Python of an environment is the one that was asked for, or the one that we run on."""

import platform
import sys

import pytest

from orchestrator.envs.interpreter import find_interpreter
from orchestrator.envs.uv import Uv
from orchestrator.errors import EnvironmentBroken


def test_without_a_wish_it_is_the_one_that_we_run_on(tmp_path):
    found = find_interpreter(None, Uv(tmp_path))

    assert found.version == platform.python_version()
    assert found.minor == f"{sys.version_info.major}.{sys.version_info.minor}"


def test_a_path_is_asked_for_its_version(tmp_path):
    found = find_interpreter(sys.executable, Uv(tmp_path))

    assert found.version == platform.python_version()


def test_pythons_of_pyenv_are_found_though_its_stand_ins_do_not_start(tmp_path, monkeypatch):
    for version in ("3.99.2", "3.99.10", "3.98.30", "3.99-dev"):
        python = tmp_path / "versions" / version / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.symlink_to(sys.executable)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))

    assert find_interpreter("3.99", Uv(tmp_path)).path == str(tmp_path / "versions/3.99.10/bin/python")


def test_what_is_not_there_is_told_with_a_way_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))

    with pytest.raises(EnvironmentBroken, match=r"there is no Python 3\.99 on this machine") as raised:
        find_interpreter("3.99", Uv(tmp_path))

    assert str(raised.value.hint).endswith("uv python install 3.99")
