"""What goes when there is too much of the past, and what never goes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator import durable
from orchestrator.config import Retention
from orchestrator.state import ArchiveWriter, Circumstances, FilesWriter, Pruned, Runs, Status, prune


@pytest.fixture
def runs(paths):
    """Runs 1 to 6; all but run 4 have an archive."""
    runs = Runs(paths, "shop")
    for number in range(1, 7):
        runs.end(runs.begin(tap="gitlab", package="tap-gitlab", destination="warehouse"))
        paths.tap_log("shop", number).write_text("said\n")
        if number != 4:
            with ArchiveWriter(paths.archive("shop", number)) as archive:
                archive.write(b"message\n")
    return runs


def archived(paths):
    return [number for number in range(1, 9) if paths.archive("shop", number).exists()]


@pytest.mark.parametrize(
    ("retention", "pruned"),
    [
        (Retention(runs=6, archives=5), Pruned((), ())),
        (Retention(runs=6, archives=6), Pruned((), ())),
        (Retention(runs=9, archives=2), Pruned((), (1, 2, 3))),
        (Retention(runs=4, archives=2), Pruned((1, 2), (3,))),
        (Retention(runs=2, archives=20), Pruned((1, 2, 3, 4), ())),
        (Retention(runs=3, archives=0), Pruned((1, 2, 3), (5, 6))),
    ],
)
def test_the_oldest_go_first(paths, runs, retention, pruned):
    before = archived(paths)

    assert prune(paths, "shop", retention) == pruned

    assert runs.numbers() == [number for number in range(1, 7) if number not in pruned.runs]
    assert archived(paths) == [number for number in before if number not in {*pruned.runs, *pruned.archives}]


def test_a_run_without_its_archive_keeps_its_log(paths, runs):
    prune(paths, "shop", Retention(archives=1))

    assert paths.tap_log("shop", 1).read_text() == "said\n"
    assert runs.find(1).status is Status.SUCCEEDED


def test_the_files_of_batches_go_with_the_archive_that_names_them(paths, runs, tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b"{}")
    for number in (1, 5):
        FilesWriter(paths.batch_files("shop", number)).keep(tmp_path / "a.jsonl")

    prune(paths, "shop", Retention(archives=2))

    assert [number for number in (1, 5) if paths.batch_files("shop", number).exists()] == [5]


def test_what_is_running_stays_whole(paths, runs):
    with durable.lock(paths.running("shop")):
        runs.begin(tap="gitlab", package="tap-gitlab", destination="warehouse")
        with ArchiveWriter(paths.archive("shop", 7)):
            pass

        prune(paths, "shop", Retention(runs=0, archives=0))

    assert runs.numbers() == [7]
    assert archived(paths) == [7]


def test_a_number_is_not_given_twice_even_when_nothing_is_kept(paths, runs):
    prune(paths, "shop", Retention(runs=0, archives=0))

    assert runs.begin(tap="gitlab", package="tap-gitlab", destination="warehouse").number == 7


def test_a_flow_that_never_ran_has_nothing_to_prune(paths):
    assert prune(paths, "shop", Retention(runs=0, archives=0)) == Pruned((), ())


def committed(runs, number, **more):
    runs.update(replace(runs.find(number), first_commit=number, last_commit=number, **more))


def test_the_newest_run_that_committed_can_be_replayed_however_many_failed_since(paths, runs):
    committed(runs, 1)
    committed(runs, 2)

    assert prune(paths, "shop", Retention(runs=2, archives=1)) == Pruned((1, 3, 4), (5,))

    assert (runs.numbers(), archived(paths)) == ([2, 5, 6], [2, 6])
    assert prune(paths, "shop", Retention(runs=2, archives=0)).archives == (2, 6)


def test_what_a_replay_committed_came_from_an_archive_that_stays(paths, runs):
    committed(runs, 5, replay_of=2)

    prune(paths, "shop", Retention(runs=1, archives=1))

    assert runs.numbers() == [2, 5, 6]


def test_what_is_too_old_goes_but_for_the_newest_and_the_newest_that_committed(paths, runs):
    committed(runs, 2)
    now = datetime(2026, 5, 1, tzinfo=UTC)
    for number, day in ((1, 1), (2, 2), (3, 10), (4, 20), (5, 25), (6, 28)):
        runs.update(replace(runs.find(number), started=f"2026-04-{day:02}T00:00:00Z"))
    ten_days = Retention(age=10 * 86400)

    assert prune(paths, "shop", ten_days, now).runs == (1, 3, 4)
    assert runs.numbers() == [2, 5, 6]
    assert prune(paths, "shop", ten_days, now + timedelta(days=100)).runs == (5,)
    assert runs.numbers() == [2, 6]


def test_what_no_run_ran_with_is_forgotten_in_time(paths, runs):
    old, new = (runs.documents.keep(content) for content in (b"old", b"new"))
    runs.update(replace(runs.find(6), ran_with=Circumstances(lock=new), number=100))

    prune(paths, "shop", Retention())

    assert (runs.documents.read(old), runs.documents.read(new)) == (None, b"new")


@pytest.mark.parametrize("age", [None, timedelta(days=1).total_seconds()])
def test_a_run_without_a_record_keeps_nothing_from_going(paths, runs, age):
    paths.record("shop", 1).unlink()
    paths.record("shop", 6).unlink()

    assert prune(paths, "shop", Retention(runs=3, archives=9, age=age)).runs == (1, 2, 3)
