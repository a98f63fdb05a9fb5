"""Removing a tap: everything that was made for it goes, everything that it brought stays."""

import pytest

from orchestrator import durable
from orchestrator.actions.add_tap import add_tap
from orchestrator.actions.remove_tap import remove_tap
from orchestrator.config import editing, read_config
from orchestrator.envs import in_use
from orchestrator.errors import AlreadyRunning, UnknownName, UsageError


def test_a_removed_tap_leaves_its_history_and_nothing_else(shop, index):
    index.add("tap-shapes")
    add_tap(shop, "tap-shapes")
    durable.write(shop.catalog("shapes"), "{}")
    durable.write(shop.commit_log("shapes"), "")

    removed = remove_tap(shop, "shapes")

    assert removed.flows == ("shapes",)
    config = read_config(shop.config)
    assert (config.taps, config.flows) == ({}, {})
    assert list(shop.envs.iterdir()) == [shop.bytecode]
    assert list(shop.catalogs.iterdir()) == []
    assert shop.commit_log("shapes").exists()


def test_a_tap_whose_flow_runs_is_not_removed(shop, index):
    index.add("tap-shapes")
    add_tap(shop, "tap-shapes")

    with durable.lock(shop.running("shapes"), note="pid 4711"), pytest.raises(AlreadyRunning) as raised:
        remove_tap(shop, "shapes")

    assert raised.value.cause == "pid 4711"
    assert in_use(shop, "shapes").version == "1.0"


def test_a_tap_that_others_inherit_from_is_not_removed(shop, index):
    index.add("tap-shapes")
    add_tap(shop, "tap-shapes")
    editing.add_tap(shop.config, "shapes-eu", {"inherit": "shapes"})

    with pytest.raises(UsageError, match="cannot be removed"):
        remove_tap(shop, "shapes")

    assert in_use(shop, "shapes").version == "1.0"


def test_an_heir_goes_without_the_environment_it_shared(shop, index):
    index.add("tap-shapes")
    add_tap(shop, "tap-shapes")
    editing.add_tap(shop.config, "shapes-eu", {"inherit": "shapes"})

    remove_tap(shop, "shapes-eu")

    assert list(read_config(shop.config).taps) == ["shapes"]
    assert in_use(shop, "shapes").version == "1.0"


def test_a_tap_that_does_not_exist_is_told(shop):
    with pytest.raises(UnknownName):
        remove_tap(shop, "shapes")
