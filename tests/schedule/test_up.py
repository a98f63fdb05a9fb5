"""`orchestrator up` keeps schedules: real runs as its children, killed, broken and paused in between."""

import errno
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from orchestrator import durable
from orchestrator.actions.status import status
from orchestrator.cadence.standing import Standing
from orchestrator.cadence.turn import TOO_MANY
from orchestrator.schedule.children import Child
from orchestrator.schedule.loop import Up
from orchestrator.state import Plans, Run, Runs, Status
from orchestrator.supervisor.stopping import Stop
from tests.workspaces import FLOW, FakeWorkspace, is_alive, wait_until


@pytest.fixture
def shop(tmp_path):
    shop = FakeWorkspace(tmp_path)
    shop.source(issues={"rows": 3})
    shop.settle(schedule={"every": "1 s"})
    return shop


@contextmanager
def up(shop: FakeWorkspace, *options: str) -> Iterator[subprocess.Popen[str]]:
    """`orchestrator up`, with what it says in `up.log`; asked to end with the block if it is still there."""
    command = [sys.executable, "-m", "orchestrator", "up", *options]
    with open(shop.paths.root / "up.log", "a") as log:
        process = subprocess.Popen(command, cwd=shop.paths.root, stderr=log, text=True)
    try:
        wait_until(lambda: durable.holder(shop.paths.up))
        yield process
    finally:
        process.terminate()
        process.wait()


def said(shop: FakeWorkspace) -> str:
    return (shop.paths.root / "up.log").read_text()


def ended(shop: FakeWorkspace) -> list[Run]:
    return [run for run in shop.runs.all() if run.ended]


def standing(shop: FakeWorkspace) -> Standing:
    (seen,) = status(shop.paths, shop.config, FLOW)
    assert seen.outlook is not None
    return seen.outlook.standing


def dues(shop: FakeWorkspace) -> list[str | None]:
    return [run.due for run in shop.runs.all()]


def test_a_flow_runs_when_it_is_due_and_once_for_each_time(shop):
    with up(shop):
        wait_until(lambda: len(ended(shop)) >= 3)

    runs = shop.runs.all()
    assert {run.status for run in runs} <= {Status.SUCCEEDED, Status.STOPPED}
    assert len(set(dues(shop))) == len(runs)
    assert all(run.started > run.due for run in runs)
    assert shop.numbers("issues") == [1, 2, 3]
    assert not durable.holder(shop.paths.up)


def test_after_kill_9_a_run_goes_on_and_the_next_up_starts_no_time_twice(shop):
    shop.behave(seconds_a_row=0.5)
    with up(shop) as killed:
        wait_until(lambda: shop.runs.last())
        killed.kill()
        killed.wait()
        run = shop.runs.last()
        assert is_alive(run.pid)
        with up(shop):
            wait_until(lambda: len(ended(shop)) >= 2)

    assert shop.runs.find(run.number).status is Status.SUCCEEDED
    assert len(set(dues(shop))) == len(dues(shop))
    assert shop.numbers("issues") == [1, 2, 3]


def test_when_it_is_asked_to_end_runs_stop_after_a_commit(shop):
    shop.source(issues={"rows": 1000})
    shop.behave(seconds_a_row=0.02, state_every=1)
    shop.settle(commit_rows=1)
    with up(shop) as process:
        wait_until(lambda: shop.commits)
        process.terminate()
        assert process.wait(20) == 0

    assert shop.last_run.status is Status.STOPPED
    assert len(shop.numbers("issues")) == shop.bookmarks["issues"]["n"]


def test_a_change_takes_effect_and_a_broken_one_leaves_what_was(shop):
    with up(shop):
        wait_until(lambda: ended(shop))
        whole = shop.paths.config.read_text()
        shop.paths.config.write_text(whole + "\n[[flows")
        wait_until(lambda: "orchestrator.toml cannot be meant, so what it said before holds" in said(shop))
        before = len(ended(shop))
        shop.paths.config.write_text(whole)
        wait_until(lambda: len(ended(shop)) > before)
        shop.settle(schedule={"every": "1 d"})
        wait_until(lambda: said(shop).count("orchestrator.toml says 1 schedule") == 3)

    assert standing(shop) is Standing.ON_TIME


def test_a_run_that_fails_for_a_while_is_tried_again_for_the_same_time(shop):
    shop.source(issues={"rows": 3, "breaks": "503 Server Error: Service Unavailable"})
    shop.settle(schedule={"every": "1 h"}, retries={"attempts": 3, "backoff": "0.1 s"})
    Plans(shop.paths).begin(FLOW, "every 3600.0 s", datetime(2026, 1, 1, tzinfo=UTC))
    with up(shop):
        wait_until(lambda: len(ended(shop)) >= 2)
        shop.source(issues={"rows": 3})
        wait_until(lambda: shop.last_run.status is Status.SUCCEEDED)

    assert len(set(dues(shop))) == 1
    assert standing(shop) is Standing.ON_TIME


def test_each_attempt_goes_on_from_the_last_commit_of_the_one_before(shop):
    shop.source(issues={"rows": 10, "key": []})
    # Four rows, and it breaks; the third attempt comes to its end before that.
    shop.behave(state_every=2, accidents=[{"after": 1 + 4 + 2, "raise": "503 Server Error: Service Unavailable"}])
    shop.settle(commit_rows=1, schedule={"every": "1 h"}, retries={"attempts": 3, "backoff": "0.1 s"})
    Plans(shop.paths).begin(FLOW, "every 3600.0 s", datetime(2026, 1, 1, tzinfo=UTC))
    with up(shop):
        wait_until(lambda: len(ended(shop)) >= 3)

    assert [(run.exit_code, run.committed) for run in ended(shop)] == [
        (1, {"issues": 4}),
        (1, {"issues": 4}),
        (0, {"issues": 2}),
    ]
    assert len(set(dues(shop))) == 1
    assert shop.numbers("issues") == list(range(1, 11))


def test_a_run_that_needs_a_person_is_not_tried_again_for_the_same_time(shop):
    shop.source(issues={"rows": 3, "breaks": "401 Client Error: Unauthorized for url"})
    shop.settle(retries={"attempts": 100, "backoff": "0.01 s"})
    with up(shop):
        wait_until(lambda: len(ended(shop)) >= 2)

    assert len(set(dues(shop))) == len(dues(shop))
    assert {run.exit_code for run in ended(shop)} <= {4, 143}
    assert "shop needs you: orchestrator status shop" in said(shop)


def test_it_goes_on_when_the_machine_has_no_process_to_spare(shop):
    Plans(shop.paths).begin(FLOW, "every 1 s", datetime(2026, 1, 1, tzinfo=UTC))
    said: list[str] = []
    tried: list[datetime] = []
    stop = Stop()

    def start(flow: str, due: datetime) -> Child:
        tried.append(due)
        if len(tried) == 1:
            return Child(shop.paths.root, flow, due)
        if len(tried) == 3:
            stop.ask()
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    Up(shop.paths, 1, lambda event: said.append(str(event)), start).run(stop)

    assert len(tried) == 3
    assert sum("Resource temporarily unavailable" in each for each in said) == 1


def test_a_run_that_cannot_even_begin_is_remembered_with_its_reason(shop):
    shop.paths.receipt("fake").unlink()
    with up(shop):
        wait_until(lambda: ended(shop))

    run = shop.runs.all()[0]
    assert (run.status, run.exit_code) == (Status.FAILED, 8)
    assert "orchestrator install" in (run.error.hint or "")
    assert standing(shop) is Standing.NEEDS_YOU


def test_a_flow_that_fails_again_and_again_is_paused_until_it_is_resumed(shop):
    shop.source(issues={"rows": 3, "breaks": "503 Server Error: Service Unavailable"})
    shop.settle(retries={"attempts": 100, "backoff": "0.01 s"})
    with up(shop):
        wait_until(lambda: Plans(shop.paths).paused(FLOW), 60)
        assert len(ended(shop)) == TOO_MANY
        assert standing(shop) is Standing.PAUSED
        shop.source(issues={"rows": 3})
        Plans(shop.paths).resume(FLOW)
        wait_until(lambda: shop.last_run.status is Status.SUCCEEDED)

    assert "shop is paused: it failed 10 times in a row" in said(shop)


def test_no_more_runs_are_at_work_than_there_are_workers(shop):
    flows = [FLOW, *(f"more-{number}" for number in range(5))]
    for name in flows[1:]:
        shop.add_flow(name, schedule={"every": "1 s"})
    most = 0
    with up(shop, "--workers", "2"):

        def all_ran() -> bool:
            nonlocal most
            most = max(most, sum(durable.holder(shop.paths.running(flow)) is not None for flow in flows))
            return all(shop.paths.record(flow, 1).exists() for flow in flows)

        wait_until(all_ran, 60)

    assert 1 <= most <= 2


def started(shop: FakeWorkspace, flow: str) -> list[tuple[str, str | None]]:
    return [(run.started, run.ended) for run in Runs(shop.paths, flow).all()]


def test_a_tap_is_at_work_in_no_more_runs_than_it_allows_also_with_one_that_a_person_started(shop):
    shop.choose(max_runs=1)
    for name in ("second", "third"):
        shop.add_flow(name, schedule={"every": "1 s"})
    with durable.lock(shop.paths.running("third"), note="somebody"), up(shop):
        wait_until(lambda: "orchestrator.toml says 3 schedules" in said(shop))
        time.sleep(1.5)
        assert not started(shop, FLOW)
    with up(shop):
        wait_until(lambda: all(len(started(shop, flow)) >= 2 for flow in (FLOW, "second", "third")))

    runs = sorted(each for flow in (FLOW, "second", "third") for each in started(shop, flow))
    assert all(ended and ended < begun for (_, ended), (begun, _) in pairwise(runs))


def test_a_flow_that_comes_after_another_waits_for_its_run_and_for_one_that_fails(shop):
    shop.source(issues={"rows": 3, "breaks": "503 Server Error: Service Unavailable"})
    shop.settle(schedule={"every": "1 h"}, retries={"attempts": 9, "backoff": "0.1 s", "max": "0.2 s"})
    shop.add_flow("report", schedule={"every": "1 h"}, after=[FLOW])
    for flow in (FLOW, "report"):
        Plans(shop.paths).begin(flow, "every 3600.0 s", datetime(2026, 1, 1, tzinfo=UTC))
    with up(shop):
        wait_until(lambda: len(ended(shop)) >= 2)
        assert not started(shop, "report")
        shop.source(issues={"rows": 3})
        wait_until(lambda: started(shop, "report"))

    assert shop.last_run.status is Status.SUCCEEDED
    assert started(shop, "report")[0][0] > (shop.last_run.ended or "")


def test_a_run_that_somebody_started_by_hand_is_waited_for(shop):
    with durable.lock(shop.paths.running(FLOW), note="somebody"), up(shop):
        wait_until(lambda: "up with 4 workers" in said(shop))
        assert not shop.runs.all()
    with up(shop):
        wait_until(lambda: ended(shop))

    assert shop.numbers("issues") == [1, 2, 3]


@pytest.mark.parametrize("gone", ["its schedule", "the flow"])
def test_a_run_ends_in_peace_when_its_schedule_or_its_flow_is_taken_away(shop, gone):
    shop.behave(seconds_a_row=0.5)
    with up(shop) as process:
        wait_until(lambda: shop.runs.last())
        whole = shop.paths.config.read_text()
        without = whole.split("[flows.schedule]" if gone == "its schedule" else "[[flows]]")[0]
        assert without != whole
        shop.paths.config.write_text(without)
        wait_until(lambda: "shop ended well" in said(shop))
        wait_until(lambda: "orchestrator.toml says 0 schedules" in said(shop))
        shop.paths.config.write_text(whole)
        wait_until(lambda: len(ended(shop)) >= 2)
        assert process.poll() is None

    assert shop.runs.find(1).status is Status.SUCCEEDED


def test_it_ends_at_a_second_signal_and_leaves_its_runs_to_themselves(shop):
    shop.source(issues={"rows": 60})
    shop.behave(seconds_a_row=0.1, state_every=0)
    with up(shop) as process:
        wait_until(lambda: shop.runs.last())
        run = shop.last_run
        # Rows that no STATE follows yet keep the run from ending at the first one.
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        process.wait(20)
        assert is_alive(run.pid)
        wait_until(lambda: shop.runs.find(run.number).ended)

    assert len(shop.numbers("issues")) == 60
