"""What the runs of a flow came to, all of them, also those that are not kept any more: `state/<flow>/totals.json`.

A monitor takes a count that falls for one that began anew. So a run is added before its record may go.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

import msgspec

from orchestrator import durable
from orchestrator.paths import Paths
from orchestrator.state.disk import writing
from orchestrator.state.runs import Run, Runs, Status

DURATIONS = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14400.0)
"""Upper bounds of the classes in which durations are counted, in seconds; one more is for what is longer."""
MOST_STREAMS = 1000
MOST_METRICS = 200
OTHERS = "(others)"
"""What is counted for names beyond so many: a tap may make them up as it goes."""

Number = TypeVar("Number", int, float)


@dataclass(frozen=True, slots=True)
class Totals:
    """The sum of all runs up to the number `through`. `retries` are those for a due time that another run was for;
    `lasted` counts runs by DURATIONS; `metrics` are those of the logs of taps."""

    through: int = 0
    runs: Mapping[str, int] = field(default_factory=dict)
    retries: int = 0
    seconds: float = 0.0
    lasted: tuple[int, ...] = (0,) * (len(DURATIONS) + 1)
    bytes: int = 0
    read: Mapping[str, int] = field(default_factory=dict)
    committed: Mapping[str, int] = field(default_factory=dict)
    quarantined: Mapping[str, int] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    last_due: str | None = None

    def with_run(self, run: Run) -> "Totals":
        """The same with one more."""
        seconds = _seconds(run)
        place = sum(seconds > bound for bound in DURATIONS)
        lasted = tuple(count + (place == at) for at, count in enumerate(self.lasted))
        return replace(
            self,
            through=run.number,
            runs={**self.runs, run.status.value: self.runs.get(run.status.value, 0) + 1},
            retries=self.retries + (run.due is not None and run.due == self.last_due),
            seconds=self.seconds + seconds,
            lasted=lasted,
            bytes=self.bytes + run.bytes,
            read=_added(self.read, run.read, MOST_STREAMS),
            committed=_added(self.committed, run.committed, MOST_STREAMS),
            quarantined=_added(self.quarantined, run.quarantined, MOST_STREAMS),
            metrics=_added(self.metrics, run.metrics, MOST_METRICS),
            last_due=run.due or self.last_due,
        )


def read_totals(paths: Paths, runs: Runs, flow: str) -> Totals:
    """Those of all runs that ended. What is damaged is begun anew, from the records that are there."""
    try:
        totals = msgspec.json.decode(paths.totals(flow).read_bytes(), type=Totals)
    except (FileNotFoundError, msgspec.DecodeError):
        totals = Totals()
    for number in runs.numbers():
        if number <= totals.through:
            continue
        run = runs.look_up(number)
        if run is None:
            continue
        if run.status is Status.RUNNING:
            break
        totals = totals.with_run(run)
    return totals


def settle_totals(paths: Paths, runs: Runs, flow: str) -> None:
    """Writes them down, so that records may go. Raises DestinationFull, RunFailed."""
    path = paths.totals(flow)
    with writing("the totals", path):
        durable.write(path, msgspec.json.encode(read_totals(paths, runs, flow)) + b"\n")


def _added(totals: Mapping[str, Number], more: Mapping[str, Number], most: int) -> dict[str, Number]:
    added = dict(totals)
    for name, value in more.items():
        known = name if name in added or len(added) < most else OTHERS
        added[known] = added[known] + value if known in added else value
    return added


def _seconds(run: Run) -> float:
    if run.ended is None or not run.started:
        return 0.0
    return max(0.0, (datetime.fromisoformat(run.ended) - datetime.fromisoformat(run.started)).total_seconds())
