"""Measures in the text format of Prometheus: https://prometheus.io/docs/instrumenting/exposition_formats/"""

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from orchestrator.actions.measure import Kind, Measure


def exposition(measures: Iterable[Measure]) -> str:
    """The measures as text."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Given(measures))
    return generate_latest(registry).decode()


class _Given(Collector):
    """Measures that were taken already."""

    def __init__(self, measures: Iterable[Measure]) -> None:
        self._measures = tuple(measures)

    def collect(self) -> Iterator[Metric]:
        return map(_family, self._measures)


def _family(measure: Measure) -> Metric:
    match measure.kind:
        case Kind.GAUGE:
            gauge = GaugeMetricFamily(measure.name, measure.help, labels=measure.labels)
            for sample in measure.samples:
                gauge.add_metric(sample.labels, sample.value)
            return gauge
        case Kind.COUNTER:
            counter = CounterMetricFamily(measure.name, measure.help, labels=measure.labels)
            for sample in measure.samples:
                counter.add_metric(sample.labels, sample.value)
            return counter
        case Kind.HISTOGRAM:
            histogram = HistogramMetricFamily(measure.name, measure.help, labels=measure.labels)
            for sample in measure.samples:
                histogram.add_metric(sample.labels, [*sample.buckets], sum_value=sample.value)
            return histogram
