"""Upgrading and going back: the environment before is kept, whole, until the next one has proven itself."""

import os
import platform
import subprocess

import pytest

from orchestrator import durable
from orchestrator.actions.add_tap import add_tap
from orchestrator.actions.install import install
from orchestrator.actions.rollback_tap import rollback_tap
from orchestrator.actions.starting import discover_tap, prepare
from orchestrator.actions.upgrade_tap import upgrade_tap
from orchestrator.config import editing, read_config
from orchestrator.envs import in_use
from orchestrator.envs.lock import VersionChange
from orchestrator.errors import DoesNotStart, EnvironmentBroken, TapFailed, UnknownName, UsageError
from orchestrator.events import Event, Note
from tests.packages.index import OF_THE_SDK, STEADY


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


def test_an_upgrade_that_does_not_start_is_mended_by_the_command_in_the_error(shop, index):
    index.add("tap-shapes", "1.0")
    add_tap(shop, "tap-shapes")
    index.add("tap-shapes", "2.0", source=f"import rarely_installed\n{STEADY}")
    index.add("rarely-installed", commands=[])

    with pytest.raises(DoesNotStart) as raised:
        upgrade_tap(shop, "shapes")
    assert raised.value.hint == "orchestrator upgrade shapes --fix"
    upgrade_tap(shop, "shapes", fix=lambda command: True)

    assert version_in_use(shop) == "2.0"
    assert read_config(shop.config).taps["shapes"].extras == ("rarely_installed",)


def test_an_upgrade_does_not_insist_on_a_python_that_is_gone(shop, index):
    index.add("tap-shapes", "1.0")
    lock = add_tap(shop, "tap-shapes").lock
    lock.write_text(lock.read_text().replace('# python = "3.', '# python = "3.99'))
    index.add("tap-shapes", "2.0")

    upgraded = upgrade_tap(shop, "shapes")

    assert (upgraded.version, upgraded.python) == ("2.0", platform.python_version())


# ── what changes ─────────────────────────────────────────────────────────────────────────────────


def offering(*streams: str, asks_for: str = "") -> str:
    """A tap that offers streams, once its config says what it asks for."""
    catalog = {"streams": [{"tap_stream_id": each, "stream": each, "schema": {"properties": {}}} for each in streams]}
    return f"""
import json, sys

def main():
    if "--discover" in sys.argv:
        config = json.load(open(sys.argv[sys.argv.index("--config") + 1]))
        if {asks_for!r} and {asks_for!r} not in config:
            sys.exit("say {asks_for}")
        print(json.dumps({catalog}))
    else:
        print("--config FILE --catalog FILE --state FILE --discover")
"""


def discovered(shop) -> None:
    discover_tap(shop, prepare(shop, read_config(shop.config).taps["shapes"]))


def test_settings_that_the_new_version_understands_otherwise_are_told(shop, index):
    schema = '{"properties": {"corners": {"type": "%s"}, "%s": {"type": "string"}}, "required": [%s]}'
    index.add("tap-shapes", "1.0", source=OF_THE_SDK % (schema % ("integer", "edges", "")))
    add_tap(shop, "tap-shapes")
    index.add("tap-shapes", "2.0", source=OF_THE_SDK % (schema % ("string", "faces", '"corners"')))

    changed = upgrade_tap(shop, "shapes").settings

    assert [str(each) for each in changed] == [
        "setting corners was whole number, is now text, required",
        "setting edges is gone",
        "setting faces is new: text",
    ]


def test_streams_that_the_new_version_offers_otherwise_are_told_and_the_kept_catalog_stays(shop, index):
    index.add("tap-shapes", "1.0", source=offering("circles", "squares"))
    add_tap(shop, "tap-shapes")
    discovered(shop)
    kept = shop.catalog("shapes").read_bytes()
    index.add("tap-shapes", "2.0", source=offering("circles", "triangles"))

    changed = upgrade_tap(shop, "shapes").streams

    assert [str(each) for each in changed["shapes"]] == ["stream triangles is new", "stream squares is gone"]
    assert shop.catalog("shapes").read_bytes() == kept


def test_a_new_version_that_cannot_say_what_it_offers_does_not_come_into_use(shop, index):
    index.add("tap-shapes", "1.0", source=offering("circles"))
    add_tap(shop, "tap-shapes")
    discovered(shop)
    index.add("tap-shapes", "2.0", source=offering("circles", asks_for="corners"))

    with pytest.raises(TapFailed, match=r"tap-shapes 2\.0 ended with exit code 1 in discovery") as raised:
        upgrade_tap(shop, "shapes")

    assert raised.value.cause == "say corners"
    assert raised.value.data == "tap-shapes 1.0 stays in use; 2.0 cannot say what it offers"
    assert version_in_use(shop) == "1.0"
    assert environments(shop) == [in_use(shop, "shapes").environment]
    editing.set_tap_config(shop.config, "shapes", {"corners": 3})
    assert upgrade_tap(shop, "shapes").streams == {"shapes": ()}


def test_where_the_old_version_cannot_say_what_it_offers_nothing_is_compared(shop, index):
    index.add("tap-shapes", "1.0", source=offering("circles", asks_for="corners"))
    add_tap(shop, "tap-shapes")
    editing.set_tap_config(shop.config, "shapes", {"corners": 3})
    discovered(shop)
    editing.unset_tap_config(shop.config, "shapes", [["corners"]])
    index.add("tap-shapes", "2.0", source=offering("circles"))
    told: list[Event] = []

    upgraded = upgrade_tap(shop, "shapes", listen=told.append)

    assert (upgraded.version, upgraded.streams) == ("2.0", {})
    assert any("not compared" in event.text for event in told if isinstance(event, Note))


# ── who else runs in it, and what stays ──────────────────────────────────────────────────────────


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
