"""Environments share what they hold: ten of one family take little more room than one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.actions.add_tap import add_tap
from orchestrator.actions.prune import prune
from orchestrator.actions.remove_tap import remove_tap
from orchestrator.envs import in_use
from tests.packages.index import STEADY

MODULE = "".join(f"def function_{number}(): return {number}\n" for number in range(20_000))
"""A library of some size, also when it is compiled."""


def room(*folders: Path) -> int:
    """The bytes that folders take on the disk together."""
    files = {each.stat().st_ino: each.stat().st_blocks * 512 for folder in folders for each in folder.rglob("*")}
    return sum(files.values())


@pytest.fixture
def family(shop, index):
    """Adds taps that share a library, and gives the folder of each."""
    index.add("shapes-of-old", source=MODULE, commands=[])

    def add(*names: str) -> list[Path]:
        for name in names:
            index.add(f"tap-{name}", source=f"import shapes_of_old\n{STEADY}", requires=["shapes-of-old"])
            add_tap(shop, f"tap-{name}")
        return [shop.builds(name) for name in names]

    return add


def test_ten_environments_of_one_family_take_little_more_room_than_one(shop, family):
    (first,) = family("shapes-0")
    others = family(*(f"shapes-{number}" for number in range(1, 10)))

    modules = {path.stat().st_ino for folder in (first, *others) for path in folder.rglob("shapes_of_old.*py*")}
    assert len(modules) == 2, "the module, and the same compiled"
    assert room(shop.envs) < 1.5 * (room(first, shop.bytecode))


def test_a_shared_module_knows_in_each_environment_where_it_is(shop, family):
    folders = family("shapes", "forms")

    for folder in folders:
        (python,) = folder.glob("*/bin/python")
        told = subprocess.check_output(
            [python, "-c", "import shapes_of_old as it; print(it.function_1.__code__.co_filename, it.__cached__)"],
            text=True,
        )
        where, compiled = told.split()
        assert Path(where).is_relative_to(folder)
        assert Path(compiled).stat().st_nlink == 1 + len(folders)


def test_a_module_that_is_changed_in_one_environment_is_compiled_anew_there_alone(shop, family):
    changed, other = family("shapes", "forms")
    (module,) = changed.rglob("shapes_of_old.py")
    content = module.read_text()
    module.unlink()
    module.write_text(content.replace("return 1\n", "return 'changed'\n"))
    os.utime(module, (1, 1))

    def told(folder: Path) -> str:
        (python,) = folder.glob("*/bin/python")
        return subprocess.check_output(
            [python, "-c", "import shapes_of_old; print(shapes_of_old.function_1())"], text=True
        ).strip()

    assert (told(changed), told(other)) == ("changed", "1")


def test_compiled_modules_go_with_the_last_environment_that_has_them(shop, family):
    _, forms = family("shapes", "forms")
    (shared,) = forms.rglob("shapes_of_old.*.pyc")

    def kept() -> list[int]:
        return [each.stat().st_ino for each in shop.bytecode.rglob("*") if each.is_file()]

    remove_tap(shop, "shapes")
    prune(shop)
    assert shared.stat().st_ino in kept()
    remove_tap(shop, "forms")
    (gone,) = prune(shop)
    assert (gone.path, gone.what) == (Path("envs/.bytecode"), "compiled for no environment")
    assert kept() == []


@pytest.mark.skipif(sys.version_info < (3, 8), reason="older Pythons compile for themselves")
def test_a_tap_starts_from_what_was_compiled_for_another(shop, family):
    first, second = family("shapes", "forms")

    (compiled,) = second.rglob("shapes_of_old.*.pyc")
    assert compiled.samefile(next(first.rglob("shapes_of_old.*.pyc")))
    assert subprocess.run([in_use(shop, "forms").executable, "--help"], capture_output=True).returncode == 0
