"""What the package exports, and that importing it costs nothing."""

import subprocess
import sys

import pytest

import orchestrator


def test_every_public_name_is_there_and_is_listed():
    assert [name for name in orchestrator.__all__ if getattr(orchestrator, name, "missing") == "missing"] == []
    assert set(dir(orchestrator)) == set(orchestrator.__all__)


def test_a_name_that_is_not_public_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'Workspce'"):
        _ = orchestrator.Workspce


def test_importing_the_package_imports_none_of_its_rooms():
    program = "import orchestrator, sys; print(*[m for m in sys.modules if m.startswith('orchestrator.')])"

    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert ended.stdout.split() == []
