"""A run whose tap reaches one of its limits fails and says which; what was committed stays."""

import pytest

from orchestrator.actions.starting import discover_tap, prepare
from orchestrator.errors import LimitExceeded, OutOfTime
from orchestrator.state import Status
from tests.workspaces import TAP

# A tap that is not ended, or not seen to end, is waited for without end.
pytestmark = pytest.mark.timeout(60)

AFTER_FOUR_ROWS = 1 + 4 + 2
AFTER_FIVE_ROWS = AFTER_FOUR_ROWS + 1


@pytest.fixture
def limited(workspace):
    """A function that gives the tap limits and an accident in the middle of its ten rows."""
    workspace.source(issues={"rows": 10})
    workspace.settle(commit_rows=2)

    def limit(limits, **accident):
        workspace.choose(limits=limits)
        workspace.behave(state_every=2, accidents=[{"after": AFTER_FIVE_ROWS, **accident}] if accident else [])
        return workspace

    return limit


def test_a_tap_over_its_memory_is_ended_and_what_settled_stays(limited):
    workspace = limited({"memory": "200 MB"}, allocate=1_000_000_000)

    with pytest.raises(LimitExceeded, match=r"tap-fake 1.0 used more than 200 MB of memory, and was ended") as failed:
        workspace.run()

    assert failed.value.exit_code == 1
    assert workspace.last_run.status is Status.FAILED
    assert workspace.numbers("issues") == [1, 2, 3, 4]
    limited({})
    workspace.run()
    assert workspace.numbers("issues") == list(range(1, 11))


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"timeout": 3}, "was not done after 3 s"),
        ({"idle_timeout": "2 s"}, "said nothing for 2 s"),
    ],
)
def test_a_tap_that_hangs_is_out_of_time_and_what_settled_stays(limited, limits, said):
    workspace = limited(limits, hang=60)

    with pytest.raises(OutOfTime, match=said) as failed:
        workspace.run()

    assert failed.value.exit_code == workspace.last_run.exit_code == 124
    assert workspace.numbers("issues") == [1, 2, 3, 4]
    limited({})
    workspace.run()
    assert workspace.numbers("issues") == list(range(1, 11))


def test_at_the_end_of_its_time_what_came_before_a_state_settles(limited):
    workspace = limited({"timeout": 3}, after=AFTER_FOUR_ROWS, hang=60)
    workspace.settle(commit_rows=1000)

    with pytest.raises(OutOfTime):
        workspace.run()

    assert workspace.numbers("issues") == [1, 2, 3, 4]


def test_a_discovery_that_hangs_is_out_of_time(workspace, tmp_path):
    (tmp_path / "hanging.py").write_text("import time; time.sleep(600)")
    workspace.install("config", "discover", "catalog", program=str(tmp_path / "hanging.py"))
    workspace.choose(limits={"idle_timeout": 0.5})

    with pytest.raises(OutOfTime, match=r"said nothing for 0.5 s"):
        discover_tap(workspace.paths, prepare(workspace.paths, workspace.config.tap(TAP)))
