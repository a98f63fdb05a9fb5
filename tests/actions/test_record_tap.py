"""A recorded tap says what the tap said, as a tap of its own and without the source; no secret is in it."""

import json
from contextlib import contextmanager

import duckdb
import pytest

from orchestrator import Workspace
from orchestrator.actions.listening import Limits
from orchestrator.actions.record_tap import record_tap
from orchestrator.errors import SilentTap, TapFailed, UsageError
from orchestrator.events import Event, Note
from tests.packages.installed import write_wheels
from tests.workspaces import TAP, FakeWorkspace

TABLE = {"key": [], "method": "FULL_TABLE"}
SECRET = "glpat-Qx7~b/9z"


def record(workspace, **options):
    limits = {key: options.pop(key) for key in ("each", "records") if key in options}
    return record_tap(workspace.paths, workspace.config, TAP, Limits(60, **limits), **options)


@contextmanager
def playing(recorded, folder, **choice):
    """Another workspace, whose tap plays the cassette."""
    workspace = FakeWorkspace(folder)
    workspace.install(program=str(recorded.folder / "tap_cassette.py"))
    if choice:
        workspace.choose(**choice)
    yield workspace


def test_a_cassette_lands_what_the_tap_lands(workspace, tmp_path_factory):
    workspace.source(issues={"rows": 6, "ids": 4}, labels={"rows": 3, **TABLE}, events={"rows": 3})
    workspace.behave(state_every=2)
    workspace.choose(select=["issues", "labels", "!issues.name"])

    recorded = record(workspace)
    workspace.run()

    assert recorded.label.records == {"issues": 6, "labels": 3}
    assert workspace.paths.state.joinpath("shop", "runs", "000001").exists()
    with playing(recorded, tmp_path_factory.mktemp("other")) as other:
        assert other.run().run.read == {"issues": 6, "labels": 3}
        for stream in ("issues", "labels"):
            assert other.rows(stream, "id, n") == workspace.rows(stream, "id, n")
        assert other.held_state() == workspace.held_state()


def test_a_recording_moves_no_bookmark(workspace):
    workspace.source(issues={"rows": 3})

    record(workspace)

    assert workspace.held_state() is None
    assert workspace.run().run.read == {"issues": 3}


def test_a_cassette_goes_on_from_a_state_that_was_recorded(workspace, tmp_path_factory):
    workspace.source(issues={"rows": 6})
    workspace.behave(state_every=2)
    recorded = record(workspace)

    with playing(recorded, tmp_path_factory.mktemp("other")) as other:
        other.settle(commit_rows=1)
        assert other.run().run.read == {"issues": 6}
        assert other.run().run.read == {}
        assert other.run(from_commit=2).run.read == {"issues": 2}
        assert other.numbers("issues") == [1, 2, 3, 4, 5, 6]


def test_a_cassette_says_only_what_is_selected(workspace, tmp_path_factory):
    workspace.source(issues={"rows": 3}, events={"rows": 2})
    recorded = record(workspace)

    with playing(recorded, tmp_path_factory.mktemp("other"), select=["issues", "!issues.at"]) as other:
        assert other.run().run.read == {"issues": 3}
        assert other.rows("issues", "name") == [("issues 1",), ("issues 2",), ("issues 3",)]
        with pytest.raises(duckdb.BinderException):
            other.rows("issues", '"at"')


def test_no_secret_is_in_a_cassette_and_rows_without_one_stay_as_they_were_said(workspace, monkeypatch):
    monkeypatch.setenv("SHOP_TOKEN", SECRET)
    workspace.source(issues={"rows": 2})
    leaking = json.dumps({"type": "RECORD", "stream": "issues", "record": {"id": 9, "name": f"see {SECRET}", "n": 9}})
    workspace.behave(
        private_token={"env": "SHOP_TOKEN"},
        pin={"password": {"command": ["echo", "123456"]}},
        accidents=[{"after": 2, "babble": leaking}],
    )

    recorded = record(workspace)

    files = {path.name: path.read_text() for path in recorded.folder.iterdir()}
    assert not [name for name, text in files.items() if SECRET in text or "123456" in text]
    assert recorded.masked == 1
    lines = files["messages.jsonl"].splitlines()
    assert json.loads(lines[2])["record"] == {"id": 9, "name": "see ***", "n": 9}
    assert lines[1] == (
        '{"type": "RECORD", "stream": "issues", "record": '
        '{"id": 1, "n": 1, "name": "issues 1", "at": "2024-01-01T00:00:01Z"}}'
    )
    assert json.loads(files["cassette.json"])["config"]["pin"] == {"password": "***"}


def test_of_each_stream_as_much_is_kept_as_was_asked_for(workspace, tmp_path_factory):
    workspace.source(issues={"rows": 50}, labels={"rows": 30, **TABLE}, few={"rows": 2})

    recorded = record(workspace, each=5)

    assert recorded.label.records == {"issues": 5, "labels": 5, "few": 2}
    assert recorded.label.cut is None
    with playing(recorded, tmp_path_factory.mktemp("other")) as other:
        assert other.run().run.read == {"issues": 5, "labels": 5, "few": 2}


def test_what_was_not_heard_out_plays_what_was_heard(workspace, tmp_path_factory):
    workspace.source(issues={"rows": 50}, labels={"rows": 30, **TABLE})
    workspace.behave(state_every=10)

    recorded = record(workspace, records=20)

    assert recorded.label.cut == "20 records were heard"
    with playing(recorded, tmp_path_factory.mktemp("other")) as other:
        assert other.run().run.read == {"issues": 20}


def test_a_tap_without_a_catalog_can_be_recorded(workspace, tmp_path_factory):
    workspace.install("config", "state")
    workspace.source(issues={"rows": 3})
    recorded = record(workspace)
    other = FakeWorkspace(tmp_path_factory.mktemp("other"))
    other.install("config", "state", program=str(recorded.folder / "tap_cassette.py"))

    assert not (recorded.folder / "catalog.json").exists()
    assert other.run().run.read == {"issues": 3}


@pytest.mark.parametrize(
    ("accident", "error"), [({"after": 3, "raise": "no such project"}, TapFailed), ({"after": 0, "exit": 0}, SilentTap)]
)
def test_a_tap_that_fails_is_not_recorded(workspace, accident, error):
    workspace.source(issues={"rows": 5})
    workspace.behave(accidents=[accident])

    with pytest.raises(error):
        record(workspace)

    assert not workspace.paths.cassette(TAP).exists()


def test_a_cassette_takes_the_place_of_the_one_before_and_of_nothing_else(workspace, tmp_path):
    workspace.source(issues={"rows": 3})
    record(workspace)
    workspace.source(issues={"rows": 4})
    assert record(workspace).label.records == {"issues": 4}
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()

    with pytest.raises(UsageError, match="is no cassette"):
        record(workspace, to=tmp_path / "mine")

    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["file"]


def test_files_of_batches_are_said_to_be_missing(workspace):
    folder = workspace.paths.root / "batches"
    folder.mkdir()
    workspace.source(issues={"rows": 3, "batch": {"folder": str(folder)}})
    heard: list[Event] = []

    record(workspace, listen=heard.append)

    assert ["BATCH" in event.text for event in heard if isinstance(event, Note)] == [True]


def test_a_cassette_is_installed_like_any_tap(workspace, index, tmp_path_factory):
    write_wheels(index.folder, ["hatchling", "editables"])
    workspace.source(issues={"rows": 3})
    recorded = record(workspace)
    shop = Workspace.init(tmp_path_factory.mktemp("other") / "shop")

    added = shop.add_tap(str(recorded.folder), id="fake-cassette")
    shop.run("fake-cassette")

    assert (added.package, added.version) == ("tap-fake-cassette", "1.0")
    assert shop.query('select count(*) as rows from "fake-cassette".issues').to_pylist() == [{"rows": 3}]
