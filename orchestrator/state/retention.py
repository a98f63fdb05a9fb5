"""How much of the past stays: the oldest archives go first, then the oldest runs with all they left."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from orchestrator.config import Retention
from orchestrator.durable import remove, remove_folder
from orchestrator.paths import Paths
from orchestrator.state.disk import writing
from orchestrator.state.runs import Runs, Status
from orchestrator.state.totals import settle_totals

_RUNS_BETWEEN_SWEEPS = 100


@dataclass(frozen=True, slots=True)
class Pruned:
    """The numbers of the runs whose folder was removed, and of those that lost only their archive."""

    runs: tuple[int, ...]
    archives: tuple[int, ...]


def prune(paths: Paths, flow: str, retention: Retention, now: datetime | None = None) -> Pruned:
    """Removes what is older, or more, than `retention` keeps. The newest run stays, and all of one that is running; so
    does the newest run that committed, with its archive if any are kept: it is the one that can be replayed.

    Raises RunFailed or DestinationFull when a file cannot be written or removed.
    """
    runs = Runs(paths, flow)
    numbers = runs.numbers()
    if numbers:
        settle_totals(paths, runs, flow)
    aged = _aged(runs, numbers, retention.age, now or datetime.now(UTC))
    # The newest stays in any case: the number of the next run follows from it.
    old_runs = numbers[: max(len(aged), len(numbers) - max(1, retention.runs))][: max(0, len(numbers) - 1)]
    archived = [number for number in numbers if paths.archive(flow, number).exists()]
    kept = archived[max(0, len(archived) - retention.archives) :]
    newest = runs.last()
    if newest and newest.status is Status.RUNNING:
        kept.append(newest.number)
    if old_runs or kept != archived:
        needed = _needed(runs, numbers)
        old_runs = [number for number in old_runs if number not in needed]
        kept += needed if retention.archives else ()
    old_archives = [number for number in archived if number not in {*kept, *old_runs}]
    for number in old_runs:
        with writing("the old run", paths.run(flow, number)):
            remove_folder(paths.run(flow, number))
    for number in old_archives:
        with writing("the old archive", paths.archive(flow, number)):
            remove_folder(paths.batch_files(flow, number), ignore_errors=True)
            remove(paths.archive(flow, number))
    # Which documents are used, only all records tell; to read them is not for every run.
    if numbers and numbers[-1] % _RUNS_BETWEEN_SWEEPS == 0:
        runs.documents.forget_others(run.ran_with for run in runs.all())
    return Pruned(tuple(old_runs), tuple(old_archives))


def _aged(runs: Runs, numbers: Sequence[int], age: float | None, now: datetime) -> list[int]:
    """Those that began longer ago."""
    aged: list[int] = []
    if age is None:
        return aged
    eldest = now - timedelta(seconds=age)
    for number in numbers:
        run = runs.look_up(number)
        if run and run.started and datetime.fromisoformat(run.started) >= eldest:
            break
        aged.append(number)
    return aged


def _needed(runs: Runs, numbers: Sequence[int]) -> list[int]:
    """The newest run that committed; and the one that it replayed, if it did."""
    for number in reversed(numbers):
        run = runs.look_up(number)
        if run and run.last_commit is not None:
            return [number] if run.replay_of is None else [number, run.replay_of]
    return []
