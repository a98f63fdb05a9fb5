"""Lines of the logs of taps, taken apart."""

import pytest

from orchestrator.protocol.log_lines import taken_apart
from orchestrator.protocol.metrics import metric_in

STREAMS = ("issues", "merge_requests", "issue_labels")


@pytest.mark.parametrize(
    ("line", "level", "stream"),
    [
        ("INFO Sync complete", "info", None),
        ("2026-05-01 09:00:00,123 | WARNING  | tap-x | retrying issues", "warning", "issues"),
        ("CRITICAL no such host", "critical", None),
        ("WARN GET /projects/42/merge-requests?page=1", "warning", "merge_requests"),
        ("FATAL: it is over", "critical", None),
        ("issues and issue_labels", None, None),
        ("all tissues are well", None, None),
        ("it printed ERROR" + " " * 100, "error", None),
        ("." * 100 + "ERROR is told late", None, None),
        (
            'INFO METRIC: {"type": "counter", "metric": "record_count", "value": 3, "tags": {"stream": "x"}}',
            "info",
            "x",
        ),
        ("INFO METRIC: issues, but no JSON", "info", "issues"),
        ("", None, None),
    ],
)
def test_a_line_tells_its_level_and_the_one_stream_that_it_is_about(line, level, stream):
    told = taken_apart(line, STREAMS)

    assert (told.message, told.level, told.stream) == (line, level, stream)


@pytest.mark.parametrize(
    ("point", "name"),
    [
        (
            '{"type": "counter", "metric": "record_count", "value": 3, "tags": {"endpoint": "issues"}}',
            "record_count:issues",
        ),
        ('{"type": "timer", "metric": "job_duration", "value": 3, "tags": {"job_type": "a"}}', "job_duration_seconds"),
        (
            '{"type": "timer", "metric": "sync_duration", "value": 1.5, "tags": {"stream": 7}}',
            "sync_duration_seconds:7",
        ),
        ('{"type": "counter", "metric": "x", "value": 1, "tags": {"stream": null}}', "x"),
    ],
)
def test_a_metric_is_named_by_what_it_measures_and_timers_by_their_unit(point, name):
    metric = metric_in(f"INFO METRIC: {point}")

    assert metric is not None
    assert metric.name == name
