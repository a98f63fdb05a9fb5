"""A tap may write into its config: the token that it got for the one it used up is what it is told in the next run."""

import json

import pytest

from orchestrator.actions.keep_secrets import set_secret
from orchestrator.actions.remove_tap import remove_tap
from orchestrator.actions.starting import discover_tap, prepare
from orchestrator.errors import CredentialsError, RunFailed, TapFailed
from orchestrator.events import Event, Note
from orchestrator.secrets.vault import Vault
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


def test_a_run_that_asks_for_the_catalog_first_goes_on_with_the_token_that_came_of_it(rotating):
    rotating.install("config", "state", "catalog", "discover")

    assert rotating.run().run.status is Status.SUCCEEDED
    assert token_at_the_source(rotating) == "refresh-token-3"


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
    with prepare(rotating.paths, rotating.config.tap(TAP)).own.on_the_disk():
        pass
    rotating.paths.own_config(TAP).write_text('{"login": {"tok')

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

    told = prepare(rotating.paths, rotating.config.tap(TAP)).own.told
    assert told["login"] == {"user": "grace", "token": "refresh-token-3"}
    assert told["expires"] == 3600


def test_what_a_tap_wrote_is_in_no_file_that_is_left_not_even_in_the_log_that_tells_of_it(rotating):
    rotating.behave(confess=True)
    for _ in range(3):
        rotating.run()

    root, secrets = rotating.paths.root, rotating.paths.secrets
    files = [path for path in root.rglob("*") if path.is_file() and b"refresh-token-" in path.read_bytes()]
    assert files == [root / "source"]
    log = rotating.paths.tap_log("shop", 3).read_text()
    assert "INFO got *** for ***" in log
    assert "INFO wrote ***" in log
    assert {path.stat().st_mode & 0o077 for path in [secrets, *secrets.iterdir()]} == {0}
    assert (secrets / ".gitignore").read_text() == "*\n"


def test_two_runs_that_find_their_config_in_one_file_do_not_take_it_from_each_other(rotating):
    one, two = (prepare(rotating.paths, rotating.config.tap(TAP)).own for _ in range(2))

    with one.on_the_disk() as file:
        with two.on_the_disk():
            pass
        assert file.exists()

    assert not file.exists()


def test_what_a_tap_wrote_where_there_can_be_no_identity_is_not_lost(rotating, monkeypatch, tmp_path):
    (tmp_path / "no-folder").write_text("")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "no-folder"))

    for _ in range(3):
        assert rotating.run().run.status is Status.SUCCEEDED

    assert [path for path in rotating.paths.secrets.iterdir() if path.stat().st_mode & 0o077] == []


def test_without_the_identity_that_it_was_sealed_for_a_tap_is_not_started(rotating, monkeypatch, tmp_path):
    rotating.run()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "elsewhere"))

    with pytest.raises(CredentialsError, match=r"secrets/fake\.age was sealed for an identity that is not here"):
        rotating.run()


@pytest.mark.parametrize("rotating", ["memory"], indirect=True)
def test_a_run_whose_tap_renews_a_token_that_cannot_be_kept_has_failed_and_the_tap_was_heard_out(rotating):
    rotating.paths.secrets.symlink_to("nowhere")
    rotating.behave(confess=True)

    with pytest.raises(RunFailed, match="what the tap wrote into its config cannot be kept"):
        rotating.run()

    assert "INFO wrote ***" in rotating.paths.tap_log("shop", 1).read_text()
    assert rotating.numbers("issues") == [1, 2, 3]


# ── tokens of the vault ──────────────────────────────────────────────────────────────────────────


@pytest.fixture
def shared(rotating):
    """The same with a token that is kept in the vault."""
    set_secret(rotating.paths, "shop token", FIRST)
    rotating.behave(login={"user": "ada", "token": {"secret": "shop token"}})
    return rotating


def token_in_the_vault(workspace):
    return Vault(workspace.paths).read().secrets["shop token"].value


def test_a_new_token_takes_the_place_of_the_old_one_in_the_vault(shared):
    heard: list[Event] = []
    for number in (2, 3, 4):
        shared.run(listen=heard.append)

        assert token_in_the_vault(shared) == token_at_the_source(shared) == f"refresh-token-{number}"
    notes = {event.text for event in heard if isinstance(event, Note)}
    assert notes == {'tap-fake 1.0 renewed "shop token": the vault holds the new one'}


def test_another_tap_that_refers_to_it_is_told_the_new_one(shared):
    shared.run()
    with shared.paths.config.open("a") as file:
        file.write('\n[taps.heir]\ninherit = "fake"\n')

    assert prepare(shared.paths, shared.config.tap("heir")).own.told["login"]["token"] == "refresh-token-2"


def test_a_new_token_is_in_the_vault_at_once_and_outlives_a_killed_run(shared):
    shared.behave(accidents=[{"after": 2, "hang": 60}])
    process = start(shared)
    wait_until(lambda: token_in_the_vault(shared) == "refresh-token-2")
    process.kill()
    process.join()
    shared.behave(accidents=[])

    assert shared.run().run.status is Status.SUCCEEDED
    assert token_in_the_vault(shared) == "refresh-token-3"


def test_a_secret_that_a_person_sets_between_two_runs_counts_more(shared):
    shared.run()
    set_secret(shared.paths, "shop token", "refresh-token-70")
    (shared.paths.root / "source").write_text("refresh-token-70")

    shared.run()

    assert token_in_the_vault(shared) == "refresh-token-71"


def test_a_secret_that_a_person_sets_during_a_run_counts_more(shared, tmp_path):
    own = prepare(shared.paths, shared.config.tap(TAP)).own
    place = tmp_path / "config.json"
    place.write_text(json.dumps(own.told))

    with own.watched(place):
        set_secret(shared.paths, "shop token", "refresh-token-70")
        place.write_text(json.dumps({**own.told, "login": {"user": "ada", "token": "refresh-token-2"}}))

    assert token_in_the_vault(shared) == "refresh-token-70"
    assert prepare(shared.paths, shared.config.tap(TAP)).own.told["login"]["token"] == "refresh-token-70"


def test_a_person_is_told_once_where_it_is_kept(rotating):
    heard: list[Event] = []

    for _ in range(3):
        rotating.run(listen=heard.append)

    notes = [event.text for event in heard if isinstance(event, Note)]
    in_memory = rotating.config.tap(TAP).config_in == "memory"
    assert notes == ["tap-fake 1.0 rewrote its config: what it wrote is kept in secrets/fake.age"] * in_memory


def test_it_goes_with_the_tap(rotating):
    rotating.run()
    rotating.run()

    remove_tap(rotating.paths, TAP)

    assert [path.name for path in rotating.paths.own_config(TAP).parent.iterdir()] == [".gitignore"]


def test_a_tap_that_leaves_its_config_alone_leaves_nothing_behind(workspace):
    workspace.source(issues={"rows": 3})

    workspace.run()

    assert not workspace.paths.own_config(TAP).parent.exists()
