"""The runs of a flow: their numbers, how they end, and what is told of those that never did."""

import stat
import subprocess
import sys
from dataclasses import replace

import pytest

from orchestrator import durable
from orchestrator.errors import Stopped, TapFailed, UnknownName
from orchestrator.state import Failure, Kind, Run, Runs, Status


@pytest.fixture
def runs(paths):
    return Runs(paths, "shop")


@pytest.fixture
def lock(paths):
    with durable.lock(paths.running("shop"), note="pid 1"):
        yield


def begin(runs, **more):
    return runs.begin(tap="gitlab", package="tap-gitlab 0.5.1", destination="warehouse", **more)


def test_runs_are_numbered_from_one(runs):
    assert [begin(runs).number for _ in range(3)] == [1, 2, 3]


def test_a_run_comes_back_with_all_that_was_said_of_it(runs, lock):
    run = begin(runs, from_commit=12)
    told = replace(run, read={"issues": 3}, committed={"issues": 2}, bytes=999, first_commit=13, metrics={"http": 1.5})

    runs.update(told)

    assert runs.find(run.number) == told
    assert (told.status, told.kind, told.from_commit) == (Status.RUNNING, Kind.RUN, 12)
    assert told.started.endswith("Z")


def test_a_run_that_ends_well_says_so(runs):
    ended = runs.end(begin(runs))

    assert runs.last() == ended
    assert (ended.status, ended.exit_code, ended.error) == (Status.SUCCEEDED, 0, None)
    assert ended.started <= ended.ended


def test_an_error_is_kept_in_its_own_words(runs):
    error = TapFailed("tap-gitlab ended with exit code 3", cause="KeyError", data="2 rows are committed", hint="look")

    runs.end(begin(runs), error)

    ended = runs.last()
    assert (ended.status, ended.exit_code) == (Status.FAILED, 1)
    assert ended.error == Failure("tap-gitlab ended with exit code 3", "KeyError", "2 rows are committed", "look")


@pytest.mark.parametrize(
    ("error", "status", "exit_code", "message"),
    [
        (Stopped("stopped after a commit", signal=15), Status.STOPPED, 143, "stopped after a commit"),
        (KeyboardInterrupt(), Status.STOPPED, 130, "KeyboardInterrupt"),
        (ZeroDivisionError("by zero"), Status.FAILED, 1, "ZeroDivisionError: by zero"),
    ],
)
def test_a_run_ends_as_its_error_says(runs, error, status, exit_code, message):
    ended = runs.end(begin(runs), error)

    assert (ended.status, ended.exit_code, ended.error.message) == (status, exit_code, message)


def test_a_replay_names_the_run_that_it_reads_again(runs):
    assert begin(runs, replay_of=4).kind is Kind.REPLAY


def test_a_run_is_running_while_its_process_holds_the_lock(runs, paths):
    with durable.lock(paths.running("shop")):
        begin(runs)
        assert runs.last().status is Status.RUNNING

    crashed = runs.last()
    assert crashed.status is Status.CRASHED
    assert crashed.error.hint == "orchestrator run shop"


def test_only_the_newest_run_can_be_the_one_that_holds_the_lock(runs, lock):
    begin(runs)
    begin(runs)

    assert [run.status for run in runs.all()] == [Status.CRASHED, Status.RUNNING]


RUNS_WITHOUT_END = """
import pathlib, sys, time
from orchestrator import durable
from orchestrator.paths import Paths
from orchestrator.state import Runs

paths = Paths(pathlib.Path(sys.argv[1]))
with durable.lock(paths.running("shop")):
    run = Runs(paths, "shop").begin(tap="gitlab", package="tap-gitlab", destination="warehouse")
    print(run.number, flush=True)
    while True:
        Runs(paths, "shop").update(run)
"""


def test_a_run_that_is_killed_is_read_as_crashed_and_blocks_nobody(runs, paths):
    command = [sys.executable, "-c", RUNS_WITHOUT_END, str(paths.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        alive = runs.last()
        process.kill()

    assert (alive.status, alive.pid) == (Status.RUNNING, process.pid)
    assert runs.find(1).status is Status.CRASHED
    with durable.lock(paths.running("shop")):
        assert begin(runs).number == 2


def test_a_damaged_run_is_shown_as_such_and_hides_no_other(runs, paths):
    for _ in range(3):
        runs.end(begin(runs))
    paths.record("shop", 2).write_text('{"flow": "shop", "numb')

    assert [run.status for run in runs.all()] == [Status.SUCCEEDED, Status.DAMAGED, Status.SUCCEEDED]
    assert "run.json is not what was written" in runs.find(2).error.message


def test_what_a_later_version_wrote_beside_is_read_over(runs, paths):
    ended = runs.end(begin(runs))
    path = paths.record("shop", 1)
    path.write_text(path.read_text().replace("{", '{"mood": "good",', 1))

    assert runs.last() == ended


def test_numbers_do_not_repeat_after_state_was_lost(runs):
    assert begin(runs, after=41).number == 42
    assert begin(runs, after=41).number == 43


def test_runs_stand_in_the_order_of_their_numbers_beyond_six_digits(runs):
    assert [begin(runs, after=number).number for number in (0, 999_998, 999_999)] == [1, 999_999, 1_000_000]
    assert [run.number for run in runs.all()] == [1, 999_999, 1_000_000]


def test_a_run_that_does_not_exist_is_an_error_with_a_way_on(runs):
    with pytest.raises(UnknownName, match='no run 3 of "shop"') as never:
        runs.find(3)
    begin(runs)
    with pytest.raises(UnknownName) as unknown:
        runs.find(3)

    assert (never.value.cause, never.value.hint) == ("it never ran", "orchestrator run shop")
    assert (unknown.value.cause, unknown.value.hint) == ("those that are kept go from 1 to 1", "orchestrator runs shop")


def test_a_flow_that_never_ran_has_no_runs(runs):
    assert runs.all() == []
    assert runs.last() is None


def test_every_status_has_its_place_in_the_record(runs):
    for status in Status:
        runs.update(Run("shop", 1, status))
        assert runs.find(1).status == (Status.CRASHED if status is Status.RUNNING else status)


def test_only_the_owner_reads_the_runs(runs, paths):
    begin(runs)

    assert stat.S_IMODE(paths.record("shop", 1).stat().st_mode) == 0o600
    assert stat.S_IMODE(paths.run("shop", 1).stat().st_mode) == 0o700
