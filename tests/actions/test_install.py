"""Installing: what the locks say comes to be on this machine, and no more than that is resolved."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from orchestrator.actions.add_tap import add_tap
from orchestrator.actions.install import install
from orchestrator.config import editing, read_config
from orchestrator.envs import in_use
from orchestrator.envs.lock import read_lock
from orchestrator.errors import CannotBuild, DamagedFile, EnvironmentBroken, NotInstalled
from orchestrator.events import Event, Note
from orchestrator.paths import Paths
from tests.packages.index import STEADY


def test_a_clone_is_rebuilt_from_its_locks_alone(shop, index):
    index.add("shapes-of-old", "3.0")
    index.add("tap-shapes", requires=["shapes-of-old"])
    add_tap(shop, "tap-shapes")
    lock = shop.lock("shapes").read_text()
    shutil.rmtree(shop.builds("shapes"))
    index.add("shapes-of-old", "4.0")

    (installed,) = install(shop, frozen=True)

    assert (installed.tap, installed.version, installed.resolved, installed.built) == ("shapes", "1.0", False, True)
    assert os.access(in_use(shop, "shapes").executable, os.X_OK)
    assert shop.lock("shapes").read_text() == lock


NAMES_ITS_TOOL = """
from backend import *
from backend import build_wheel as build
import tool

def build_wheel(*arguments):
    open("shapes_of_old.py", "w").write(f"TOOL = {tool.VERSION}")
    return build(*arguments)
"""


def test_what_is_built_again_is_built_with_tools_of_the_day_of_its_lock(shop, served_index):
    index = served_index
    index.add("tool", "1.0", source="VERSION = 1", commands=[])
    index.add_source("shapes-of-old", builds=NAMES_ITS_TOOL, requires=["tool"])
    index.add("tap-shapes", requires=["shapes-of-old"])
    add_tap(shop, "tap-shapes")

    def everything() -> dict[str, bytes]:
        environment = shop.build("shapes", in_use(shop, "shapes").environment)
        files = [each for each in environment.glob("lib/**/*") if each.is_file() and each.suffix != ".pyc"]
        return {str(each.relative_to(environment)): each.read_bytes() for each in files}

    before = everything()
    shutil.rmtree(shop.builds("shapes"))
    shutil.rmtree(os.environ["UV_CACHE_DIR"])
    index.add("tool", "2.0", source="VERSION = 2", commands=[], released="2999-01-01")
    install(shop, frozen=True)

    assert any(b"TOOL = 1" in content for content in before.values())
    assert everything() == before


def test_an_index_that_knows_no_days_is_built_from_all_the_same(shop, served_index):
    index = served_index
    index.add("tap-shapes")
    for told in index.told.values():
        del told["upload-time"]
    add_tap(shop, "tap-shapes")
    shutil.rmtree(shop.builds("shapes"))

    install(shop, frozen=True)

    assert in_use(shop, "shapes").version == "1.0"


def test_what_is_installed_is_left_alone(shop, index):
    index.add("tap-shapes")
    add_tap(shop, "tap-shapes")
    receipt = shop.receipt("shapes").read_bytes()
    told: list[Event] = []

    (installed,) = install(shop, listen=told.append)

    assert (installed.resolved, installed.built) == (False, False)
    assert shop.receipt("shapes").read_bytes() == receipt
    assert told == []


def test_a_lock_older_than_orchestrator_toml_is_resolved_anew_and_keeps_the_other_versions(shop, index):
    index.add("shapes-of-old", "3.0")
    index.add("tap-shapes", requires=["shapes-of-old"])
    add_tap(shop, "tap-shapes")
    index.add("shapes-of-old", "4.0")
    index.add("colours")
    editing.set_tap(shop.config, "shapes", {"with": ["colours"]})

    (installed,) = install(shop)

    assert (installed.resolved, installed.built) == (True, True)
    lock = read_lock(shop.lock("shapes"))
    assert lock is not None
    assert lock.versions() == {"colours": "1.0", "shapes-of-old": "3.0", "tap-shapes": "1.0"}


@pytest.mark.parametrize("change", [{"with": ["colours"]}, {"package": "tap-shapes==1.0"}, {"python": "3.99"}])
def test_frozen_refuses_to_resolve_what_orchestrator_toml_changed(shop, index, change):
    index.add("tap-shapes")
    add_tap(shop, "tap-shapes")
    if "python" in change:
        change = {"python": f"{sys.version_info.major}.{sys.version_info.minor - 1}"}
    editing.set_tap(shop.config, "shapes", change)
    before = shop.receipt("shapes").read_bytes()

    with pytest.raises(EnvironmentBroken) as raised:
        install(shop, frozen=True)

    assert raised.value.message == "envs/shapes.lock is not what orchestrator.toml asks for"
    assert raised.value.cause == f"not the same: {', '.join(change)}"
    assert shop.receipt("shapes").read_bytes() == before


def test_frozen_refuses_to_resolve_what_was_never_locked(shop, index):
    editing.add_tap(shop.config, "shapes", {"package": "tap-shapes"})

    with pytest.raises(EnvironmentBroken, match=r"envs/shapes\.lock is missing"):
        install(shop, frozen=True)


def test_a_tap_written_into_orchestrator_toml_by_hand_is_resolved_and_built(shop, index):
    index.add("tap-shapes")
    editing.add_tap(shop.config, "shapes", {"package": "tap-shapes"})

    (installed,) = install(shop)

    assert (installed.resolved, installed.built) == (True, True)
    assert in_use(shop, "shapes").version == "1.0"


def test_one_tap_that_fails_keeps_no_other_from_being_installed(shop, index):
    index.add("tap-shapes")
    for id in ("absent", "missing", "shapes"):
        editing.add_tap(shop.config, id, {"package": f"tap-{id}"})
    told: list[Event] = []

    with pytest.raises(EnvironmentBroken, match="no versions were found for tap-absent"):
        install(shop, listen=told.append)

    assert in_use(shop, "shapes").version == "1.0"
    assert any("tap-missing" in event.text for event in told if isinstance(event, Note))


def test_a_tap_that_does_not_start_is_mended_by_the_command_in_the_error(shop, index):
    index.add("tap-shapes", source=f"import rarely_installed\n{STEADY}")
    index.add("rarely-installed", commands=[])
    editing.add_tap(shop.config, "shapes", {"package": "tap-shapes"})
    before = shop.config.read_text()

    with pytest.raises(EnvironmentBroken) as raised:
        install(shop)
    assert raised.value.hint == "orchestrator install --fix"
    assert raised.value.data == "nothing was changed; with --with rarely_installed it was tried, and the tap starts"
    assert shop.config.read_text() == before

    asked: list[str] = []

    def agree(command: str) -> bool:
        asked.append(command)
        return True

    install(shop, fix=agree)
    assert asked == ['under [taps.shapes] say with = ["rarely_installed"]; then: orchestrator install']
    assert read_config(shop.config).taps["shapes"].extras == ("rarely_installed",)
    assert install(shop, frozen=True)[0].version == "1.0"


def test_a_locked_environment_that_this_machine_cannot_build_is_not_made_another(shop, index):
    builds = (
        "import os\nif os.path.exists({!r}): raise OSError('/bin/sh: 1: pg_config: not found')\nfrom backend import *"
    )
    index.add_source("shapes-of-old", builds=builds.format(str(shop.root / "another machine")))
    index.add("tap-shapes", requires=["shapes-of-old"])
    lock = add_tap(shop, "tap-shapes").lock
    before = lock.read_text()
    shutil.rmtree(shop.builds("shapes"))
    shutil.rmtree(os.environ["UV_CACHE_DIR"])
    (shop.root / "another machine").touch()

    with pytest.raises(CannotBuild, match="the environment of tap-shapes cannot be built") as raised:
        install(shop, fix=lambda command: True)

    assert raised.value.hint == "sudo apt-get install libpq-dev && orchestrator install"
    assert lock.read_text() == before


def test_taps_that_inherit_share_one_environment(shop, index):
    index.add("tap-shapes")
    add_tap(shop, "tap-shapes")
    editing.add_tap(shop.config, "shapes-eu", {"inherit": "shapes"})

    assert [installed.tap for installed in install(shop)] == ["shapes"]


def test_a_workspace_that_was_moved_is_told_from_an_installed_one_and_mended(shop, index):
    index.add("tap-shapes")
    add_tap(shop, "tap-shapes")
    moved = Paths(shop.root.rename(shop.root.parent / "moved"))

    with pytest.raises(NotInstalled, match="not on this machine any more") as raised:
        in_use(moved, "shapes")
    assert raised.value.hint == "orchestrator install"
    install(moved)
    assert in_use(moved, "shapes").executable.startswith(str(moved.root))


def test_a_copy_of_a_workspace_does_not_run_the_environments_of_the_original(shop, index):
    index.add("tap-shapes")
    add_tap(shop, "tap-shapes")
    copy = Paths(Path(shutil.copytree(shop.root, shop.root.parent / "copy", symlinks=True)))

    with pytest.raises(NotInstalled):
        in_use(copy, "shapes")


def test_a_damaged_receipt_says_so_and_install_mends_it(shop, index):
    index.add("tap-shapes")
    add_tap(shop, "tap-shapes")
    shop.receipt("shapes").write_text('{"environment": 7}')

    with pytest.raises(DamagedFile, match="is not a receipt") as raised:
        in_use(shop, "shapes")
    assert raised.value.hint == "orchestrator install"
    install(shop)
    assert in_use(shop, "shapes").version == "1.0"


def test_a_damaged_lock_is_not_quietly_replaced(shop, index):
    index.add("tap-shapes")
    add_tap(shop, "tap-shapes")
    shop.lock("shapes").write_text("<<<<<<< HEAD\n")

    with pytest.raises(DamagedFile, match="is not a lock") as raised:
        install(shop)

    assert str(raised.value.hint).startswith("orchestrator upgrade shapes")


def test_content_that_is_not_what_was_locked_is_refused(shop, index):
    index.add("tap-shapes")
    add_tap(shop, "tap-shapes")
    shutil.rmtree(shop.builds("shapes"))
    shutil.rmtree(os.environ["UV_CACHE_DIR"])
    index.add("tap-shapes", source="def main(): print('something else')")

    with pytest.raises(CannotBuild) as raised:
        install(shop)

    assert "Hash mismatch" in str(raised.value.cause)
    assert "orchestrator upgrade shapes" in str(raised.value.hint)
    assert not shop.receipt("shapes").exists()


def test_an_environment_that_was_never_finished_is_built_anew(shop, index):
    index.add("tap-shapes")
    add_tap(shop, "tap-shapes")
    environment = in_use(shop, "shapes").environment
    shop.built_receipt("shapes", environment).unlink()
    (shop.build("shapes", environment) / "half-written").touch()
    shop.receipt("shapes").unlink()

    install(shop)

    assert in_use(shop, "shapes").environment == environment
    assert not (shop.build("shapes", environment) / "half-written").exists()
