"""Pruning takes away what no lock names, and nothing that is in use."""

import subprocess
from pathlib import Path

import pytest

from orchestrator import durable
from orchestrator.actions.add_tap import add_tap
from orchestrator.actions.prune import prune
from orchestrator.actions.rollback_tap import rollback_tap
from orchestrator.actions.upgrade_tap import upgrade_tap
from orchestrator.config import editing
from orchestrator.envs import in_use
from orchestrator.errors import CannotResolve, UsageError
from orchestrator.events import Event, Note


@pytest.fixture
def upgraded(shop, index):
    """A workspace whose tap was upgraded once."""
    index.add("tap-shapes", "1.0")
    add_tap(shop, "tap-shapes")
    index.add("tap-shapes", "2.0")
    upgrade_tap(shop, "shapes")
    return shop


def everything_in(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


def test_the_environment_of_before_goes_and_with_it_the_way_back(upgraded):
    before = in_use(upgraded, "shapes").previous

    gone, compiled = prune(upgraded)

    assert compiled.what == "compiled for no environment"
    assert (gone.path, gone.what) == (Path("envs/shapes") / str(before), "not in use any more")
    assert gone.size > 0
    assert not upgraded.build("shapes", str(before)).exists()
    assert subprocess.run([in_use(upgraded, "shapes").executable, "--help"], capture_output=True).returncode == 0
    with pytest.raises(UsageError, match="the only one it ever had"):
        rollback_tap(upgraded, "shapes")
    assert prune(upgraded) == ()


def test_a_dry_run_tells_the_same_and_changes_nothing(upgraded):
    before = everything_in(upgraded.root)

    told = prune(upgraded, dry_run=True)

    assert everything_in(upgraded.root) == before
    assert prune(upgraded) == told


def test_what_a_tap_leaves_that_was_taken_out_by_hand_goes_with_its_lock(upgraded):
    editing.remove_tap(upgraded.config, "shapes")
    kept = in_use(upgraded, "shapes").environment

    assert [gone.path.name for gone in prune(upgraded)] != [kept]
    assert upgraded.build("shapes", kept).exists(), "a lock still names it"
    upgraded.lock("shapes").unlink()
    assert [gone.what for gone in prune(upgraded)] == ["of a tap that is gone", "compiled for no environment"]
    assert not upgraded.builds("shapes").exists()


def test_a_build_that_was_killed_and_what_a_failed_one_said_go(shop, index):
    index.add("tap-shapes")
    add_tap(shop, "tap-shapes")
    durable.make_folder(shop.build("shapes", "0123456789abcdef"))
    with pytest.raises(CannotResolve):
        add_tap(shop, "tap-absent")

    gone = prune(shop)

    assert [(each.path.name, each.what) for each in gone] == [
        (".absent.log", "what was said when it could not be built"),
        ("0123456789abcdef", "never finished, or not whole"),
    ]
    assert in_use(shop, "shapes").version == "1.0"


def test_what_is_in_use_stays_when_its_lock_says_something_else_by_now(upgraded):
    upgraded.lock("shapes").write_text(
        upgraded.lock("shapes").read_text().replace("tap-shapes==2.0", "tap-shapes==3.0")
    )

    prune(upgraded)

    assert in_use(upgraded, "shapes").version == "2.0"


def test_while_a_flow_runs_nothing_of_its_tap_goes(upgraded):
    told: list[Event] = []

    with durable.lock(upgraded.running("shapes")):
        assert prune(upgraded, listen=told.append) == ()

    assert [event.text for event in told if isinstance(event, Note)] == [
        'a flow of tap "shapes" is running: its environments stay'
    ]
