"""What any tap should keep: some thirty points, each judged by what was observed of a tap in a few starts.

evidence.py    what was observed: values, no tap is started here
point.py       a point: what it promises, what it means, how to mend it
starting.py  messages.py  schemas.py  states.py  stopping.py  secrecy.py    the points
"""

from collections.abc import Iterator

from orchestrator.contract import messages, schemas, secrecy, starting, states, stopping
from orchestrator.contract.evidence import Asked, Discovery, Evidence, Sync
from orchestrator.contract.point import Judged, Point, Verdict, judged

POINTS: tuple[Point, ...] = tuple(
    point
    for module in (starting, messages, schemas, states, stopping, secrecy)
    for point in vars(module).values()
    if isinstance(point, Point)
)


def judge(evidence: Evidence) -> Iterator[Judged]:
    """Every point, in order."""
    return (judged(point, evidence) for point in POINTS)


__all__ = ["POINTS", "Asked", "Discovery", "Evidence", "Judged", "Point", "Sync", "Verdict", "judge"]
