"""What a flow remembers can be shown, set and reset; each change is a commit without rows, kept in its history."""

import json

import pytest

from orchestrator.actions.flow_state import history, reset_state, set_state, show_state
from orchestrator.errors import AlreadyRunning, TapFailed, UnknownName, UsageError
from orchestrator.events import RunStarted
from tests.workspaces import FLOW


@pytest.fixture
def ran(workspace):
    workspace.settle(commit_rows=1)
    workspace.behave(state_every=2, state_at_end=False)
    workspace.source(issues={"rows": 6}, events={"rows": 6, "key": []})
    workspace.run()
    return workspace


def at(**rows):
    return json.dumps({"bookmarks": {stream: {"n": n} for stream, n in rows.items()}}).encode()


def numbers(first, last):
    return list(range(first, last + 1))


def test_what_the_next_run_starts_from_is_shown(ran):
    shown = show_state(ran.paths, ran.config, FLOW)

    assert shown.bookmarks == {"issues": "6", "events": "6"}
    assert shown.state is not None
    assert json.loads(shown.state) == {"bookmarks": {"issues": {"n": 6}, "events": {"n": 6}}}
    assert shown.commit is not None
    assert shown.commit.number == ran.commits[-1].number


def test_before_its_first_run_a_flow_remembers_nothing(workspace):
    shown = show_state(workspace.paths, workspace.config, FLOW)

    assert (shown.commit, shown.state, shown.bookmarks) == (None, None, {})
    assert history(workspace.paths, workspace.config, FLOW) == []
    assert not (workspace.paths.root / "data").exists()


def test_the_next_run_starts_from_a_state_that_was_set(ran):
    ran.source(issues={"rows": 9}, events={"rows": 9, "key": []})

    told = set_state(ran.paths, ran.config, FLOW, at(issues=7, events=8))

    assert told.bookmarks == {"issues": "7", "events": "8"}
    assert show_state(ran.paths, ran.config, FLOW) == told
    assert ran.run().run.read == {"issues": 2, "events": 1}
    assert ran.numbers("issues") == [*numbers(1, 6), 8, 9]
    assert ran.numbers("events") == [*numbers(1, 6), 9]


def test_a_state_may_be_set_before_the_first_run(workspace):
    workspace.source(issues={"rows": 6})

    set_state(workspace.paths, workspace.config, FLOW, at(issues=4))

    assert workspace.run().run.read == {"issues": 2}


def test_after_a_reset_everything_is_read_again_and_rows_with_a_key_are_matched(ran):
    reset_state(ran.paths, ran.config, FLOW)

    assert show_state(ran.paths, ran.config, FLOW).state is None
    assert ran.numbers("issues") == numbers(1, 6)
    assert ran.run().run.read == {"issues": 6, "events": 6}
    assert ran.numbers("issues") == numbers(1, 6)
    assert ran.numbers("events") == sorted(2 * numbers(1, 6))


def test_a_change_is_a_commit_that_can_be_gone_back_from(ran):
    before = ran.commits
    reset_state(ran.paths, ran.config, FLOW)

    commits = history(ran.paths, ran.config, FLOW)

    assert commits[:-1] == before
    assert (commits[-1].number, dict(commits[-1].rows), commits[-1].state) == (before[-1].number + 1, {}, None)
    assert ran.run(from_commit=before[-1].number).run.read == {}
    assert ran.numbers("events") == numbers(1, 6)


def test_a_state_goes_back_word_for_word(ran):
    odd = b'{"bookmarks" : {"issues": {"n": 6, "at": 1.50, "big": 123456789012345678901234567890}}}'

    set_state(ran.paths, ran.config, FLOW, odd)

    assert show_state(ran.paths, ran.config, FLOW).state == odd
    assert history(ran.paths, ran.config, FLOW)[-1].state == odd


@pytest.mark.parametrize("state", [b"", b"{", b"bookmarks"])
def test_only_json_can_be_a_state(ran, state):
    before = ran.commits

    with pytest.raises(UsageError, match="is not JSON"):
        set_state(ran.paths, ran.config, FLOW, state)

    assert ran.commits == before


def test_a_state_that_is_set_after_a_broken_refresh_leads_to_every_row(ran):
    ran.behave(accidents=[{"after": 1 + 9 + 1 + 5, "exit": 1}])
    with pytest.raises(TapFailed):
        ran.run(full_refresh=None)
    ran.behave(accidents=[])
    ran.source(issues={"rows": 8}, events={"rows": 8, "key": []})

    set_state(ran.paths, ran.config, FLOW, at(issues=6, events=6))
    ran.run()

    assert ran.numbers("issues") == numbers(1, 8)
    assert ran.numbers("events") == numbers(1, 8)


def test_a_state_is_not_changed_under_a_flow_that_runs(ran):
    refused = []

    def listen(event):
        if isinstance(event, RunStarted):
            with pytest.raises(AlreadyRunning) as running:
                reset_state(ran.paths, ran.config, FLOW)
            refused.append(running.value)

    ran.run(listen=listen)

    assert len(refused) == 1


def test_only_a_flow_that_there_is_remembers_something(workspace):
    for verb in (show_state, history, reset_state):
        with pytest.raises(UnknownName):
            verb(workspace.paths, workspace.config, "sop")
