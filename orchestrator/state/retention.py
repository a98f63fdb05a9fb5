"""How much of the past stays: the oldest archives go first, then the oldest runs with all they left."""

from dataclasses import dataclass

from orchestrator.config import Retention
from orchestrator.durable import remove, remove_folder
from orchestrator.paths import Paths
from orchestrator.state.disk import writing
from orchestrator.state.runs import Runs, Status


@dataclass(frozen=True, slots=True)
class Pruned:
    """The numbers of the runs whose folder was removed, and of those that lost only their archive."""

    runs: tuple[int, ...]
    archives: tuple[int, ...]


def prune(paths: Paths, flow: str, retention: Retention) -> Pruned:
    """Removes what is older than `retention` keeps. The newest run stays, and so does all of one that is running.

    Raises RunFailed when a file cannot be removed.
    """
    runs = Runs(paths, flow)
    numbers = runs.numbers()
    # The newest stays in any case: the number of the next run follows from it.
    old_runs = numbers[: -max(1, retention.runs)]
    archived = [number for number in numbers if paths.archive(flow, number).exists()]
    kept = archived[max(0, len(archived) - retention.archives) :]
    newest = runs.last()
    if newest and newest.status is Status.RUNNING:
        kept.append(newest.number)
    old_archives = [number for number in archived if number not in {*kept, *old_runs}]
    for number in old_runs:
        with writing("the old run", paths.run(flow, number)):
            remove_folder(paths.run(flow, number))
    for number in old_archives:
        with writing("the old archive", paths.archive(flow, number)):
            remove_folder(paths.batch_files(flow, number), ignore_errors=True)
            remove(paths.archive(flow, number))
    return Pruned(tuple(old_runs), tuple(old_archives))
