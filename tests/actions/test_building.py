"""What is built and tried out is code of others: it reaches what it is built with, and nothing of ours."""

import pytest

from orchestrator.actions.add_tap import add_tap
from orchestrator.actions.install import install
from orchestrator.errors import CannotBuild, DoesNotStart
from orchestrator.supervisor.launcher import landlock_version
from tests.packages.index import STEADY

needs_landlock = pytest.mark.skipif(not landlock_version(), reason="the kernel has no Landlock")

BUILDS_AND_LOOKS = """
from backend import *
from backend import build_wheel as build

def build_wheel(*arguments):
    open({path!r}, {mode!r}).close()
    return build(*arguments)
"""
STARTS_AND_LOOKS = "open({path!r}, {mode!r}).close()\n"


def reached(shop, tmp_path):
    """Files of ours that it would be a pity to lose or to tell."""
    shop.vault.write_text("age")
    kept = shop.commit_log("shapes")
    kept.parent.mkdir(parents=True)
    kept.write_text("")
    other = tmp_path / "diary"
    other.write_text("dear diary")
    return [(str(path), "r") for path in (shop.vault, kept, other)] + [(str(shop.config), "a")]


@needs_landlock
@pytest.mark.parametrize("place", range(4), ids=["the vault", "state", "another file", "orchestrator.toml"])
def test_what_is_built_reaches_nothing_of_ours(shop, index, tmp_path, place):
    path, mode = reached(shop, tmp_path)[place]
    index.add_source("tap-shapes", builds=BUILDS_AND_LOOKS.format(path=path, mode=mode))

    with pytest.raises(CannotBuild) as refused:
        add_tap(shop, "tap-shapes")

    assert "PermissionError" in (refused.value.cause or "")


@needs_landlock
@pytest.mark.parametrize("place", range(4), ids=["the vault", "state", "another file", "orchestrator.toml"])
def test_a_tap_that_is_tried_out_reaches_nothing_of_ours(shop, index, tmp_path, place):
    path, mode = reached(shop, tmp_path)[place]
    index.add("tap-shapes", source=STARTS_AND_LOOKS.format(path=path, mode=mode) + STEADY)

    with pytest.raises(DoesNotStart) as refused:
        add_tap(shop, "tap-shapes")

    assert "PermissionError" in (refused.value.cause or "")


def test_without_its_sandbox_a_tap_is_built_without_one(shop, index, tmp_path):
    path, mode = reached(shop, tmp_path)[2]
    index.add("tap-shapes")
    add_tap(shop, "tap-shapes")
    index.add("tap-shapes", "2.0", source=STARTS_AND_LOOKS.format(path=path, mode=mode) + STEADY)
    text = shop.config.read_text()
    shop.config.write_text(text.replace('package = "tap-shapes"', 'package = "tap-shapes==2.0"\nsandbox = "none"'))

    (installed,) = install(shop)

    assert installed.version == "2.0"
