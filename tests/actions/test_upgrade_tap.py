"""Upgrading and going back: the environment before is kept, whole, until the next one has proven itself."""

import os
import subprocess

import pytest

from orchestrator import durable
from orchestrator.actions.add_tap import add_tap
from orchestrator.actions.install import install
from orchestrator.actions.rollback_tap import rollback_tap
from orchestrator.actions.upgrade_tap import upgrade_tap
from orchestrator.config import editing
from orchestrator.envs import in_use
from orchestrator.envs.lock import VersionChange
from orchestrator.errors import DoesNotStart, EnvironmentBroken, UnknownName, UsageError


def version_in_use(shop) -> str:
    return in_use(shop, "shapes").version


def environments(shop) -> list[str]:
    return sorted(path.name for path in shop.builds("shapes").iterdir() if path.is_dir())


def test_an_upgrade_takes_the_newest_and_tells_what_changed(shop, index):
    index.add("shapes-of-old", "3.0")
    index.add("tap-shapes", "1.0", requires=["shapes-of-old"])
    add_tap(shop, "tap-shapes")
    index.add("tap-shapes", "2.0", requires=["colours"])
    index.add("colours")

    upgraded = upgrade_tap(shop, "shapes")

    assert (upgraded.before, upgraded.version, upgraded.pinned) == ("1.0", "2.0", False)
    assert upgraded.changes == (
        VersionChange("colours", None, "1.0"),
        VersionChange("shapes-of-old", "3.0", None),
        VersionChange("tap-shapes", "1.0", "2.0"),
    )
    assert version_in_use(shop) == "2.0"


def test_a_version_that_is_pinned_stays_while_its_dependencies_move(shop, index):
    index.add("shapes-of-old", "3.0")
    index.add("tap-shapes", "1.0", requires=["shapes-of-old"])
    add_tap(shop, "tap-shapes==1.0")
    index.add("tap-shapes", "2.0")
    index.add("shapes-of-old", "4.0")

    upgraded = upgrade_tap(shop, "shapes")

    assert (upgraded.version, upgraded.pinned) == ("1.0", True)
    assert upgraded.changes == (VersionChange("shapes-of-old", "3.0", "4.0"),)


def test_an_upgrade_to_what_is_there_changes_nothing(shop, index):
    index.add("tap-shapes")
    add_tap(shop, "tap-shapes")
    before = shop.receipt("shapes").read_bytes()

    assert upgrade_tap(shop, "shapes").changes == ()
    assert shop.receipt("shapes").read_bytes() == before


def test_an_upgrade_that_does_not_start_leaves_the_old_one_in_use(shop, index):
    index.add("tap-shapes", "1.0")
    add_tap(shop, "tap-shapes")
    index.add("tap-shapes", "2.0", source="import rarely_installed")
    kept = {path: path.read_bytes() for path in (shop.config, shop.lock("shapes"), shop.receipt("shapes"))}

    with pytest.raises(DoesNotStart, match=r"tap-shapes 2\.0"):
        upgrade_tap(shop, "shapes")

    assert {path: path.read_bytes() for path in kept} == kept
    assert environments(shop) == [in_use(shop, "shapes").environment]
    assert subprocess.run([in_use(shop, "shapes").executable, "--help"], capture_output=True).returncode == 0


def test_an_upgrade_of_an_heir_upgrades_the_environment_it_runs_in(shop, index):
    index.add("tap-shapes", "1.0")
    add_tap(shop, "tap-shapes")
    editing.add_tap(shop.config, "shapes-eu", {"inherit": "shapes"})
    index.add("tap-shapes", "2.0")

    upgrade_tap(shop, "shapes-eu")

    assert version_in_use(shop) == "2.0"


def test_only_the_environment_in_use_and_the_one_before_are_kept(shop, index):
    for version in ("1.0", "2.0", "3.0"):
        index.add("tap-shapes", version)
        add_tap(shop, "tap-shapes") if version == "1.0" else upgrade_tap(shop, "shapes")

    receipt = in_use(shop, "shapes")
    assert environments(shop) == sorted([receipt.environment, str(receipt.previous)])


def test_while_a_flow_runs_no_environment_is_swept(shop, index):
    index.add("tap-shapes", "1.0")
    add_tap(shop, "tap-shapes")

    with durable.lock(shop.running("shapes")):
        for version in ("2.0", "3.0"):
            index.add("tap-shapes", version)
            upgrade_tap(shop, "shapes")

    assert len(environments(shop)) == 3


def test_a_rollback_brings_back_the_environment_and_its_lock(shop, index):
    index.add("tap-shapes", "1.0")
    add_tap(shop, "tap-shapes")
    lock = shop.lock("shapes").read_text()
    index.add("tap-shapes", "2.0")
    upgrade_tap(shop, "shapes")

    back = rollback_tap(shop, "shapes")

    assert (back.before, back.version) == ("2.0", "1.0")
    assert back.changes == (VersionChange("tap-shapes", "2.0", "1.0"),)
    assert back.departures == ()
    assert version_in_use(shop) == "1.0"
    assert shop.lock("shapes").read_text() == lock
    install(shop, frozen=True)
    assert version_in_use(shop) == "1.0"


def test_a_second_rollback_goes_forward_again(shop, index):
    index.add("tap-shapes", "1.0")
    add_tap(shop, "tap-shapes")
    index.add("tap-shapes", "2.0")
    upgrade_tap(shop, "shapes")

    assert [rollback_tap(shop, "shapes").version for _ in range(2)] == ["1.0", "2.0"]


def test_a_rollback_tells_what_orchestrator_toml_still_asks_for(shop, index):
    index.add("tap-shapes", "1.0")
    add_tap(shop, "tap-shapes==1.0")
    index.add("tap-shapes", "2.0")
    editing.set_tap(shop.config, "shapes", {"package": "tap-shapes==2.0"})
    install(shop)

    assert rollback_tap(shop, "shapes").departures == ("package",)


def test_without_an_environment_before_there_is_nothing_to_go_back_to(shop, index):
    index.add("tap-shapes")
    add_tap(shop, "tap-shapes")

    with pytest.raises(UsageError, match="the only one it ever had"):
        rollback_tap(shop, "shapes")


def test_a_rollback_to_what_was_deleted_leaves_the_new_one_in_use(shop, index):
    index.add("tap-shapes", "1.0")
    old = add_tap(shop, "tap-shapes").executable
    index.add("tap-shapes", "2.0")
    upgrade_tap(shop, "shapes")
    os.unlink(old)

    with pytest.raises(EnvironmentBroken, match="cannot be run any more"):
        rollback_tap(shop, "shapes")

    assert version_in_use(shop) == "2.0"


def test_a_tap_that_does_not_exist_is_told(shop, index):
    with pytest.raises(UnknownName):
        upgrade_tap(shop, "shapes")
