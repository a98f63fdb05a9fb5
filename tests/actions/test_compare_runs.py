"""What is different about two runs: what they brought, and what they ran with."""

import pytest

from orchestrator.actions.compare_runs import SettingChange, compare_runs
from orchestrator.envs.lock import Lock, VersionChange
from orchestrator.envs.recipe import Recipe
from orchestrator.errors import CredentialsError, UnknownName
from orchestrator.load.outline import Reshaped
from tests.workspaces import FLOW, TAP, FakeWorkspace


@pytest.fixture
def workspace(tmp_path):
    workspace = FakeWorkspace(tmp_path)
    workspace.source(issues={"rows": 3}, labels={"rows": 1})
    return workspace


def compared(workspace, before, after):
    return compare_runs(workspace.paths, workspace.config, FLOW, before, after)


def locked(workspace, *requirements):
    recipe = Recipe(package="tap-fake==1.0", python="3.11")
    lock = Lock(recipe, "".join(f"{each}\n" for each in requirements))
    workspace.paths.built_lock(TAP, "made-up").write_text(lock.text)


def kept(workspace):
    return [path.read_bytes() for path in workspace.paths.documents(FLOW).iterdir()]


def test_runs_with_the_same_circumstances_keep_them_once_and_do_not_differ(workspace):
    locked(workspace, "tap-fake==1.0")
    workspace.run()
    documents = kept(workspace)
    workspace.run()

    same = compared(workspace, 1, 2)

    assert (same.packages, same.settings, same.columns, same.unknown) == ((), (), (), ())
    assert (same.before.committed, same.after.committed) == ({"issues": 3, "labels": 1}, {})
    assert kept(workspace) == documents
    assert len(documents) == 3


def test_it_tells_packages_settings_and_columns_that_are_different(workspace):
    locked(workspace, "tap-fake==1.0", "requests==2.31.0", "pytz==2024.1")
    workspace.run()
    locked(workspace, "tap-fake==1.1", "requests==2.31.0", "idna==3.7")
    workspace.settle(commit_rows=5)
    workspace.choose(select=["issues"])
    workspace.source(issues={"rows": 3, "nested": True, "key": ["n"]}, labels={"rows": 1})
    workspace.run()

    differ = compared(workspace, 1, 2)

    assert differ.packages == (
        VersionChange("idna", None, "3.7"),
        VersionChange("pytz", "2024.1", None),
        VersionChange("tap-fake", "1.0", "1.1"),
    )
    assert SettingChange("flow.commit_rows", 1_000_000, 5) in differ.settings
    assert SettingChange("tap.select", [], ["issues"]) in differ.settings
    # Of labels nothing came this time, which says nothing about its columns.
    assert [(change.stream, change.column, change.before) for change in differ.columns] == [
        ("issues", "", "id"),
        ("issues", "author", None),
    ]


def test_what_is_kept_of_settings_are_references_and_no_secrets(workspace, monkeypatch):
    monkeypatch.setenv("THE_TOKEN", "t0p-secret-one")
    monkeypatch.setenv("TAP_FAKE_API_KEY", "t0p-secret-two")
    # Too short to be sought in texts; its name tells.
    monkeypatch.setenv("TAP_FAKE_PASSWORD", "abc")
    workspace.behave(
        login={"token": {"env": "THE_TOKEN"}, "pin": 1},
        api_key="",
        password="",
        url="https://ada:t0p-secret-three@localhost/",
    )
    workspace.run()

    (run,) = workspace.runs.all()
    config = workspace.runs.documents.settings(run.ran_with.settings)["tap"]["config"]

    assert config["login"] == {"token": '{ env = "THE_TOKEN" }', "pin": 1}
    assert (config["api_key"], config["password"]) == ("***", "***")
    assert config["url"] == "https://ada:***@localhost/"
    assert not any(b"t0p-secret" in path.read_bytes() for path in workspace.paths.state.rglob("*") if path.is_file())


def test_a_change_of_columns_is_seen_though_the_run_between_said_nothing_of_the_stream(workspace):
    workspace.run()
    workspace.choose(select=["issues"])
    workspace.run()
    workspace.source(issues={"rows": 3}, labels={"rows": 1, "nested": True})
    workspace.choose(select=["issues", "labels"])
    workspace.run()

    assert compared(workspace, 1, 2).columns == ()
    assert [change.column for change in compared(workspace, 2, 3).columns] == ["author"]
    assert isinstance(compared(workspace, 1, 3).columns[0], Reshaped)


def test_a_run_that_could_not_begin_leaves_what_was_known_of_columns(workspace):
    workspace.run()
    workspace.behave(token={"env": "NOT_SET"})
    with pytest.raises(CredentialsError):
        workspace.run()
    assert workspace.runs.numbers() == [1]

    workspace.behave(token="")
    workspace.source(issues={"rows": 3, "nested": True}, labels={"rows": 1})
    workspace.run()

    assert [change.column for change in compared(workspace, 1, 2).columns] == ["author"]


def test_of_a_run_that_wrote_down_less_it_says_so(workspace):
    workspace.run()
    workspace.paths.record(FLOW, 2).parent.mkdir()
    workspace.paths.record(FLOW, 2).write_text(f'{{"flow": "{FLOW}", "number": 2, "status": "succeeded"}}')

    differ = compared(workspace, 1, 2)

    assert differ.unknown == ("packages", "settings", "columns")
    assert (differ.packages, differ.settings, differ.columns) == ((), (), ())


def test_a_run_that_is_not_there_cannot_be_compared(workspace):
    workspace.run()

    with pytest.raises(UnknownName, match="there is no run 7"):
        compared(workspace, 1, 7)
