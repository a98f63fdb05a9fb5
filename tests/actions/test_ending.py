"""Exit code 0 is not enough: what a tap was asked for has to have come, and its end has to be its own."""

import signal

import pytest

from orchestrator.errors import SilentTap, TapFailed
from orchestrator.events import Event, Note
from orchestrator.state import Status
from tests.processes import start
from tests.workspaces import PROGRAM, TAP

TABLE = {"key": [], "method": "FULL_TABLE"}
NOT_FOUND = "WARNING HTTP-error-code: 404, Error: Not Found. See https://api.example.com/projects/7/{}"


def notes(heard):
    return [event.text for event in heard if isinstance(event, Note)]


# ── the option that hands the catalog over ───────────────────────────────────────────────────────


@pytest.mark.parametrize("takes", [["catalog"], ["properties"], ["catalog", "properties"]])
def test_a_tap_that_reads_one_of_the_options_it_names_is_told_the_selection(workspace, takes):
    """Which of the two it reads, its help does not tell."""
    for hears in takes:
        workspace.install("config", "discover", "state", *takes)
        workspace.source(issues={"rows": 3}, events={"rows": 3})
        workspace.behave(hears=hears)
        workspace.choose(select=["issues"])

        assert set(workspace.run().run.read) <= {"issues"}
        assert workspace.numbers("issues") == [1, 2, 3]


def test_a_tap_that_does_not_hear_its_catalog_is_no_success(workspace):
    workspace.install("config", "discover", "state", "catalog")
    workspace.source(issues={"rows": 3})
    workspace.behave(hears="properties")

    with pytest.raises(SilentTap, match="ended well but said nothing"):
        workspace.run()

    assert workspace.last_run.status is Status.FAILED


def test_a_tap_that_does_not_follow_its_catalog_is_told_of(workspace):
    workspace.source(issues={"rows": 3}, events={"rows": 3, "always": True})
    workspace.choose(select=["issues"])
    heard: list[Event] = []

    workspace.run(listen=heard.append)

    assert notes(heard) == ["tap-fake 1.0 does not follow its catalog: it sent events, not selected"]


# ── who stopped it ───────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def half_a_table(workspace):
    """A table of six rows; in the next run the tap bows out after three of nine."""
    workspace.settle(commit_rows=1)
    workspace.source(labels={"rows": 6, **TABLE})
    workspace.run()
    workspace.source(labels={"rows": 9, **TABLE})

    def stop(whom, *, bows="with a state"):
        # In its sandbox it would not reach the run.
        workspace.choose(sandbox="none")
        workspace.behave(bows=bows, state_every=100, accidents=[{"after": 1 + 3, "stop": whom}])

    return workspace, stop


@pytest.mark.parametrize("bows", ["with a state", "silently"])
def test_a_tap_that_is_stopped_with_its_run_and_takes_its_leave_is_a_stopped_run(half_a_table, bows):
    workspace, stop = half_a_table
    stop(["run", "tap"], bows=bows)

    process = start(workspace)
    process.join(20)

    assert process.exitcode == 128 + signal.SIGTERM
    assert workspace.last_run.status is Status.STOPPED
    assert workspace.numbers("labels") == [1, 2, 3, 4, 5, 6]


def test_a_tap_that_somebody_else_stopped_has_not_read_its_source(half_a_table):
    workspace, stop = half_a_table
    stop(["tap"])

    with pytest.raises(TapFailed, match=r"tap-fake 1.0 was stopped before its end"):
        workspace.run()

    assert workspace.numbers("labels") == [1, 2, 3, 4, 5, 6]


# ── what the source refused ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("before", [0, 6])
def test_a_table_that_the_source_refuses_fails_the_run_and_keeps_its_rows(workspace, before):
    workspace.source(issues={"rows": 3}, labels={"rows": before, **TABLE})
    workspace.run()
    workspace.source(issues={"rows": 5}, labels={"rows": 9, "refused": NOT_FOUND.format("labels"), **TABLE})

    with pytest.raises(TapFailed) as failure:
        workspace.run()

    assert failure.value.message == "tap-fake 1.0 ended well, but its source refused it and nothing came of labels"
    assert failure.value.cause == NOT_FOUND.format("labels")
    assert workspace.numbers("labels") == list(range(1, before + 1))


def test_a_stream_that_never_came_and_is_refused_fails_the_run(workspace):
    workspace.source(issues={"rows": 3}, events={"rows": 3, "refused": "ERROR 403 Client Error: Forbidden for url"})

    with pytest.raises(TapFailed, match="nothing came of events"):
        workspace.run()


def test_what_is_refused_beside_rows_that_come_does_not_fail_the_run(workspace):
    """A project of many may be gone; and of a stream that follows its bookmark, nothing may be new."""
    workspace.source(issues={"rows": 3}, events={"rows": 3})
    workspace.run()
    workspace.source(issues={"rows": 5}, events={"rows": 3, "refused": NOT_FOUND.format("events")})
    heard: list[Event] = []

    workspace.run(listen=heard.append)

    assert notes(heard) == [f"nothing came of events, and tap-fake 1.0 said: {NOT_FOUND.format('events')}"]
    assert workspace.numbers("issues") == [1, 2, 3, 4, 5]


def test_a_refusal_that_names_one_stream_is_not_blamed_on_another(workspace):
    workspace.source(issues={"rows": 3}, labels={"rows": 0, **TABLE})
    workspace.behave(accidents=[{"after": 2, "log": NOT_FOUND.format("issues")}])

    assert workspace.run().run.status is Status.SUCCEEDED


# ── what it did not announce ─────────────────────────────────────────────────────────────────────


def test_an_empty_state_alone_is_not_a_word(workspace):
    workspace.install("config", "state")
    workspace.source(issues={"rows": 3})
    workspace.run()
    workspace.behave(empty_state_first=True, accidents=[{"after": 1, "exit": 0}])

    with pytest.raises(SilentTap, match="ended well but said nothing"):
        workspace.run()

    assert workspace.bookmarks == {"issues": {"n": 3}}


def test_the_error_about_a_stream_that_was_not_announced_tells_how_to_go_without_it(workspace):
    workspace.source(issues={"rows": 3}, events={"rows": 3, "mute": True})
    workspace.choose(select=["*"])

    with pytest.raises(SilentTap) as failure:
        workspace.run()

    assert "to go without: orchestrator select fake '*' '!events'" in str(failure.value)


@pytest.mark.parametrize("rows", [0, 2])
def test_a_stream_that_is_read_for_the_rows_of_another_may_stay_away_when_there_were_none(workspace, rows):
    comments = {"rows": 3, "parent": "issues", "told_parent": True}
    workspace.source(issues={"rows": rows}, comments=comments, likes={**comments, "parent": "comments"})
    heard: list[Event] = []

    workspace.run(listen=heard.append)

    idle = ["tap-fake 1.0 had no row to read comments, likes for, and did not announce it"]
    assert notes(heard) == ([] if rows else idle)
    assert len(workspace.rows("comments")) == (3 if rows else 0)


def test_a_stream_that_is_not_announced_though_its_parent_had_rows_fails_the_run(workspace):
    workspace.source(issues={"rows": 3}, comments={"rows": 3, "parent": "issues", "told_parent": True, "mute": True})

    with pytest.raises(SilentTap, match="no SCHEMA for comments"):
        workspace.run()


# ── taps of the Singer SDK, which tell nobody what hangs on what ─────────────────────────────────


@pytest.fixture
def sdk(workspace):
    """The workspace with tap_sdk: `tasks` are read for each of `projects`."""
    workspace.install("about", "catalog", "config", "discover", "state", program=str(PROGRAM.parent / "tap_sdk.py"))
    return workspace


@pytest.mark.parametrize("select", [["*"], ["tasks"]])
def test_a_child_stream_of_the_sdk_may_stay_away_when_its_parent_had_no_rows(sdk, select):
    sdk.behave(projects=0)
    sdk.choose(select=select)
    heard: list[Event] = []

    sdk.run(listen=heard.append)

    assert notes(heard) == ["tap-fake 1.0 had no row to read tasks for, and did not announce it"]
    sdk.behave(projects=2)
    sdk.run()
    assert sdk.rows("tasks", "id, project") == [(11, 1), (21, 2)]


def test_a_stream_that_a_tap_of_the_sdk_does_not_offer_any_more_fails_the_run(sdk):
    sdk.behave(projects=0)
    sdk.run()
    kept = sdk.paths.catalog(TAP).read_bytes()
    sdk.behave(projects=0, without_tasks=True)
    sdk.paths.catalog(TAP).write_bytes(kept)

    with pytest.raises(SilentTap, match="no SCHEMA for tasks"):
        sdk.run()
