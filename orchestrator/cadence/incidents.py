"""What there is to tell of a flow: each trouble once, and once that it is over.

A trouble lasts until the flow is well again: until its last run ended well, it is not late and does not rest. What was
told of it is remembered by whoever asks.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.cadence.retry import pause
from orchestrator.cadence.standing import is_late
from orchestrator.cadence.turn import Past
from orchestrator.config import Flow, Occasion, Schedule


@dataclass(frozen=True, slots=True)
class Incident:
    """Something to tell of a flow. `since` is when the trouble began that this is about, or whose end it is; `over` are
    the troubles that ended, for `recovered`."""

    flow: str
    occasion: Occasion
    since: datetime
    over: frozenset[Occasion] = frozenset()


@dataclass(frozen=True, slots=True)
class Known:
    """What was told of a flow so far: the troubles that last, each with its beginning."""

    troubles: Mapping[Occasion, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sight:
    """How a flow is seen at a moment. It `committed` last at that time; a run is `at_work` since then."""

    now: datetime
    past: Past
    committed: datetime | None = None
    at_work: datetime | None = None
    paused: bool = False


def incidents(flow: Flow, known: Known, sight: Sight) -> tuple[list[Incident], Known]:
    """What is to be told now, and what is known of the flow once it is."""
    troubles, last = [*_troubles(flow, sight)], sight.past.last
    new = {
        occasion: last.ended if last and occasion is Occasion.FAILED else sight.now
        for occasion in troubles
        if occasion not in known.troubles
    }
    if new or not known.troubles:
        told = [Incident(flow.name, occasion, since) for occasion, since in new.items()]
        return told, Known({**known.troubles, **new})
    if troubles or (last and last.exit_code != 0):
        return [], known
    over = Incident(flow.name, Occasion.RECOVERED, min(known.troubles.values()), frozenset(known.troubles))
    return [over], Known()


def _troubles(flow: Flow, sight: Sight) -> Iterator[Occasion]:
    """What is wrong with it. While it is tried again nothing is."""
    if _has_failed(flow, sight.past):
        yield Occasion.FAILED
    if sight.paused:
        yield Occasion.PAUSED
    elif flow.schedule is not None and _is_late(flow, flow.schedule, sight):
        yield Occasion.LATE


def _has_failed(flow: Flow, past: Past) -> bool:
    if past.last is None or not past.last.failed:
        return False
    is_tried_again = (
        flow.schedule is not None
        and past.failures > 0
        and past.tried is not None
        and not past.tried.is_final
        and pause(flow.retries, past.failures, 0) is not None
    )
    return not is_tried_again


def _is_late(flow: Flow, schedule: Schedule, sight: Sight) -> bool:
    """Whether somebody should hear that it is. A failure tells enough; and a run that is at work may take until the
    flow is due again, unless its freshness says otherwise."""
    past = sight.past
    if past.last is not None and past.last.failed:
        return False
    reached = [moment for moment in (sight.committed, sight.at_work) if moment is not None]
    if flow.freshness is not None:
        reached = [sight.committed] if sight.committed else []
    return is_late(schedule, flow.freshness, max(reached, default=past.since), sight.now)
