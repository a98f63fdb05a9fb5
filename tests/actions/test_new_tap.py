"""A new tap is a project that passes its own tests, runs as it stands, and can be specialised by another one."""

import json
import os
import re
import subprocess
import sys

import pytest

from orchestrator import Workspace
from orchestrator.actions.new_tap import new_tap
from orchestrator.errors import UsageError
from orchestrator.templates import Kind
from tests.packages.index import project_in
from tests.packages.installed import write_wheels

ROWS = [{"id": n, "name": f"item {n}", "price": n / 4, "updated_at": f"2026-01-0{n}T00:00:00+00:00"} for n in (1, 2, 3)]


@pytest.fixture
def workspace(index, tmp_path, monkeypatch):
    """An empty workspace, in which the Singer SDK can be installed, with a folder of rows beside it."""
    write_wheels(index.folder, ["singer-sdk", "hatchling", "editables"])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "items.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in ROWS))
    (tmp_path / "rows" / "labels.jsonl").write_text('{"id": 1, "name": "new"}\n')
    return Workspace.init(tmp_path / "shop")


def own_tests(folder, *beside):
    """How the tests of a project end, with other projects at hand."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, beside))}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


# ── what is made ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", Kind)
def test_a_new_tap_and_one_that_specialises_it_pass_their_own_tests(tmp_path, kind):
    base = new_tap(tmp_path, "shop", kind=kind)
    special = new_tap(tmp_path, "tap-corner-shop", extends="./tap-shop")

    for made, beside in ((base, []), (special, [base.folder])):
        ended = own_tests(made.folder, *beside)
        assert ended.returncode == 0, ended.stdout
        assert " passed" in ended.stdout


@pytest.mark.parametrize("extends", [None, "tap-shop"])
def test_nothing_of_a_template_is_left_in_a_project(tmp_path, extends):
    new_tap(tmp_path, "shop")
    made = new_tap(tmp_path, "corner-shop", extends=extends)

    written = "".join((made.folder / file).read_text() + file for file in made.files).lower()
    assert "example" not in written
    assert not {"base_module", "base_requirement", "tapbase"} & set(re.findall(r"\w+", written))
    assert "tapcornershop" in written
    assert (made.folder / ".gitignore").exists()


@pytest.mark.parametrize(
    ("name", "extends", "complaint"),
    [
        ("Shop", None, 'a tap cannot be called "Shop"'),
        ("../shop", None, "cannot be called"),
        ("tap-", None, "cannot be called"),
        ("there", None, "is there already"),
        ("new", "./nowhere", 'there is no tap "./nowhere" to extend'),
        ("new", "tap-folder", "tap-folder cannot be extended"),
    ],
)
def test_what_cannot_be_made_leaves_nothing(tmp_path, name, extends, complaint):
    (tmp_path / "tap-there").mkdir()
    project_in(tmp_path / "tap-folder")
    before = sorted(tmp_path.rglob("*"))

    with pytest.raises(UsageError, match=complaint):
        new_tap(tmp_path, name, extends=extends)

    assert sorted(tmp_path.rglob("*")) == before


# ── it runs ──────────────────────────────────────────────────────────────────────────────────────


def rows(workspace, tap):
    return workspace.query(f"select id, name from {tap}.items order by id").to_pylist()


def test_a_new_tap_is_installed_as_it_stands_and_a_change_of_its_code_is_what_runs_next(workspace, tmp_path):
    made = new_tap(tmp_path, "files", kind=Kind.PLAIN)
    workspace.add_tap(made.add_tap[1])
    workspace.configure("files", set={"folder": str(tmp_path / "rows")})

    first = workspace.run("files")
    streams = made.folder / "tap_files" / "streams.py"
    streams.write_text(streams.read_text().replace("yield record", 'yield {**record, "name": record["name"].upper()}'))
    second = workspace.run("files", full_refresh=None)

    assert first.run.read == {"items": 3, "labels": 1}
    assert second.run.read == {"items": 3, "labels": 1}
    assert rows(workspace, "files") == [{"id": n, "name": f"ITEM {n}"} for n in (1, 2, 3)]


@pytest.mark.parametrize("extends", ["./tap-files", "files"])
def test_a_tap_that_specialises_another_runs_with_the_code_of_both(workspace, tmp_path, extends, monkeypatch):
    base = new_tap(tmp_path, "files", kind=Kind.PLAIN)
    workspace.add_tap(base.add_tap[1])
    if extends == "files":
        # The name of a tap means one of the workspace that one stands in.
        monkeypatch.chdir(workspace.paths.root)
        made = Workspace.new_tap(workspace.paths.root, "special", extends=extends)
    else:
        made = new_tap(tmp_path, "special", extends=extends)
    _, package, _, beside = made.add_tap
    workspace.add_tap(package, extras=[beside])
    workspace.configure("special", set={"folder": str(tmp_path / "rows"), "only": ["items"]})
    assert workspace.run("special").run.read == {"items": 3}

    streams = base.folder / "tap_files" / "streams.py"
    streams.write_text(streams.read_text().replace("yield record", 'yield {**record, "name": "changed"}'))
    workspace.run("special", full_refresh=None)

    assert made.base == "tap-files"
    assert rows(workspace, "special") == [{"id": n, "name": "changed"} for n in (1, 2, 3)]
