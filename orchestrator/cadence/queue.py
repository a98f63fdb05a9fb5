"""What starts next: of the flows that are due, those for which there is room; and why the others wait."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class DueFlow:
    """A flow that is due for `time`, and has been `since` then. Its run takes one of each thing that `takes` names;
    `awaits` tells for whom it waits otherwise."""

    flow: str
    time: datetime
    since: datetime
    priority: int = 0
    takes: Sequence[str] = ()
    awaits: str | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A flow that is due and not started, and what it waits for."""

    due: DueFlow
    waits_for: str


@dataclass(frozen=True, slots=True)
class Choice:
    """Who starts now, and who waits, both in their order."""

    starts: tuple[DueFlow, ...]
    waits: tuple[Waiting, ...]


def choose(due: Iterable[DueFlow], at_work: Iterable[Sequence[str]], most: Mapping[str, int]) -> Choice:
    """More `priority` goes first, then who has been due for longest. `at_work` is what each run at work took, `most`
    how many there are of a thing; of one that it does not name there is enough. Who finds no room keeps nobody from
    starting who does."""
    free = dict(most)
    for takes in at_work:
        _take(free, takes)
    starts, waits = [], []
    for each in sorted(due, key=lambda each: (-each.priority, each.since, each.flow)):
        lacking = next((thing for thing in each.takes if free.get(thing, 1) <= 0), None)
        if each.awaits is not None:
            waits.append(Waiting(each, each.awaits))
        elif lacking is not None:
            waits.append(Waiting(each, f"{lacking} ({most[lacking]} at work)"))
        else:
            starts.append(each)
            _take(free, each.takes)
    return Choice(tuple(starts), tuple(waits))


def _take(free: dict[str, int], takes: Iterable[str]) -> None:
    for thing in takes:
        if thing in free:
            free[thing] -= 1
