"""A tap in a folder may depend on other folders, wherever the workspace lies."""

import os
import subprocess
from pathlib import Path

import pytest

from orchestrator.actions.add_tap import add_tap
from orchestrator.envs.lock import read_lock
from orchestrator.errors import CannotResolve
from tests.packages.index import STEADY, project_in


def project(folder: Path, name: str, *, on: str | None = None) -> Path:
    """A project of one module. One that depends on `base` finds it where `on`, a source of uv, says."""
    module = name.replace("-", "_")
    project_in(folder)
    (folder / "tap_folder.py").unlink()
    (folder / f"{module}.py").write_text(f"{'import base' if on else ''}\n{STEADY}")
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        f'[project]\nname = "{name}"\nversion = "1.0"\ndependencies = {["base"] if on else []}\n'
        f'[project.scripts]\n{name} = "{module}:main"\n' + (f"[tool.uv.sources]\nbase = {on}\n" if on else "")
    )
    return folder


@pytest.mark.parametrize("editable", ["true", "false"])
def test_a_folder_that_a_folder_depends_on_is_found_from_the_workspace(shop, index, tmp_path, editable):
    project(tmp_path / "far" / "base", "base")
    tap = project(tmp_path / "far" / "tap-x", "tap-x", on=f'{{ path = "../base", editable = {editable} }}')

    added = add_tap(shop, str(tap))

    assert subprocess.run([added.executable, "--help"], capture_output=True).returncode == 0
    assert f"{os.path.relpath(tmp_path / 'far' / 'base', shop.root)}\n" in added.lock.read_text()


def test_a_folder_is_not_taken_for_the_package_of_its_name(shop, index, tmp_path):
    index.add("base", source="raise RuntimeError('of a stranger')", commands=[])
    tap = project(tmp_path / "tap-x", "tap-x", on='{ path = "base" }')
    project(tap / "base", "base")

    added = add_tap(shop, str(tap))

    lock = read_lock(added.lock)
    assert lock is not None
    assert len(lock.without_hash()) == len(lock.pins()) == 2


@pytest.mark.parametrize("source", ['{ path = "../nowhere" }', "{ workspace = true }"])
def test_a_source_that_leads_nowhere_is_named_with_the_file_that_says_so(shop, index, tmp_path, source):
    tap = project(tmp_path / "tap-x", "tap-x", on=source)

    with pytest.raises(CannotResolve, match=r"what .* depends on is not where its \[tool.uv.sources\] says") as raised:
        add_tap(shop, str(tap))

    assert str(raised.value.hint) == f"mend it in {tap / 'pyproject.toml'}"
