"""A run goes on from its bookmark, settles rows and state together, and keeps what it committed however it ends."""

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager

import psutil
import pytest

from orchestrator.errors import (
    AlreadyRunning,
    BadBatch,
    BrokenMessage,
    CredentialsError,
    RunFailed,
    SilentTap,
    Stopped,
    TapFailed,
    UnknownName,
    UsageError,
)
from orchestrator.events import Committed, Event, Note, Progress, RunStarted, Waiting
from orchestrator.load.commit import CommitPolicy
from orchestrator.state import Status, read_archive
from orchestrator.supervisor.stopping import Stop
from tests.processes import send, start
from tests.workspaces import wait_until

# The tap's messages in most tests: a SCHEMA, then two rows and a STATE at a time.
BY_TWOS = {"state_every": 2, "state_at_end": False}
AFTER_FIVE_ROWS = 1 + 5 + 2


@pytest.fixture
def bookmarked(workspace):
    """Every STATE closes a commit; six rows of `issues` and of `events` are committed."""
    workspace.settle(commit_rows=1)
    workspace.behave(**BY_TWOS)
    workspace.source(issues={"rows": 6}, events={"rows": 6, "key": []})
    workspace.run()
    return workspace


def numbers(*pair):
    return list(range(pair[0], pair[1] + 1))


class Heard(list[Event]):
    """Listens to a run, and remembers."""

    def __call__(self, event):
        self.append(event)

    def of(self, kind):
        return [event for event in self if isinstance(event, kind)]


# ── from bookmark to bookmark ────────────────────────────────────────────────────────────────────


def test_the_second_run_brings_only_what_is_new(workspace):
    workspace.source(issues={"rows": 10}, events={"rows": 10, "key": []})
    first = workspace.run()
    workspace.source(issues={"rows": 12}, events={"rows": 11, "key": []})

    second = workspace.run()

    assert first.run.read == {"issues": 10, "events": 10}
    assert second.run.read == {"issues": 2, "events": 1}
    assert workspace.rows("issues")[-1] == (12, 12, "issues 12")
    assert workspace.numbers("issues") == numbers(1, 12)
    assert workspace.numbers("events") == numbers(1, 11)
    assert second.bookmarks == {"issues": "12", "events": "11"}


def test_a_row_that_is_sent_again_is_matched_by_its_key(workspace):
    workspace.source(issues={"rows": 10, "inclusive": True})
    workspace.run()

    assert workspace.run().run.read == {"issues": 1}
    assert workspace.numbers("issues") == numbers(1, 10)


def test_a_row_that_changed_takes_the_place_of_the_one_before(workspace):
    workspace.source(issues={"rows": 5, "ids": 3})
    workspace.run()
    assert workspace.rows("issues", "id, n") == [(1, 4), (2, 5), (3, 3)]
    workspace.source(issues={"rows": 7, "ids": 3})

    workspace.run()

    assert workspace.rows("issues", "id, n") == [(1, 7), (2, 5), (3, 6)]


def test_a_full_table_without_a_key_is_replaced(workspace):
    workspace.source(labels={"rows": 5, "key": [], "method": "FULL_TABLE"})
    workspace.run()
    workspace.source(labels={"rows": 3, "key": [], "method": "FULL_TABLE"})

    workspace.run()

    assert workspace.numbers("labels") == numbers(1, 3)


def test_a_full_table_of_which_the_tap_would_leave_out_what_it_sent_before_is_read_whole(workspace):
    files = {"key": [], "method": "FULL_TABLE", "remembers": True}
    workspace.source(files={"rows": 5, **files})
    workspace.run()
    workspace.source(files={"rows": 7, **files})

    report = workspace.run()

    assert report.run.read == {"files": 7}
    assert workspace.numbers("files") == numbers(1, 7)


def test_with_a_key_a_full_table_may_leave_out_what_it_sent_before(workspace):
    files = {"method": "FULL_TABLE", "remembers": True}
    workspace.source(files={"rows": 5, **files})
    workspace.run()
    workspace.source(files={"rows": 7, **files})

    report = workspace.run()

    assert report.run.read == {"files": 2}
    assert workspace.numbers("files") == numbers(1, 7)


def test_a_full_table_that_breaks_off_leaves_the_old_rows(workspace):
    table = {"key": [], "method": "FULL_TABLE"}
    workspace.settle(commit_rows=1)
    workspace.behave(**BY_TWOS)
    workspace.source(labels={"rows": 6, **table})
    workspace.run()
    workspace.source(labels={"rows": 9, **table})
    workspace.behave(accidents=[{"after": AFTER_FIVE_ROWS, "exit": 1}])

    with pytest.raises(TapFailed):
        workspace.run()

    assert workspace.numbers("labels") == numbers(1, 6)
    workspace.behave(accidents=[])
    workspace.run()
    assert workspace.numbers("labels") == numbers(1, 9)


@pytest.mark.parametrize("key", [["id"], []])
def test_a_full_table_that_the_tap_goes_on_with_in_the_next_run_is_whole_in_the_end(workspace, key):
    table = {"rows": 9, "key": key, "method": "FULL_TABLE", "resumes": True}
    workspace.settle(commit_rows=1)
    workspace.behave(**BY_TWOS, accidents=[{"after": AFTER_FIVE_ROWS, "exit": 1}])
    workspace.source(labels=table)
    with pytest.raises(TapFailed):
        workspace.run()
    workspace.behave(accidents=[])

    workspace.run()

    assert workspace.numbers("labels") == numbers(1, 9)


def test_a_full_table_that_breaks_off_starts_over_where_the_tap_forgets_its_version(workspace):
    table = {"rows": 9, "method": "FULL_TABLE", "activates": "both", "forgets": True}
    workspace.settle(commit_rows=1)
    workspace.behave(**BY_TWOS, accidents=[{"after": AFTER_FIVE_ROWS, "exit": 1}])
    workspace.source(labels=table)
    with pytest.raises(TapFailed):
        workspace.run()
    workspace.behave(accidents=[])

    report = workspace.run()

    assert report.run.read == {"labels": 9}
    assert workspace.numbers("labels") == numbers(1, 9)


@pytest.mark.parametrize("activates", ["first", "last", "both"])
@pytest.mark.parametrize("key", [["id"], []])
def test_a_row_that_is_gone_at_the_source_goes_with_the_next_version(workspace, key, activates):
    table = {"key": key, "method": "FULL_TABLE", "activates": activates}
    workspace.source(labels={"rows": 6, **table})
    workspace.run()
    workspace.source(labels={"rows": 4, **table})

    workspace.run()

    assert workspace.numbers("labels") == numbers(1, 4)


def test_a_schema_that_drifts_in_the_middle_of_a_run_loses_no_value(workspace):
    workspace.source(issues={"rows": 4, "drifts": 2})

    workspace.run()

    assert workspace.rows("issues", "n, size, extra") == [
        (1, "1", None),
        (2, "2", None),
        (3, "3 m", 1.5),
        (4, "4 m", 2.0),
    ]


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_rows_may_come_in_files(workspace, compression):
    (workspace.paths.root / "batches").mkdir()
    folder = str(workspace.paths.root / "batches")
    workspace.behave(**BY_TWOS)
    workspace.source(issues={"rows": 5, "batch": {"folder": folder, "compression": compression}})

    workspace.run()

    assert workspace.numbers("issues") == numbers(1, 5)


def test_files_from_elsewhere_are_refused_unless_the_tap_may_write_there(workspace, tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("elsewhere"))
    workspace.choose(sandbox="none")
    workspace.source(issues={"rows": 5, "batch": {"folder": folder}})

    with pytest.raises(BadBatch, match="outside the folders"):
        workspace.run()
    workspace.choose(allow_write=[str(workspace.paths.root), folder])
    workspace.run()

    assert workspace.numbers("issues") == numbers(1, 5)


@pytest.mark.parametrize("place", ["state", "envs", "catalogs"])
def test_files_of_what_the_workspace_keeps_itself_are_refused(workspace, place):
    workspace.choose(sandbox="none")
    workspace.source(issues={"rows": 5, "batch": {"folder": str(workspace.paths.root / place)}})

    with pytest.raises(BadBatch, match="outside the folders"):
        workspace.run()


# ── what the tap is told ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("option", ["catalog", "properties"])
def test_only_selected_streams_are_asked_for(workspace, option):
    workspace.install("config", "discover", "state", option)
    workspace.source(issues={"rows": 3}, events={"rows": 3})
    workspace.choose(select=["issues"])

    assert workspace.run().run.read == {"issues": 3}


def test_a_tap_without_discovery_runs_without_a_catalog(workspace):
    workspace.install("config", "state")
    workspace.source(issues={"rows": 3})

    assert workspace.run().run.read == {"issues": 3}


def test_a_tap_that_syncs_when_asked_what_it_offers_runs_without_a_catalog(workspace):
    workspace.source(issues={"rows": 3})
    workspace.behave(discovers=False)
    heard = Heard()

    assert workspace.run(listen=heard).run.read == {"issues": 3}
    assert [note.text for note in heard.of(Note)] == ["tap-fake 1.0 has no discovery: it runs without a catalog"]


def test_a_tap_that_breaks_on_its_catalog_is_given_none_any_more(workspace):
    workspace.source(issues={"rows": 3}, labels={"rows": 2})
    workspace.behave(trips=True)

    with pytest.raises(TapFailed) as raised:
        workspace.run()
    report = workspace.run()

    assert raised.value.message == "tap-fake 1.0 breaks on the catalog that it offered itself"
    assert raised.value.cause == "AttributeError: property 'primary_keys' of 'Trips' object has no setter"
    assert raised.value.hint is not None
    assert raised.value.hint.startswith("orchestrator run shop  ")
    assert report.run.read == {"issues": 3, "labels": 2}


def test_a_key_that_a_person_chose_counts_more_than_that_of_the_tap(workspace):
    workspace.source(issues={"rows": 4, "ids": 2})
    workspace.choose(streams={"issues": {"key": []}})

    workspace.run()

    assert workspace.numbers("issues") == numbers(1, 4)


def test_a_setting_of_a_stream_may_be_for_many_of_them_and_a_name_goes_before_a_pattern(workspace):
    workspace.source(issues={"rows": 4, "ids": 2}, events={"rows": 4, "ids": 2}, labels={"rows": 4, "ids": 2})
    workspace.choose(streams={"*s": {"key": []}, "labels": {"cursor": "n"}})

    workspace.run()

    assert [len(workspace.rows(stream)) for stream in ("issues", "events", "labels")] == [4, 4, 2]


@pytest.mark.parametrize("discovers", [True, False])
def test_each_stream_lands_its_objects_as_a_person_chose(workspace, discovers):
    workspace.behave(discovers=discovers)
    workspace.source(**{name: {"rows": 1, "nested": True} for name in ("issues", "events", "labels")})
    workspace.choose(nested="struct", streams={"events": {"flatten": 1}, "l*": {"nested": "json"}})

    workspace.run()

    assert workspace.rows("issues", "typeof(author), author.name") == [
        ('STRUCT(id BIGINT, "name" VARCHAR)', "author 1")
    ]
    assert workspace.rows("events", "author__id, author__name") == [(1, "author 1")]
    assert workspace.rows("labels", "typeof(author), author->>'name'") == [("JSON", "author 1")]


def test_a_replay_lands_objects_as_a_person_chooses_now(workspace):
    workspace.source(issues={"rows": 1, "nested": True})
    workspace.run()
    workspace.choose(flatten=1)

    workspace.replay(1, to="scratch")

    assert workspace.rows("issues", "author->>'name'") == [("author 1",)]
    assert workspace.rows("issues", "author__name", at="scratch") == [("author 1",)]


# ── when rows settle ─────────────────────────────────────────────────────────────────────────────


def test_a_commit_closes_at_the_first_state_after_enough_rows(workspace):
    workspace.behave(**BY_TWOS)
    workspace.source(issues={"rows": 10})
    heard = Heard()

    report = workspace.run(policy=CommitPolicy(rows=3, seconds=1000), listen=heard)

    assert [dict(commit.rows) for commit in heard.of(Committed)] == [{"issues": 4}, {"issues": 4}, {"issues": 2}]
    assert [json.loads(commit.state)["bookmarks"]["issues"]["n"] for commit in workspace.commits] == [4, 8, 10]
    assert (report.commits, report.run.first_commit, report.run.last_commit) == (3, 1, 3)


def test_a_commit_closes_at_the_first_state_after_enough_seconds(workspace):
    workspace.behave(**BY_TWOS, seconds_a_row=0.06)
    workspace.source(issues={"rows": 8})

    report = workspace.run(policy=CommitPolicy(rows=1000, seconds=0.1))

    assert report.commits >= 2
    assert workspace.numbers("issues") == numbers(1, 8)


def test_what_came_before_a_pause_settles_when_it_is_due(workspace):
    """Not only when the tap speaks again: here it speaks again when the rows can be read."""
    told = workspace.paths.root / "told"
    workspace.source(issues={"rows": 3})
    workspace.behave(state_every=2, accidents=[{"after": 1 + 2 + 1, "await": str(told)}])

    def listen(event):
        if isinstance(event, Committed):
            told.touch()

    workspace.run(policy=CommitPolicy(rows=1000, seconds=0.1), listen=listen)

    assert [dict(commit.rows) for commit in workspace.commits] == [{"issues": 2}, {"issues": 1}]


def test_a_state_without_rows_settles(bookmarked):
    report = bookmarked.run()

    assert (report.run.read, report.run.status) == ({}, Status.SUCCEEDED)
    assert bookmarked.bookmarks == {"issues": {"n": 6}, "events": {"n": 6}}


def test_an_empty_state_does_not_wipe_the_bookmark(bookmarked):
    bookmarked.behave(empty_state_first=True, accidents=[{"after": 1, "exit": 1}])
    heard = Heard()
    with pytest.raises(TapFailed):
        bookmarked.run(policy=CommitPolicy(rows=1, seconds=0), listen=heard)
    assert "the bookmark it had before is kept" in heard.of(Note)[0].text
    bookmarked.behave(accidents=[])

    assert bookmarked.run().run.read == {}


def test_a_tap_without_state_is_committed_at_its_end(workspace):
    workspace.behave(state_at_end=False)
    workspace.source(issues={"rows": 5})

    report = workspace.run()

    assert (report.commits, workspace.commits[-1].state) == (1, None)
    assert workspace.numbers("issues") == numbers(1, 5)


# ── when the tap fails ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("accident", "error", "said"),
    [
        ({"exit": 3}, TapFailed, "ended with exit code 3"),
        ({"signal": signal.SIGKILL}, TapFailed, "was killed by signal 9"),
        ({"raise": "too many open files"}, TapFailed, "RuntimeError: too many open files"),
        ({"raise": "401 Unauthorized"}, CredentialsError, "RuntimeError: 401 Unauthorized"),
        ({"babble": "Fetching page 2 of 7"}, BrokenMessage, "Fetching page 2 of 7"),
    ],
)
def test_a_tap_that_dies_keeps_what_it_committed_and_nothing_more(workspace, accident, error, said):
    workspace.settle(commit_rows=1)
    workspace.source(issues={"rows": 10}, events={"rows": 10, "key": []})
    workspace.behave(**BY_TWOS, accidents=[{"after": 1 + 15 + 1 + AFTER_FIVE_ROWS - 1, **accident}])

    with pytest.raises(error) as failure:
        workspace.run()

    assert said in str(failure.value)
    assert workspace.numbers("issues") == numbers(1, 10)
    assert workspace.numbers("events") == numbers(1, 4)
    workspace.behave(accidents=[])
    assert workspace.run().run.read == {"events": 6}
    assert workspace.numbers("events") == numbers(1, 10)


def test_a_tap_that_fails_after_its_last_word_has_failed(workspace):
    workspace.source(issues={"rows": 5})
    workspace.behave(state_every=2, accidents=[{"after": 1 + 5 + 2 + 1, "exit": 1}])

    with pytest.raises(TapFailed):
        workspace.run()

    assert workspace.last_run.status is Status.FAILED
    assert workspace.numbers("issues") == []


def test_a_tap_that_says_nothing_fails_the_run(workspace):
    workspace.source(issues={"rows": 3})
    workspace.run()
    workspace.behave(accidents=[{"after": 0, "exit": 0}])

    with pytest.raises(SilentTap, match=r"tap-fake 1.0 ended well but said nothing"):
        workspace.run()

    assert workspace.last_run.status is Status.FAILED
    assert len(workspace.commits) == 1


def test_a_selected_stream_without_a_schema_fails_the_run_and_is_named(workspace):
    workspace.source(issues={"rows": 3}, events={"rows": 3, "mute": True}, labels={"rows": 3, "mute": True})
    workspace.choose(select=["issues", "events"])

    with pytest.raises(SilentTap) as failure:
        workspace.run()

    assert failure.value.message == "tap-fake 1.0 ended well but printed no SCHEMA for events"
    assert workspace.numbers("issues") == numbers(1, 3)
    workspace.choose(select=["issues"])
    assert workspace.run().run.status is Status.SUCCEEDED


def test_a_loud_tap_does_not_wait_for_its_log(workspace):
    workspace.source(issues={"rows": 5})
    workspace.behave(accidents=[{"after": 3, "flood": 3000}])

    workspace.run()

    assert workspace.numbers("issues") == numbers(1, 5)
    assert workspace.paths.tap_log("shop", 1).read_text().count("\n") == 3000


def test_a_child_that_holds_the_pipes_does_not_keep_a_run_from_its_end(workspace):
    workspace.source(issues={"rows": 5})
    workspace.behave(accidents=[{"after": 3, "child": 600}])

    assert workspace.run().run.status is Status.SUCCEEDED
    assert workspace.numbers("issues") == numbers(1, 5)


@pytest.mark.parametrize(
    ("accident", "error"),
    [({"exit": 0}, SilentTap), ({"exit": 1}, TapFailed), ({"babble": "oops", "hang": 600}, BrokenMessage)],
)
def test_nothing_that_a_tap_started_outlives_its_run(workspace, accident, error):
    workspace.source(issues={"rows": 5}, events={"rows": 5})
    workspace.behave(accidents=[{"after": 3, "child": 600, **accident}])
    heard = Heard()

    with pytest.raises(error):
        workspace.run(listen=heard)

    assert processes_of(heard.of(RunStarted)[0].pid) == []


def processes_of(session):
    """What runs in the session that a tap was the first of."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (ProcessLookupError, psutil.NoSuchProcess):
            pass
    return found


# ── when it is stopped ───────────────────────────────────────────────────────────────────────────


def test_a_run_that_is_asked_to_stop_does_so_after_a_commit(workspace):
    """At the next STATE, though no commit would be due for long."""
    workspace.source(issues={"rows": 200_000})
    workspace.behave(state_every=2)
    stop, heard = Stop(), Heard()

    def listen(event):
        heard(event)
        if isinstance(event, Progress) and event.read:
            stop.ask(signal.SIGINT)

    with pytest.raises(Stopped) as stopped:
        workspace.run(policy=CommitPolicy(rows=10**9, seconds=10**9), stop=stop, listen=listen)

    assert stopped.value.exit_code == 130
    committed = heard.of(Committed)[-1].rows["issues"]
    assert 0 < committed < 200_000
    assert workspace.numbers("issues") == numbers(1, committed)
    assert workspace.bookmarks == {"issues": {"n": committed}}
    assert workspace.last_run.status is Status.STOPPED
    assert processes_of(heard.of(RunStarted)[0].pid) == []


def test_a_signal_stops_a_run_after_a_commit(workspace):
    workspace.source(issues={"endless": True})
    workspace.behave(state_every=2, seconds_a_row=0.01)
    process = start(workspace, policy=CommitPolicy(rows=10, seconds=1000))
    wait_until(lambda: workspace.commits)

    send(process, signal.SIGTERM)
    process.join(20)

    assert process.exitcode == 128 + signal.SIGTERM
    assert workspace.numbers("issues") == numbers(1, workspace.bookmarks["issues"]["n"])
    assert workspace.last_run.status is Status.STOPPED


def test_a_second_signal_stops_a_run_at_once(workspace):
    """Rows were read, and no STATE comes any more: there is no good moment to wait for."""
    go_on, reading = workspace.paths.root / "go on", workspace.paths.root / "reading"
    workspace.settle(commit_rows=1)
    workspace.source(issues={"rows": 2}, events={"endless": True})
    accidents = [{"after": 5, "await": str(go_on)}, {"after": 25, "touch": str(reading)}]
    workspace.behave(state_every=1_000_000, seconds_a_row=0.01, accidents=accidents)
    process = start(workspace)
    wait_until(lambda: workspace.commits)
    go_on.touch()
    wait_until(reading.exists)

    send(process, signal.SIGINT)
    process.join(0.5)
    assert process.is_alive()
    send(process, signal.SIGTERM)
    process.join(20)

    assert process.exitcode == 128 + signal.SIGTERM
    assert workspace.numbers("issues") == numbers(1, 2)
    assert workspace.numbers("events") == []
    assert workspace.last_run.status is Status.STOPPED


# ── one at a time ────────────────────────────────────────────────────────────────────────────────


def test_a_flow_that_runs_is_not_run_twice_and_after_kill_9_the_next_run_just_works(workspace):
    go_on = workspace.paths.root / "go on"
    workspace.settle(commit_rows=1)
    workspace.source(issues={"rows": 6})
    workspace.behave(**BY_TWOS, accidents=[{"after": AFTER_FIVE_ROWS, "await": str(go_on)}])
    process = start(workspace)
    wait_until(lambda: len(workspace.commits) == 2)

    with pytest.raises(AlreadyRunning, match=rf"pid {process.pid}\b"):
        workspace.run()

    assert workspace.last_run.status == "running"
    process.kill()
    process.join()
    assert workspace.last_run.status == "crashed"
    go_on.touch()
    assert workspace.run().run.read == {"issues": 2}
    assert workspace.numbers("issues") == numbers(1, 6)


def test_of_a_run_that_is_killed_what_was_committed_can_be_replayed(workspace):
    go_on = workspace.paths.root / "go on"
    workspace.settle(commit_rows=1)
    workspace.source(issues={"rows": 6})
    workspace.behave(**BY_TWOS, accidents=[{"after": AFTER_FIVE_ROWS, "await": str(go_on)}])
    process = start(workspace)
    wait_until(lambda: len(workspace.commits) == 2)
    process.kill()
    process.join()
    go_on.touch()

    workspace.replay(1, to="scratch")

    assert workspace.numbers("issues", at="scratch") == workspace.numbers("issues") == numbers(1, 4)


HOLD = """
import os, sys
from pathlib import Path
import duckdb
from orchestrator.durable import lock
held = {hold}
held.__enter__()
print(flush=True)
sys.stdin.read()
"""


@contextmanager
def in_use(workspace):
    """The destination, held by another process for as long as the block lasts."""
    path = str(workspace.config.destination("warehouse").path)
    hold = {
        "duckdb": f"duckdb.connect({path!r})",
        "parquet": f"lock(Path({path!r}, 'shop', '_orchestrator', '.lock'), note=str(os.getpid()))",
    }[workspace.types["warehouse"]]
    command = [sys.executable, "-c", HOLD.format(hold=hold)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"\n"
        yield holder


def test_a_destination_that_is_in_use_is_waited_for(bookmarked):
    bookmarked.source(issues={"rows": 8})
    heard = Heard()

    with in_use(bookmarked) as holder:

        def listen(event):
            heard(event)
            if isinstance(event, Waiting):
                holder.stdin.close()

        bookmarked.run(listen=listen)

        assert [str(holder.pid) in event.reason for event in heard.of(Waiting)] == [True]
    assert bookmarked.numbers("issues") == numbers(1, 8)


# ── from another place ───────────────────────────────────────────────────────────────────────────


def test_a_full_refresh_replaces_rows_only_at_the_end(bookmarked):
    bookmarked.source(issues={"rows": 5}, events={"rows": 5, "key": []})
    seen = []

    def listen(event):
        if isinstance(event, Committed):
            seen.append((bookmarked.numbers("issues"), bookmarked.numbers("events")))

    report = bookmarked.run(full_refresh=None, listen=listen)

    assert report.run.read == {"issues": 5, "events": 5}
    assert len(seen) > 2
    assert seen[-1] == (numbers(1, 5), numbers(1, 5))
    assert all(before == (numbers(1, 6), numbers(1, 6)) for before in seen[:-1])


# In the first stream, between the streams, in the second stream.
@pytest.mark.parametrize("after", [AFTER_FIVE_ROWS, 1 + 9, 1 + 9 + AFTER_FIVE_ROWS])
@pytest.mark.parametrize("refreshed", [None, frozenset({"issues", "events"})])
def test_a_full_refresh_that_breaks_off_leaves_the_old_rows_and_the_next_run_completes_it(bookmarked, refreshed, after):
    bookmarked.behave(accidents=[{"after": after, "exit": 1}])

    with pytest.raises(TapFailed):
        bookmarked.run(full_refresh=refreshed)

    assert bookmarked.numbers("issues") == numbers(1, 6)
    assert bookmarked.numbers("events") == numbers(1, 6)
    bookmarked.behave(accidents=[])
    bookmarked.source(issues={"rows": 8}, events={"rows": 8, "key": []})
    bookmarked.run()
    assert bookmarked.numbers("issues") == numbers(1, 8)
    assert bookmarked.numbers("events") == numbers(1, 8)


def test_a_stream_that_is_left_out_after_a_broken_refresh_keeps_its_old_rows(bookmarked):
    bookmarked.behave(accidents=[{"after": AFTER_FIVE_ROWS, "exit": 1}])
    with pytest.raises(TapFailed):
        bookmarked.run(full_refresh=frozenset({"issues"}))
    bookmarked.behave(accidents=[])
    bookmarked.choose(select=["events"])

    bookmarked.run()

    assert bookmarked.numbers("issues") == numbers(1, 6)
    bookmarked.choose(select=["issues", "events"])
    bookmarked.run()
    assert bookmarked.numbers("issues") == numbers(1, 6)


def test_one_stream_is_refreshed_and_the_others_go_on(bookmarked):
    bookmarked.source(issues={"rows": 7}, events={"rows": 7, "key": []})

    report = bookmarked.run(full_refresh=frozenset({"events"}))

    assert report.run.read == {"issues": 1, "events": 7}
    assert bookmarked.numbers("issues") == numbers(1, 7)
    assert bookmarked.numbers("events") == numbers(1, 7)


def test_only_a_stream_that_there_is_can_be_refreshed(bookmarked):
    with pytest.raises(UnknownName) as unknown:
        bookmarked.run(full_refresh=frozenset({"event"}))

    assert unknown.value.hint == 'did you mean "events"?'


def test_a_run_may_start_from_an_earlier_commit_and_brings_each_row_once(bookmarked):
    second, _, fourth = bookmarked.commits[1], bookmarked.commits[2], bookmarked.commits[4]
    assert second.rows == {"issues": 2}
    assert fourth.rows == {"events": 2}
    bookmarked.source(issues={"rows": 8}, events={"rows": 8, "key": []})
    seen = []

    def listen(event):
        if isinstance(event, Committed) and "events" in event.rows:
            seen.append(bookmarked.numbers("events"))

    report = bookmarked.run(from_commit=second.number, listen=listen)

    assert report.run.read == {"issues": 4, "events": 8}
    assert report.run.from_commit == second.number
    assert bookmarked.numbers("issues") == numbers(1, 8)
    assert bookmarked.numbers("events") == numbers(1, 8)


def test_rows_of_later_commits_go_together_with_the_first_that_come_again(bookmarked):
    bookmarked.source(events={"rows": 8, "key": []})
    seen = []

    def listen(event):
        if isinstance(event, RunStarted | Committed):
            seen.append(bookmarked.numbers("events"))

    bookmarked.run(from_commit=bookmarked.commits[3].number, listen=listen)

    assert seen[:3] == [numbers(1, 6), numbers(1, 4), numbers(1, 6)]
    assert bookmarked.numbers("events") == numbers(1, 8)


def test_a_run_from_an_earlier_commit_that_brings_nothing_takes_nothing_away(bookmarked):
    bookmarked.behave(accidents=[{"after": 2, "exit": 1}])

    with pytest.raises(TapFailed):
        bookmarked.run(from_commit=1)

    assert bookmarked.numbers("events") == numbers(1, 6)
    bookmarked.behave(accidents=[])
    assert bookmarked.run().run.read == {}


def test_an_earlier_commit_of_before_a_broken_refresh_leads_to_every_row(bookmarked):
    number = bookmarked.commits[-1].number
    bookmarked.behave(accidents=[{"after": 1 + 9 + AFTER_FIVE_ROWS, "exit": 1}])
    with pytest.raises(TapFailed):
        bookmarked.run(full_refresh=None)
    bookmarked.behave(accidents=[])
    bookmarked.source(issues={"rows": 8}, events={"rows": 8, "key": []})

    bookmarked.run(from_commit=number)

    assert bookmarked.numbers("issues") == numbers(1, 8)
    assert bookmarked.numbers("events") == numbers(1, 8)


def test_an_earlier_commit_of_before_a_full_refresh_leads_to_every_row(bookmarked):
    """The rows that it stood after are gone: since the refresh they are later ones."""
    number = bookmarked.commits[-1].number
    bookmarked.run(full_refresh=None)
    bookmarked.source(issues={"rows": 8}, events={"rows": 8, "key": []})

    bookmarked.run(from_commit=number)

    assert bookmarked.numbers("issues") == numbers(1, 8)
    assert bookmarked.numbers("events") == numbers(1, 8)


def test_only_a_commit_that_there_is_can_be_started_from(bookmarked):
    with pytest.raises(UnknownName, match="there is no commit 99"):
        bookmarked.run(from_commit=99)

    with pytest.raises(UsageError):
        bookmarked.run(from_commit=1, full_refresh=None)
    assert bookmarked.run().run.number == 2


@pytest.mark.parametrize(
    "options", [{"full_refresh": None}, {"full_refresh": frozenset({"events"})}, {"from_commit": 3}]
)
def test_an_empty_state_does_not_bring_back_the_bookmark_that_a_run_was_told_to_leave(bookmarked, options):
    """It is told at the start, before the tap knows better, and the tap dies before it has read all."""
    bookmarked.choose(select=["events"])
    bookmarked.behave(empty_state_first=True, accidents=[{"after": 1 + 1 + 1, "exit": 1}])
    with pytest.raises(TapFailed):
        bookmarked.run(policy=CommitPolicy(rows=1, seconds=0), **options)
    bookmarked.behave(empty_state_first=False, accidents=[])
    bookmarked.source(events={"rows": 8, "key": []})

    bookmarked.run()

    assert bookmarked.numbers("events") == numbers(1, 8)


# ── the destination is the truth ─────────────────────────────────────────────────────────────────


def test_without_its_state_folder_a_flow_goes_on_from_what_the_destination_holds(bookmarked):
    shutil.rmtree(bookmarked.paths.state)
    bookmarked.source(issues={"rows": 8}, events={"rows": 8, "key": []})

    report = bookmarked.run()

    assert report.run.read == {"issues": 2, "events": 2}
    assert report.run.number == 2
    assert bookmarked.numbers("events") == numbers(1, 8)


def test_where_the_clock_went_back_rows_that_came_later_are_later(bookmarked, monkeypatch):
    commit = bookmarked.commits[-1].number
    monkeypatch.setattr("orchestrator.actions.landing.now", lambda: 1)
    bookmarked.source(events={"rows": 8, "key": []})
    bookmarked.run()

    bookmarked.run(from_commit=commit)

    assert bookmarked.numbers("events") == numbers(1, 8)


def test_a_log_that_is_one_commit_behind_after_a_crash_is_caught_up(bookmarked):
    log = bookmarked.paths.commit_log("shop")
    before = bookmarked.commits
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-1]))
    heard = Heard()

    bookmarked.run(listen=heard)

    assert bookmarked.commits[: len(before)] == before
    assert heard.of(Note) == []


# ── what is remembered of it ─────────────────────────────────────────────────────────────────────


def test_a_run_is_written_down(workspace):
    workspace.source(issues={"rows": 5})
    workspace.behave(metrics=True)

    report = workspace.run()

    run = workspace.last_run
    assert run == report.run
    assert (run.number, run.status, run.exit_code, run.error) == (1, Status.SUCCEEDED, 0, None)
    assert (run.tap, run.package, run.destination) == ("fake", "tap-fake 1.0", "warehouse")
    assert (run.read, run.committed) == ({"issues": 5}, {"issues": 5})
    assert run.metrics == {"record_count:issues": 5}
    assert run.bytes == len(b"".join(archived(workspace, 1)))


def archived(workspace, run):
    return list(read_archive(workspace.paths.archive("shop", run)))


def test_a_run_that_fails_is_written_down_with_its_reason(workspace):
    workspace.settle(commit_rows=1)
    workspace.source(issues={"rows": 5}, events={"rows": 5})
    workspace.behave(**BY_TWOS, metrics=True, accidents=[{"after": 1 + 5 + 2 + 5, "raise": "no"}])

    with pytest.raises(TapFailed):
        workspace.run()

    run = workspace.last_run
    assert (run.status, run.exit_code) == (Status.FAILED, 1)
    assert run.error.message == "tap-fake 1.0 ended with exit code 1 before its end"
    assert run.error.cause == "RuntimeError: no"
    assert (run.read, run.committed) == ({"issues": 5, "events": 3}, {"issues": 5, "events": 2})
    assert run.metrics == {"record_count:issues": 5}


def test_a_listener_hears_how_a_run_goes(workspace):
    workspace.settle(commit_rows=1)
    workspace.behave(**BY_TWOS)
    workspace.source(issues={"rows": 4})
    heard = Heard()

    workspace.run(listen=heard)

    assert isinstance(heard[0], RunStarted)
    assert (heard[0].flow, heard[0].run, heard[0].destination) == ("shop", 1, "warehouse")
    assert [event.number for event in heard.of(Committed)] == [1, 2, 3]
    last = heard.of(Progress)[-1]
    assert (last.read, last.committed, last.bookmarks) == ({"issues": 4}, {"issues": 4}, {"issues": "4"})


def test_a_secret_is_in_nothing_that_a_run_leaves_behind(workspace, monkeypatch):
    secret = "glpat-Qx7~b/9z"
    monkeypatch.setenv("SHOP_TOKEN", secret)
    workspace.source(issues={"rows": 5})
    workspace.behave(
        private_token={"env": "SHOP_TOKEN"}, confess=True, accidents=[{"after": 3, "babble": "not a message"}]
    )
    while_it_ran = []

    def listen(event):
        if isinstance(event, RunStarted):
            while_it_ran.extend(files_with(secret, workspace))

    with pytest.raises(RunFailed):
        workspace.run(listen=listen)

    log = workspace.paths.tap_log("shop", 1).read_text()
    assert '"private_token": "***"' in log
    assert while_it_ran == []
    assert files_with(secret, workspace) == []


def files_with(text, workspace):
    files = [path for path in workspace.paths.root.rglob("*") if path.is_file()]
    return [path for path in files if text.encode() in path.read_bytes()]


def test_of_the_past_as_much_is_kept_as_was_asked_for(workspace):
    workspace.keep(runs=3, archives=2)
    workspace.source(issues={"rows": 5})
    for _ in range(4):
        workspace.run()

    assert workspace.runs.numbers() == [2, 3, 4]
    assert [workspace.paths.archive("shop", number).exists() for number in (2, 3, 4)] == [False, True, True]


def test_runs_that_fail_do_not_pile_up(workspace):
    workspace.keep(runs=2, archives=2)
    workspace.source(issues={"rows": 5})
    workspace.behave(accidents=[{"after": 3, "exit": 1}])
    for _ in range(4):
        with pytest.raises(TapFailed):
            workspace.run()

    assert workspace.runs.numbers() == [3, 4]


@pytest.mark.parametrize("before", [60, 72, 76, 79, 500])
def test_a_secret_that_is_cut_off_in_an_error_is_masked_all_the_same(workspace, monkeypatch, before):
    monkeypatch.setenv("SHOP_TOKEN", "glpatQx7hunter22")
    workspace.source(issues={"rows": 5})
    line = "." * before + "glpatQx7hunter22" + "." * 100
    workspace.behave(private_token={"env": "SHOP_TOKEN"}, accidents=[{"after": 3, "babble": line}])

    with pytest.raises(RunFailed) as failed:
        workspace.run()

    assert "not a Singer message: b'...." in failed.value.message
    assert "glp" not in str(failed.value) + str(workspace.last_run)
