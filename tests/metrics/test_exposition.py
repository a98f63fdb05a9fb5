"""The numbers of a workspace as text that Prometheus reads, held against its own parser."""

import math
from datetime import datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from orchestrator.actions.measure import Kind, Measure, Sample, measure
from orchestrator.errors import TapFailed
from orchestrator.metrics.exposition import exposition
from orchestrator.metrics.taking import Taking
from orchestrator.paths import Paths
from tests.docs.markdown import ROOT, table
from tests.workspaces import FLOW, FakeWorkspace


@pytest.fixture
def workspace(tmp_path):
    workspace = FakeWorkspace(tmp_path)
    workspace.source(issues={"rows": 3}, labels={"rows": 2})
    workspace.behave(metrics=True)
    return workspace


def parsed(text):
    """The samples by name and the values of their labels, in the order of the names of these."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def numbers(workspace, now=None):
    return parsed(exposition(measure(workspace.paths, workspace.config, now)))


def test_what_runs_brought_is_told_by_flow_and_stream(workspace):
    workspace.run()
    workspace.run()
    workspace.behave(accidents=[{"after": 2, "exit": 3}])
    with pytest.raises(TapFailed):
        workspace.run()

    told = numbers(workspace)

    assert told["orchestrator_committed_rows_total", FLOW, "issues"] == 3
    assert told["orchestrator_read_rows_total", FLOW, "labels"] == 2
    assert told["orchestrator_runs_total", FLOW, "succeeded"] == 2
    assert told["orchestrator_runs_total", FLOW, "failed"] == 1
    assert told["orchestrator_runs_total", FLOW, "crashed"] == 0
    assert told["orchestrator_flow_last_run_exit_code", FLOW] == 1
    assert told["orchestrator_run_duration_seconds_count", FLOW] == 3
    assert told["orchestrator_run_duration_seconds_bucket", FLOW, "+Inf"] == 3
    assert told["orchestrator_read_bytes_total", FLOW] == sum(run.bytes for run in workspace.runs.all())
    assert told["orchestrator_tap_metric_total", "issues", FLOW, "record_count"] == 3
    assert told["orchestrator_flow_info", "warehouse", FLOW, "fake"] == 1


def test_the_memory_of_the_tap_is_that_of_its_largest_process(workspace):
    workspace.run()
    small = numbers(workspace)["orchestrator_flow_last_run_tap_memory_peak_bytes", FLOW]
    workspace.behave(accidents=[{"after": 2, "allocate_for_a_moment": 100_000_000}])
    workspace.run(full_refresh=None)
    large = numbers(workspace)["orchestrator_flow_last_run_tap_memory_peak_bytes", FLOW]

    assert 5e6 < small < 6e7
    assert 1e8 < large < small + 1.5e8


def test_lateness_is_counted_from_when_the_schedule_wanted_a_commit(workspace):
    workspace.settle(schedule={"every": "1 h"}, freshness="30 min")
    workspace.run()
    committed = datetime.fromisoformat(workspace.commits[-1].at)

    assert numbers(workspace, committed + timedelta(minutes=29))["orchestrator_flow_lateness_seconds", FLOW] == 0
    assert numbers(workspace, committed + timedelta(minutes=31))["orchestrator_flow_lateness_seconds", FLOW] == 60
    assert numbers(workspace)["orchestrator_flow_last_commit_timestamp_seconds", FLOW] == committed.timestamp()


def test_a_timer_of_a_tap_is_told_in_seconds(workspace):
    point = '{"type": "timer", "metric": "http_request_duration", "value": 0.25, "tags": {"endpoint": "issues"}}'
    workspace.behave(metrics=False, accidents=[{"after": 2, "log": f"INFO METRIC: {point}"}])
    workspace.run()

    told = numbers(workspace)

    assert told["orchestrator_tap_metric_seconds_total", "issues", FLOW, "http_request_duration"] == 0.25


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb", "ä → 🙂", "{}", ""])
def test_any_name_of_a_stream_can_be_a_label(name):
    text = exposition([Measure("x_total", Kind.COUNTER, 'help "me"\n', ("flow", "stream"), (Sample(("f", name), 1),))])

    assert parsed(text) == {("x_total", "f", name): 1}


def test_a_workspace_whose_file_cannot_be_meant_goes_on_with_what_it_said_before(workspace):
    take = Taking(workspace.paths)
    assert parsed(exposition(take()))[("orchestrator_config_readable",)] == 1
    workspace.paths.config.write_text("flows = 3")

    told = parsed(exposition(take()))

    assert told[("orchestrator_config_readable",)] == 0
    assert told["orchestrator_flow_running", FLOW] == 0


def test_the_measures_are_those_of_the_reference(workspace):
    workspace.settle(schedule={"every": "1 h"})
    workspace.notify(name="team", to="json://localhost")
    workspace.behave(accidents=[{"after": 2, "log": 'METRIC: {"type": "timer", "metric": "m", "value": 1}'}])
    workspace.run()
    families = text_string_to_metric_families(exposition(Taking(workspace.paths)()))
    told = {family.name: family for family in families}

    rows = table((ROOT / "docs/reference/metrics.md").read_text(), "Metrics")

    only_up = {"orchestrator_workers", "orchestrator_runs_at_work", "orchestrator_queued_flows"}
    assert {row["name"].removesuffix("_total") for row in rows} == {*told, *only_up}
    for row in rows:
        if row["name"] not in only_up:
            family = told[row["name"].removesuffix("_total")]
            assert family.type == row["type"], row
            labels = {label for sample in family.samples for label in sample.labels} - {"le"}
            assert not family.samples or labels == {*row["labels"].replace(",", "").split()} - {"–"}, row


def test_an_empty_workspace_has_numbers_as_well(tmp_path):
    (tmp_path / "orchestrator.toml").write_text("")

    told = parsed(exposition(Taking(Paths(tmp_path))()))

    assert told[("orchestrator_up",)] == 0
    assert all(not math.isnan(value) for value in told.values())
