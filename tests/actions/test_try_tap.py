"""A tap is tried for real: it is started in every way that tells something, and what it did is judged."""

import json

import pytest

from orchestrator.actions import listening
from orchestrator.actions.listening import Limits
from orchestrator.actions.record_tap import record_tap
from orchestrator.actions.try_tap import try_tap
from orchestrator.contract import Verdict
from tests.workspaces import PROGRAM, TAP

SECRET = "glpat-Qx7~b/9z"


def tried(workspace, **limits):
    """What was found against each point that is broken, and why points could not be tried."""
    found = try_tap(workspace.paths, workspace.config, TAP, Limits(30, **limits))
    broken = {each.point.id: each.found for each in found.judged if each.verdict is Verdict.BROKEN}
    return broken, {each.point.id: each.found for each in found.judged if each.verdict is Verdict.NOT_TRIED}


@pytest.fixture
def source(workspace):
    """A tap with a stream of each kind; more rows than a pipe takes in."""
    workspace.source(issues={"rows": 300}, labels={"rows": 3, "method": "FULL_TABLE"}, events={"rows": 5, "key": []})
    workspace.behave(state_every=50)
    return workspace


# The fake tap pays no heed to columns, and has no secret to refuse.
ALWAYS = {"messages.columns"}


def test_a_tap_is_held_against_every_point(source):
    broken, untried = tried(source)

    assert broken.keys() == ALWAYS
    assert untried.keys() == {"state.rhythm", "secrets.log", "secrets.messages", "secrets.refused"}


def test_a_tap_of_the_sdk_keeps_every_point_that_can_be_tried(workspace):
    workspace.install("about", "catalog", "config", "discover", "state", program=str(PROGRAM.parent / "tap_sdk.py"))
    workspace.behave(projects=100)

    broken, _ = tried(workspace)

    assert broken == {}


def test_a_cassette_is_as_good_a_tap_as_the_one_that_was_recorded(source):
    recorded = record_tap(source.paths, source.config, TAP, Limits(30))
    source.install(program=str(recorded.folder / "tap_cassette.py"))

    broken, _ = tried(source)

    assert broken.keys() == {"start.settings"}


@pytest.mark.parametrize(
    ("behaviour", "id", "found"),
    [
        ({"accidents": [{"after": 5, "babble": "oops"}]}, "messages.only", "oops"),
        ({"accidents": [{"after": 310, "raise": "boom"}]}, "messages.ends-well", "exit code 1: RuntimeError: boom"),
        ({"discovers": False}, "discovery.catalog", "it is not JSON"),
        ({"state_at_end": False}, "state.last", "8 rows came after it"),
    ],
)
def test_what_a_tap_does_wrong_is_found(source, behaviour, id, found):
    source.behave(**behaviour)

    broken, _ = tried(source)

    assert found in broken[id]


def test_a_tap_that_does_not_listen_when_it_is_stopped_is_found(source, monkeypatch):
    monkeypatch.setattr(listening, "GRACE", 0.5)
    source.source(issues={"endless": True})
    source.behave(at_sigterm=-1)

    broken, _ = tried(source, records=200)

    assert broken["stop.soon"] == "it did not end within 0.5 s"


def test_rows_that_are_lost_when_it_breaks_off_are_found(source):
    """Its last STATE is one of rows that did not come yet."""
    source.behave(bows="with a state", state_ahead=True)

    broken, _ = tried(source)

    assert "rows of issues were missing" in broken["stop.loses-nothing"]
    assert "came after a STATE" in broken["state.covers"]


def test_a_secret_that_shows_is_found_and_not_shown_again(source, monkeypatch):
    monkeypatch.setenv("SHOP_TOKEN", SECRET)
    source.behave(private_token={"env": "SHOP_TOKEN"}, confess=True)

    found = try_tap(source.paths, source.config, TAP, Limits(30))

    broken = {each.point.id: each.found for each in found.judged if each.verdict is Verdict.BROKEN}
    assert broken.keys() == {*ALWAYS, "secrets.log", "secrets.refused"}
    assert '"private_token": "***"' in str(broken["secrets.log"])
    assert SECRET not in str(found)


def test_a_trial_moves_no_bookmark_and_leaves_nothing_behind(source):
    tried(source)

    assert source.held_state() is None
    assert [path for path in source.paths.state.rglob("*") if path.is_file()] == []
    assert not source.paths.catalog(TAP).exists()


def test_a_trial_hears_no_more_than_it_was_asked_to(source):
    source.source(issues={"endless": True})

    broken, untried = tried(source, records=200)

    assert broken == {}
    assert untried["messages.ends-well"] == "200 records were heard; --records 0 and more --seconds hear more of it"
    assert "stop.soon" not in untried


def test_a_tap_without_a_catalog_can_be_tried(workspace):
    workspace.install("config", "state", program=str(PROGRAM.parent / "tap_verbatim.py"))
    said = [{"type": "SCHEMA", "stream": "s", "schema": {}}, {"type": "STATE", "value": {"s": 1}}]
    workspace.behave(messages=[json.dumps(each) for each in said])

    broken, untried = tried(workspace)

    assert broken.keys() == {"start.options"}
    assert untried["messages.announced"] == "it takes no catalog"
