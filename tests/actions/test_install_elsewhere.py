"""Installing on a machine that lacks the Python of a lock: a lock serves later Pythons too."""

import shutil
import sys

import pytest

from orchestrator.actions.add_tap import add_tap
from orchestrator.actions.install import install
from orchestrator.errors import EnvironmentBroken

OURS = f"{sys.version_info.major}.{sys.version_info.minor}"


def added_on(python: str, shop, index) -> None:
    """A tap whose lock says that it was resolved on another machine, for `python`."""
    index.add("tap-shapes")
    add_tap(shop, "tap-shapes")
    shutil.rmtree(shop.builds("shapes"))
    lock = shop.lock("shapes")
    lock.write_text(lock.read_text().replace(f'# python = "{OURS}"', f'# python = "{python}"'))


def test_a_lock_of_an_older_python_that_is_not_here_is_built_on_ours(shop, index):
    added_on("3.2", shop, index)

    (installed,) = install(shop, frozen=True)

    assert installed.python.startswith(f"{OURS}.")
    assert not installed.resolved


def test_a_lock_of_a_later_python_that_is_not_here_cannot_be_built(shop, index):
    added_on("3.99", shop, index)

    with pytest.raises(EnvironmentBroken, match=r"there is no Python 3\.99 on this machine"):
        install(shop, frozen=True)
