"""Each kind of remedy, on a tap of the index that needs it."""

from pathlib import Path

import pytest

from orchestrator import Workspace
from orchestrator.config import Tap
from orchestrator.envs.interpreter import interpreters, ours
from orchestrator.envs.lock import read_lock
from orchestrator.envs.uv import Uv
from orchestrator.errors import DoesNotStart

pytestmark = pytest.mark.index

OLDEST_IN_USE = (3, 9)


def pythons(*, until: tuple[int, int]) -> list[str]:
    """Other Pythons of this machine that people still use, the newest first."""
    here = [each for each in interpreters(Uv(Path("/"))) if OLDEST_IN_USE <= each.age <= until]
    return [each.minor for each in here if each.minor != ours().minor]


def mended(workspace: Workspace, package: str) -> Tap:
    """The tap as it was added, with the first remedy that worked."""
    added = workspace.add_tap(package, fix=lambda command: True)
    return workspace.config.tap(added.id)


def test_what_a_tap_does_not_say_that_it_needs_is_put_beside_it(workspace):
    with pytest.raises(DoesNotStart, match=r"tap-gitlab 0\.5\.1 installs but does not start") as raised:
        workspace.add_tap("tap-gitlab==0.5.1")

    assert str(raised.value.hint).endswith("--with pytz")


@pytest.mark.skipif(not pythons(until=(3, 9)), reason="there is no Python 3.9 here")
def test_what_python_took_away_leads_to_a_python_that_has_it(workspace):
    assert mended(workspace, "tap-facebook==1.9.0").python == "3.9"


@pytest.mark.skipif(not pythons(until=(3, 9)), reason="there is no Python 3.9 here")
def test_a_day_is_a_remedy_for_all_that_came_after_it(workspace):
    added = workspace.add_tap("tap-zendesk==1.0.0", python="3.9", exclude_newer="2018-07-24")

    lock = read_lock(added.lock)
    assert lock is not None
    assert lock.versions()["urllib3"] == "1.23"


def test_a_version_that_cannot_be_built_is_overridden(workspace, only_our_python):
    assert "orjson>3.6.1" in mended(workspace, "pipelinewise-tap-kafka==8.2.1").overrides


@pytest.mark.skipif(ours().age > (3, 11), reason="no setuptools of that time runs on this Python")
def test_old_sources_are_built_with_a_setuptools_of_their_time(workspace, only_our_python):
    assert mended(workspace, "tap-adwords==1.13.1").build_constraints == ("setuptools<58",)
