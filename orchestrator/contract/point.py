"""A point of the contract: what a tap promises by keeping it, what it means for who runs the tap, how to mend it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.contract.evidence import Evidence, Sync


class Verdict(StrEnum):
    KEPT = "kept"
    BROKEN = "broken"
    NOT_TRIED = "not tried"
    """Nothing was seen that could tell."""


class NotTried(Exception):
    """Nothing was seen that could tell whether a point is kept; the text says why."""


Judge = Callable[[Evidence], str | None]
"""What was found against a point; None when it is kept. Raises NotTried."""


@dataclass(frozen=True, slots=True)
class Point:
    """`id` is `group.name`; `promise` completes "the tap ..."."""

    id: str
    promise: str
    means: str
    mend: str
    judge: Judge

    @property
    def group(self) -> str:
        return self.id.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Judged:
    """A point, and how it stands. `found` is what speaks against it, or why nothing does."""

    point: Point
    verdict: Verdict
    found: str | None = None


def point(id: str, promise: str, *, means: str, mend: str) -> Callable[[Judge], Point]:
    """Makes a point of a judge."""
    return lambda judge: Point(id, promise, means, mend, judge)


def judged(point: Point, evidence: Evidence) -> Judged:
    try:
        found = point.judge(evidence)
    except NotTried as reason:
        return Judged(point, Verdict.NOT_TRIED, str(reason))
    return Judged(point, Verdict.BROKEN if found else Verdict.KEPT, found)


def tried(sync: Sync | None, why_not: str) -> Sync:
    """A sync that there is. Raises NotTried."""
    if sync is None:
        raise NotTried(why_not)
    return sync


def heard_out(sync: Sync | None, why_not: str = "the sync before did not come to its end") -> Sync:
    """A sync that there is, and that was not cut off. Raises NotTried."""
    sync = tried(sync, why_not)
    if sync.cut:
        raise NotTried(f"{sync.cut}; --records 0 and more --seconds hear more of it")
    if sync.exit_code:
        raise NotTried("the sync failed")
    return sync


def shortened(text: str, most: int = 120) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
