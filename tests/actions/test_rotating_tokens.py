"""A tap may write into its config: the token that it got for the one it used up is what it is told in the next run."""

import json

import pytest

from orchestrator.actions.remove_tap import remove_tap
from orchestrator.actions.starting import discover_tap, prepare
from orchestrator.errors import TapFailed
from orchestrator.events import Event, Note
from orchestrator.state import Status
from tests.processes import start
from tests.workspaces import TAP, wait_until

FIRST = "refresh-token-1"


@pytest.fixture(params=["memory", "file"])
def rotating(request, workspace, monkeypatch):
    """A tap whose token is good for one start."""
    monkeypatch.setenv("SHOP_TOKEN", FIRST)
    workspace.install("config", "state")
    workspace.source(issues={"rows": 3})
    workspace.choose(config_in=request.param)
    workspace.behave(
        rotates=str(workspace.paths.root / "source"), login={"user": "ada", "token": {"env": "SHOP_TOKEN"}}
    )
    return workspace


def token_at_the_source(workspace):
    return (workspace.paths.root / "source").read_text()


def test_each_run_goes_on_with_the_token_that_the_one_before_was_given(rotating):
    for number in (2, 3, 4):
        assert rotating.run().run.status is Status.SUCCEEDED
        assert token_at_the_source(rotating) == f"refresh-token-{number}"


def test_a_token_is_not_lost_with_a_run_that_fails(rotating):
    rotating.behave(accidents=[{"after": 2, "exit": 1}])
    with pytest.raises(TapFailed, match="exit code 1"):
        rotating.run()
    rotating.behave(accidents=[])

    assert rotating.run().run.status is Status.SUCCEEDED


def test_discovery_uses_up_a_token_too(rotating):
    rotating.install("config", "state", "catalog", "discover")
    discover_tap(rotating.paths, prepare(rotating.paths, rotating.config.tap(TAP)))

    assert rotating.run().run.status is Status.SUCCEEDED


@pytest.mark.parametrize("rotating", ["file"], indirect=True)
def test_a_token_is_not_lost_when_the_run_is_killed(rotating):
    rotating.behave(accidents=[{"after": 2, "hang": 60}])
    process = start(rotating)
    wait_until((rotating.paths.root / "source").exists)
    wait_until(lambda: rotating.paths.own_config(TAP).read_text().count(token_at_the_source(rotating)))
    process.kill()
    process.join()
    rotating.behave(accidents=[])

    assert rotating.run().run.status is Status.SUCCEEDED


@pytest.mark.parametrize("rotating", ["file"], indirect=True)
def test_a_tap_that_is_killed_while_it_writes_is_told_what_it_was_told_last(rotating):
    rotating.run()
    rotating.run()
    rotating.paths.own_config(TAP).write_text('{"login": {"tok')
    (rotating.paths.root / "source").write_text("refresh-token-2")

    assert rotating.run().run.status is Status.SUCCEEDED


def test_a_token_that_a_person_sets_counts_more(rotating, monkeypatch):
    rotating.run()
    (rotating.paths.root / "source").write_text("refresh-token-70")
    monkeypatch.setenv("SHOP_TOKEN", "refresh-token-70")

    assert rotating.run().run.status is Status.SUCCEEDED
    assert rotating.run().run.status is Status.SUCCEEDED
    assert token_at_the_source(rotating) == "refresh-token-72"


def test_another_setting_may_change_meanwhile(rotating):
    rotating.run()
    rotating.behave(login={"user": "grace", "token": {"env": "SHOP_TOKEN"}})

    rotating.run()

    told = json.loads(rotating.paths.own_config(TAP).read_text())
    assert told["login"] == {"user": "grace", "token": "refresh-token-3"}
    assert told["expires"] == 3600


def test_what_a_tap_wrote_is_in_no_file_that_others_can_read_or_that_git_keeps(rotating):
    rotating.behave(confess=True)
    for _ in range(3):
        rotating.run()

    files = [
        path for path in rotating.paths.root.rglob("*") if path.is_file() and b"refresh-token-" in path.read_bytes()
    ]
    secrets = rotating.paths.own_config(TAP).parent
    assert {path for path in files if path.parent != secrets} == {rotating.paths.root / "source"}
    assert {path.stat().st_mode & 0o077 for path in [secrets, *secrets.iterdir()]} == {0}
    assert (secrets / ".gitignore").read_text() == "*\n"


def test_a_person_is_told_once_where_it_is_kept(rotating):
    heard: list[Event] = []

    for _ in range(3):
        rotating.run(listen=heard.append)

    notes = [event.text for event in heard if isinstance(event, Note)]
    in_memory = rotating.config.tap(TAP).config_in == "memory"
    assert notes == ["tap-fake 1.0 rewrote its config: what it wrote is kept in secrets/fake.handed.json"] * in_memory


def test_it_goes_with_the_tap(rotating):
    rotating.run()
    rotating.run()

    remove_tap(rotating.paths, TAP)

    assert [path.name for path in rotating.paths.own_config(TAP).parent.iterdir()] == [".gitignore"]


def test_a_tap_that_leaves_its_config_alone_leaves_nothing_behind(workspace):
    workspace.source(issues={"rows": 3})

    workspace.run()

    assert not workspace.paths.own_config(TAP).parent.exists()
