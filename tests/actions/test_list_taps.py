"""Listing taps: how each stands, without touching anything."""

import shutil

from orchestrator.actions.add_tap import add_tap
from orchestrator.actions.list_taps import list_taps
from orchestrator.config import editing
from orchestrator.envs.standing import Standing


def test_a_tap_that_was_added_is_ready(shop, index):
    index.add("tap-shapes")
    added = add_tap(shop, "tap-shapes")

    (tap,) = list_taps(shop)

    assert (tap.id, tap.environment, tap.package, tap.version) == ("shapes", "shapes", "tap-shapes", "1.0")
    assert (tap.python, tap.executable, tap.flows) == (added.python, added.executable, ("shapes",))
    assert tap.standing is Standing.READY


def test_after_a_clone_a_tap_is_not_installed(shop, index):
    index.add("tap-shapes")
    add_tap(shop, "tap-shapes")
    shutil.rmtree(shop.builds("shapes"))

    (tap,) = list_taps(shop)

    assert (tap.version, tap.executable, tap.standing) == (None, None, Standing.NOT_INSTALLED)


def test_a_tap_whose_settings_or_lock_were_changed_differs(shop, index):
    index.add("tap-shapes")
    add_tap(shop, "tap-shapes")
    lock = shop.lock("shapes").read_text()

    editing.set_tap(shop.config, "shapes", {"with": ["colours"]})
    assert list_taps(shop)[0].standing is Standing.DIFFERS
    editing.set_tap(shop.config, "shapes", {"with": None})
    assert list_taps(shop)[0].standing is Standing.READY
    shop.lock("shapes").write_text(lock.replace("tap-shapes==1.0", "tap-shapes==2.0"))
    assert list_taps(shop)[0].standing is Standing.DIFFERS
    shop.lock("shapes").write_text("<<<<<<< HEAD\n")
    assert list_taps(shop)[0].standing is Standing.DIFFERS


def test_an_heir_stands_as_the_tap_it_inherits_from(shop, index):
    index.add("tap-shapes")
    add_tap(shop, "tap-shapes")
    editing.add_tap(shop.config, "shapes-eu", {"inherit": "shapes"})

    heir = list_taps(shop)[1]

    assert (heir.id, heir.environment, heir.standing, heir.flows) == ("shapes-eu", "shapes", Standing.READY, ())
