"""The numbers of a workspace, from what is remembered of its flows."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from orchestrator.actions.scheduled import lateness
from orchestrator.config import Config, Flow
from orchestrator.paths import Paths
from orchestrator.protocol.metrics import SECONDS
from orchestrator.state import CommitLog, Notices, Plans, Run, Runs, Status
from orchestrator.state.totals import DURATIONS, Totals, read_totals


class Kind(StrEnum):
    """What a measure does over time."""

    GAUGE = "gauge"
    """It rises and falls."""
    COUNTER = "counter"
    """It only rises, unless state/ was lost."""
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Sample:
    """One number, for the things that its labels name. A histogram has one for each of its classes, cumulative, under
    the label `le`, and its sum."""

    labels: tuple[str, ...]
    value: float
    buckets: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Measure:
    """A name with its unit, what it counts, and its numbers."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...]
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class _Look:
    """What is known of a flow. `newest` is its newest run, `ended` the newest that did."""

    flow: Flow
    totals: Totals
    newest: Run | None
    ended: Run | None
    committed: datetime | None
    paused: bool
    late: float

    @property
    def name(self) -> str:
        return self.flow.name


def measure(paths: Paths, config: Config, now: datetime | None = None) -> tuple[Measure, ...]:
    """All measures. Raises DamagedFile."""
    now = now or datetime.now(UTC)
    looks = [_look(paths, flow, now) for flow in config.flows.values()]
    return (*_of_notices(paths, config), *_of_flows(looks), *_of_runs(looks), *_of_streams(looks), *_of_taps(looks))


def _look(paths: Paths, flow: Flow, now: datetime) -> _Look:
    runs, commit = Runs(paths, flow.name), CommitLog(paths, flow.name).last()
    committed = datetime.fromisoformat(commit.at) if commit else None
    return _Look(
        flow,
        read_totals(paths, runs, flow.name),
        runs.last(),
        next((run for run in runs.newest_first() if run.status not in (Status.RUNNING, Status.DAMAGED)), None),
        committed,
        flow.schedule is not None and Plans(paths).paused(flow.name) is not None,
        lateness(paths, flow, committed, now),
    )


def _of_notices(paths: Paths, config: Config) -> Iterator[Measure]:
    if config.notify:
        waiting = Notices(paths).read().waiting
        samples = tuple(Sample((each.name,), sum(one.to == each.name for one in waiting)) for each in config.notify)
        help = "Messages that could not be brought to whom they are for yet."
        yield Measure("orchestrator_notices_waiting", Kind.GAUGE, help, ("notify",), samples)


def _of_flows(looks: Iterable[_Look]) -> Iterator[Measure]:
    looks = list(looks)

    def gauge(name: str, help: str, values: Mapping[str, float]) -> Measure:
        samples = tuple(Sample((flow,), value) for flow, value in values.items())
        return Measure(f"orchestrator_flow_{name}", Kind.GAUGE, help, ("flow",), samples)

    yield Measure(
        "orchestrator_flow_info",
        Kind.GAUGE,
        "Its tap and its destination; always 1.",
        ("flow", "tap", "destination"),
        tuple(Sample((look.name, look.flow.tap, look.flow.destination), 1) for look in looks),
    )
    running = {look.name: look.newest is not None and look.newest.status is Status.RUNNING for look in looks}
    yield gauge("running", "Whether a run is at work.", running)
    yield gauge("paused", "Whether its schedule rests.", {look.name: look.paused for look in looks})
    yield gauge(
        "lateness_seconds",
        "For how long its last commit has been older than its schedule, or its freshness, wants it; 0 on time.",
        {look.name: look.late for look in looks},
    )
    yield gauge(
        "last_commit_timestamp_seconds",
        "When its bookmark was saved, since 1970.",
        {look.name: look.committed.timestamp() for look in looks if look.committed},
    )
    yield gauge(
        "last_run_exit_code",
        "Of its newest run that ended; -1 for one that was killed.",
        {look.name: -1 if look.ended.exit_code is None else look.ended.exit_code for look in looks if look.ended},
    )
    yield gauge(
        "last_run_tap_memory_peak_bytes",
        "The most memory that one process of its tap took in the newest run that ended.",
        {look.name: look.ended.tap_memory for look in looks if look.ended and look.ended.tap_memory},
    )


def _of_runs(looks: Iterable[_Look]) -> Iterator[Measure]:
    looks = list(looks)

    def counter(name: str, help: str, samples: Iterable[Sample], *labels: str) -> Measure:
        return Measure(f"orchestrator_{name}", Kind.COUNTER, help, ("flow", *labels), tuple(samples))

    statuses = [status.value for status in Status if status is not Status.RUNNING]
    by_status = [Sample((look.name, status), look.totals.runs.get(status, 0)) for look in looks for status in statuses]
    yield counter("runs_total", "Runs that ended.", by_status, "status")
    retries = (Sample((look.name,), look.totals.retries) for look in looks)
    yield counter("run_retries_total", "Runs for a due time for which one had failed before.", retries)
    yield Measure(
        "orchestrator_run_duration_seconds",
        Kind.HISTOGRAM,
        "How long runs took.",
        ("flow",),
        tuple(Sample((look.name,), look.totals.seconds, tuple(_buckets(look.totals))) for look in looks),
    )
    read = (Sample((look.name,), look.totals.bytes) for look in looks)
    yield counter("read_bytes_total", "Bytes of messages that taps sent.", read)


def _of_streams(looks: Iterable[_Look]) -> Iterator[Measure]:
    looks = list(looks)
    words = {
        "read": "Rows that taps sent.",
        "committed": "Rows that settled in their destination.",
        "quarantined": "Lines that could not land and were set aside.",
    }
    for what, help in words.items():
        samples = [
            Sample((look.name, stream), rows) for look in looks for stream, rows in getattr(look.totals, what).items()
        ]
        yield Measure(f"orchestrator_{what}_rows_total", Kind.COUNTER, help, ("flow", "stream"), tuple(samples))


def _of_taps(looks: Iterable[_Look]) -> Iterator[Measure]:
    """What taps told themselves, in METRIC lines of their logs."""
    counted: list[Sample] = []
    timed: list[Sample] = []
    for look in looks:
        for name, value in look.totals.metrics.items():
            metric, _, about = name.partition(":")
            is_time = metric.endswith(SECONDS)
            (timed if is_time else counted).append(Sample((look.name, metric.removesuffix(SECONDS), about), value))
    labels = ("flow", "metric", "about")
    help = "What taps counted, in the METRIC lines of their logs."
    yield Measure("orchestrator_tap_metric_total", Kind.COUNTER, help, labels, tuple(counted))
    help = "The time that taps took, by the METRIC lines of their logs."
    yield Measure("orchestrator_tap_metric_seconds_total", Kind.COUNTER, help, labels, tuple(timed))


def _buckets(totals: Totals) -> Iterator[tuple[str, float]]:
    count = 0
    for bound, runs in zip((*DURATIONS, float("inf")), totals.lasted, strict=True):
        count += runs
        yield ("+Inf" if bound == float("inf") else str(bound)), count
