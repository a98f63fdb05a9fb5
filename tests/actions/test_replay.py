"""A replay loads what a run read once more, without the tap: elsewhere as if it had always gone there, or in place."""

import shutil

import pytest

from orchestrator.actions.flow_state import set_state
from orchestrator.actions.replay import rehearse
from orchestrator.errors import DamagedFile, Stopped, TapFailed, UnknownName, UsageError
from orchestrator.state import ArchiveWriter, Kind, Status, read_archive
from orchestrator.supervisor.stopping import Stop
from tests.workspaces import FLOW

BY_TWOS = {"state_every": 2, "state_at_end": False}
AFTER_FIVE_ROWS = 1 + 5 + 2


@pytest.fixture
def ran(workspace):
    """A workspace after two runs that ended well."""
    workspace.settle(commit_rows=1)
    workspace.behave(state_every=2)
    grow(workspace, 6)
    workspace.run()
    grow(workspace, 8)
    workspace.run()
    return workspace


def grow(workspace, rows):
    workspace.source(
        issues={"rows": rows, "ids": 5},
        events={"rows": rows, "key": []},
        labels={"rows": rows // 2, "key": [], "method": "FULL_TABLE"},
        projects={"rows": rows // 2, "method": "FULL_TABLE", "activates": "last"},
    )


STREAMS = ("issues", "events", "labels", "projects")
NOTHING: dict[str, list[tuple[object, ...]]] = {stream: [] for stream in STREAMS}


def all_rows(workspace, at="warehouse"):
    with workspace.reading(at) as rows:
        return {stream: rows(stream) for stream in STREAMS}


def numbers(first, last):
    return list(range(first, last + 1))


@pytest.fixture
def batched(workspace):
    """A workspace after a run whose rows came in files, which lie in the folder that is given with it."""
    folder = workspace.paths.root / "batches"
    folder.mkdir()
    workspace.behave(**BY_TWOS)
    workspace.source(issues={"rows": 5, "batch": {"folder": str(folder), "compression": "gzip"}})
    workspace.run()
    return workspace, folder


# ── elsewhere ────────────────────────────────────────────────────────────────────────────────────


def test_runs_that_are_replayed_into_another_destination_give_the_same_rows_there(ran):
    before = all_rows(ran)

    ran.replay(1, to="scratch")
    ran.replay(2, to="scratch")

    assert all_rows(ran, "scratch") == before == all_rows(ran)
    assert ran.held_state(at="scratch") == ran.held_state()


def test_a_replay_does_not_start_the_tap(ran):
    before = all_rows(ran)
    shutil.rmtree(ran.paths.envs)

    ran.replay(1, to="scratch")
    ran.replay(2, to="scratch")

    assert all_rows(ran, "scratch") == before


def test_rows_that_came_in_files_are_replayed_when_the_tap_has_removed_them(batched):
    workspace, folder = batched
    shutil.rmtree(folder)

    workspace.replay(1, to="scratch")

    assert workspace.numbers("issues", at="scratch") == numbers(1, 5) == workspace.numbers("issues")


def test_a_file_that_the_tap_wrote_over_is_not_taken_for_what_it_was(batched):
    workspace, folder = batched
    written = sorted(folder.iterdir())
    written[0].write_bytes(written[1].read_bytes())

    with pytest.raises(DamagedFile, match=r"files/000001\.jsonl is not the file that the tap wrote"):
        workspace.replay(1, to="scratch")

    assert workspace.held_state(at="scratch") is None


def test_a_replay_elsewhere_leaves_the_flow_as_it_was(ran):
    commits, state = ran.commits, ran.held_state()

    ran.replay(1, to="scratch")

    assert (ran.commits, ran.held_state()) == (commits, state)
    assert ran.run().run.read == {"labels": 4, "projects": 4}


def test_a_replay_is_a_run_that_is_written_down(ran):
    report = ran.replay(1, to="scratch")

    run = ran.last_run
    assert run == report.run
    assert (run.number, run.kind, run.replay_of, run.destination) == (3, Kind.REPLAY, 1, "scratch")
    assert (run.status, run.read) == (Status.SUCCEEDED, {"issues": 6, "events": 6, "labels": 3, "projects": 3})
    assert run.committed == run.read
    assert report.bookmarks["issues"] == "6"


def test_a_key_that_a_person_chose_counts_in_a_replay_too(workspace):
    workspace.source(issues={"rows": 4, "ids": 2})
    workspace.choose(streams={"issues": {"key": []}})
    workspace.run()

    workspace.replay(1, to="scratch")

    assert workspace.numbers("issues", at="scratch") == numbers(1, 4)


def test_a_run_that_is_replayed_twice_is_not_there_twice(ran):
    ran.replay(1, to="scratch")
    before = all_rows(ran, "scratch")

    with pytest.raises(UsageError):
        ran.replay(1, to="scratch")

    assert all_rows(ran, "scratch") == before


def test_a_full_refresh_that_is_replayed_replaces_rows_there_too(ran):
    ran.run(full_refresh=None)

    for number in (1, 2, 3):
        ran.replay(number, to="scratch")

    assert all_rows(ran, "scratch") == all_rows(ran)


@pytest.mark.parametrize("after", [2, AFTER_FIVE_ROWS, AFTER_FIVE_ROWS + 2])
@pytest.mark.parametrize("refreshed", [frozenset(), None])
def test_runs_that_broke_off_give_the_same_rows_there_too(ran, after, refreshed):
    ran.settle(commit_rows=3)
    grow(ran, 16)
    ran.behave(accidents=[{"after": after, "exit": 1}])
    with pytest.raises(TapFailed):
        ran.run(full_refresh=refreshed)
    ran.behave(accidents=[])
    ran.run()

    for number in (1, 2, 3, 4):
        ran.replay(number, to="scratch")

    assert all_rows(ran, "scratch") == all_rows(ran)
    assert ran.held_state(at="scratch") == ran.held_state()


def test_a_full_table_that_broke_off_is_not_shown_by_a_replay(workspace):
    workspace.settle(commit_rows=1)
    workspace.behave(**BY_TWOS, accidents=[{"after": AFTER_FIVE_ROWS, "exit": 1}])
    workspace.source(labels={"rows": 8, "key": [], "method": "FULL_TABLE"})
    with pytest.raises(TapFailed):
        workspace.run()

    workspace.replay(1, to="scratch")

    assert workspace.last_run.committed == {"labels": 4}
    assert workspace.numbers("labels", at="scratch") == []


def test_a_run_from_an_earlier_commit_is_not_replayed_where_there_are_rows(ran):
    ran.run(from_commit=1)
    ran.replay(1, to="scratch")
    before = all_rows(ran, "scratch")

    with pytest.raises(UsageError, match="started from commit 1"):
        ran.replay(3, to="scratch")

    assert all_rows(ran, "scratch") == before


def test_a_replay_that_is_stopped_has_changed_nothing(ran):
    stop = Stop()
    stop.ask()

    with pytest.raises(Stopped):
        ran.replay(1, to="scratch", stop=stop)

    assert ran.last_run.status is Status.STOPPED
    assert all_rows(ran, "scratch") == NOTHING
    ran.replay(1, to="scratch")
    ran.replay(2, to="scratch")
    assert all_rows(ran, "scratch") == all_rows(ran)


# ── in place ─────────────────────────────────────────────────────────────────────────────────────


def test_the_last_run_can_be_replayed_in_place_as_often_as_one_likes(ran):
    before, state = all_rows(ran), ran.held_state()

    for _ in range(2):
        ran.replay(2)

        assert all_rows(ran) == before
        assert ran.held_state() == state
    grow(ran, 10)
    assert ran.run().run.read == {"issues": 2, "events": 2, "labels": 5, "projects": 5}
    assert ran.numbers("events") == numbers(1, 10)


def test_a_bookmark_that_was_set_by_hand_stays(ran):
    set_state(ran.paths, ran.config, FLOW, b'{"bookmarks": {"events": {"n": 7}}}')

    ran.replay(2)

    assert ran.held_state() == b'{"bookmarks": {"events": {"n": 7}}}'


def test_rows_that_are_lost_come_back(ran):
    before = all_rows(ran)
    shutil.rmtree(ran.paths.root / "data")

    ran.replay(1)
    ran.replay(2)

    assert all_rows(ran) == before
    assert ran.run().run.read == {"labels": 4, "projects": 4}
    assert ran.numbers("events") == numbers(1, 8)


def test_an_earlier_run_is_not_laid_over_later_rows(ran):
    before = all_rows(ran)

    with pytest.raises(UsageError) as refused:
        ran.replay(1)

    assert refused.value.hint == "orchestrator replay shop --run 1 --to DESTINATION"
    assert all_rows(ran) == before
    assert ran.last_run.number == 2


@pytest.mark.parametrize("commit_rows", [1, 100])
def test_of_a_run_that_failed_only_what_it_committed_is_brought_again(ran, commit_rows):
    """Its archive holds more, which the next run reads again."""
    ran.settle(commit_rows=4)
    grow(ran, 20)
    ran.choose(select=["events"])
    ran.behave(accidents=[{"after": 1 + 6 + 3, "exit": 1}])
    with pytest.raises(TapFailed):
        ran.run()
    assert ran.numbers("events") == numbers(1, 12)
    ran.behave(accidents=[])
    ran.settle(commit_rows=commit_rows)

    ran.replay(3)

    assert ran.numbers("events") == numbers(1, 12)
    ran.run()
    assert ran.numbers("events") == numbers(1, 20)


def test_a_replay_in_place_that_breaks_off_takes_nothing_away(ran):
    before, state = all_rows(ran), ran.held_state()
    damage(ran.paths.archive(FLOW, 2))

    with pytest.raises(DamagedFile):
        ran.replay(2)

    assert (all_rows(ran), ran.held_state()) == (before, state)


def test_a_broken_refresh_is_completed_and_not_replayed(ran):
    ran.choose(select=["events"])
    ran.behave(accidents=[{"after": AFTER_FIVE_ROWS, "exit": 1}])
    with pytest.raises(TapFailed):
        ran.run(full_refresh=frozenset({"events"}))
    ran.behave(accidents=[])

    with pytest.raises(UsageError):
        ran.replay(3)

    ran.run()
    assert ran.numbers("events") == numbers(1, 8)


# ── what cannot be replayed ──────────────────────────────────────────────────────────────────────


def test_only_a_run_whose_archive_is_kept_can_be_replayed(ran):
    ran.paths.archive(FLOW, 1).unlink()

    with pytest.raises(UnknownName, match="has no archive"):
        ran.replay(1, to="scratch")
    with pytest.raises(UnknownName, match="there is no run 9"):
        ran.replay(9, to="scratch")
    assert ran.last_run.number == 2


def test_an_archive_that_is_damaged_brings_nothing(ran):
    damage(ran.paths.archive(FLOW, 1))

    with pytest.raises(DamagedFile):
        ran.replay(1, to="scratch")

    assert all_rows(ran, "scratch") == NOTHING


def damage(archive):
    """Its first half can be read."""
    content = b"".join(read_archive(archive))
    half = len(content) // 2
    with ArchiveWriter(archive) as writer:
        writer.write(content[:half])
        writer.settle()
        writer.write(content[half:])
    written = bytearray(archive.read_bytes())
    written[-25] ^= 0xFF
    archive.write_bytes(written)


def test_a_rehearsal_counts_and_writes_nothing(ran):
    rehearsal = rehearse(ran.paths, ran.config, FLOW, run=2, to="scratch")

    assert (rehearsal.flow, rehearsal.run, rehearsal.destination) == (FLOW, 2, "scratch")
    assert rehearsal.rows == {"issues": 2, "events": 2, "labels": 4, "projects": 4}
    assert all_rows(ran, "scratch") == NOTHING
    assert ran.last_run.number == 2
