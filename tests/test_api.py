"""Everything the command line does is a call in Python that gives a value."""

import pytest

import orchestrator
from orchestrator import EVERYTHING, Workspace, errors
from orchestrator.cli.program import COMMANDS
from tests.workspaces import FakeWorkspace

WITHOUT_A_WORKSPACE = {"load", "completion"}
FACES = {"up", "down"}
"""What presses the verbs of a workspace itself."""
OTHERWISE_CALLED = {
    "config": "configure",
    "logs": "log",
    "metrics": "measure",
    "notify": "told",
    "secret": "set_secret",
    "tap": "new_tap",
}


@pytest.fixture
def shop(tmp_path):
    workspace = FakeWorkspace(tmp_path)
    workspace.source(issues={"rows": 3})
    return Workspace(workspace.paths)


def test_each_command_is_a_method():
    names = {name for section in COMMANDS.values() for name in section} - WITHOUT_A_WORKSPACE - FACES
    methods = {OTHERWISE_CALLED.get(name, name.replace("-", "_")) for name in names}

    assert {method for method in methods if not callable(getattr(Workspace, method, None))} == set()


def test_a_workspace_is_found_from_below(tmp_path):
    made = Workspace.init(tmp_path / "shop")

    assert Workspace.open(tmp_path / "shop" / "state") == made
    with pytest.raises(errors.NoWorkspace):
        Workspace.open(tmp_path)


def test_a_run_gives_its_report_and_a_query_an_arrow_table(shop):
    report = shop.run("shop")

    assert (report.run.committed, report.bookmarks) == ({"issues": 3}, {"issues": "3"})
    assert shop.query("select id from shop.issues order by id").to_pylist() == [{"id": 1}, {"id": 2}, {"id": 3}]


def test_the_past_of_a_flow_can_be_asked_and_changed(shop):
    shop.run("shop", commit_rows=1)
    shop.run("shop", full_refresh=EVERYTHING)

    assert [run.number for run in shop.runs()] == [2, 1]
    assert [commit.run for commit in shop.history("shop")] == [1, 1, 2]
    assert (shop.status()[0].commit, shop.status("shop")[0].words) == (3, "succeeded")
    assert shop.rehearse("shop", run=1).rows == {"issues": 3}
    assert shop.replay("shop", run=1, to="scratch").run.destination == "scratch"
    assert shop.reset_state("shop").state is None
    assert shop.set_state("shop", b'{"bookmarks": {}}').state == b'{"bookmarks": {}}'
    assert shop.state("shop").bookmarks == {}
    assert list(shop.log("shop", run=1)) == []


def test_what_a_tap_is_told_is_changed_and_given(shop):
    told = shop.configure("fake", set={"token": {"env": "TOKEN"}}, typed={"state_every": "5"}).config

    assert (str(told["token"]), told["state_every"]) == ('{ env = "TOKEN" }', 5)
    assert "token" not in shop.configure("fake", unset=["token"]).config


def test_streams_are_discovered_when_they_are_first_chosen_from(shop):
    assert [choice.selected for choice in shop.select("fake", ["issues"])] == [True]
    assert shop.selection("fake") == shop.select("fake", [])
    assert not shop.discover("fake").is_first


def test_load_needs_no_workspace(tmp_path):
    states: list[bytes] = []
    messages = b'{"type": "SCHEMA", "stream": "a", "schema": {}, "key_properties": []}\n{"type": "STATE", "value": 1}\n'

    loaded = orchestrator.load_messages([messages], f"parquet:{tmp_path}/lake", acknowledge=states.append)

    assert (loaded.commits, states) == (1, [b"1"])
