"""What all runs of a flow came to, also those whose records are gone."""

from dataclasses import replace

import pytest

from orchestrator.config import Retention
from orchestrator.state import Runs, prune
from orchestrator.state.totals import MOST_METRICS, OTHERS, Totals, read_totals


@pytest.fixture
def runs(paths):
    return Runs(paths, "shop")


def end(runs, **said):
    run = runs.begin(tap="gitlab", package="tap-gitlab", destination="warehouse", due=said.pop("due", None))
    runs.update(replace(run, status=said.pop("status", "succeeded"), ended=run.started, **said))


def totals(paths, runs):
    return read_totals(paths, runs, "shop")


def test_they_never_fall_though_runs_are_forgotten(paths, runs):
    before = Totals()
    for number in range(1, 9):
        end(runs, committed={"issues": number}, bytes=10, metrics={"record_count:issues": 1.5})
        prune(paths, "shop", Retention(runs=2))
        after = totals(paths, runs)
        assert after.committed["issues"] == before.committed.get("issues", 0) + number
        before = after

    assert len(runs.numbers()) == 2
    assert (before.bytes, before.runs, before.metrics) == (80, {"succeeded": 8}, {"record_count:issues": 12.0})


def test_what_was_not_written_down_yet_is_counted_and_a_run_at_work_is_not(paths, runs):
    end(runs, committed={"issues": 3})
    end(runs, committed={"issues": 4}, status="failed")
    assert totals(paths, runs).committed == {"issues": 7}
    assert totals(paths, runs).runs == {"succeeded": 1, "failed": 1}


def test_a_run_for_the_due_time_of_another_one_is_a_retry(paths, runs):
    for due in (None, "12:00", "12:00", None, "12:00", "13:00"):
        end(runs, due=due)

    assert totals(paths, runs).retries == 2


def test_durations_are_counted_by_classes(paths, runs):
    for started, ended in (("00:00:00", "00:00:01"), ("00:00:00", "00:00:02"), ("00:00:00", "23:00:00")):
        end(runs)
        run = runs.last()
        runs.update(replace(run, started=f"2026-05-01T{started}Z", ended=f"2026-05-01T{ended}Z"))

    assert totals(paths, runs).lasted == (1, 1, 0, 0, 0, 0, 0, 0, 1)
    assert totals(paths, runs).seconds == 23 * 3600 + 3


def test_names_that_a_tap_makes_up_as_it_goes_are_counted_as_others(paths, runs):
    end(runs, metrics={f"page:{number}": 1.0 for number in range(MOST_METRICS + 50)})

    metrics = totals(paths, runs).metrics

    assert (len(metrics), metrics[OTHERS]) == (MOST_METRICS + 1, 50)


def test_damaged_totals_are_begun_anew_from_what_is_there(paths, runs):
    end(runs, committed={"issues": 3})
    prune(paths, "shop", Retention())
    paths.totals("shop").write_text("{")

    assert totals(paths, runs).committed == {"issues": 3}
