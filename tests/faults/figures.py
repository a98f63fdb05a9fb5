"""What `make faults` prints: a promise, the figure to reach, and what was reached.

Each other module of this folder breaks something on purpose and has `figures(folder: Path) -> Iterator[Figure]`; the
folder is empty and its own.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table. `held` is None where this machine cannot show it; `reached` then says why."""

    promise: str
    to_reach: str
    reached: str
    held: bool | None


def table(figures: list[Figure]) -> str:
    """The figures as a table of Markdown."""
    rows = [("promise", "to reach", "reached", ""), ("---",) * 4]
    rows += [(figure.promise, figure.to_reach, figure.reached, _VERDICTS[figure.held]) for figure in figures]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


_VERDICTS = {True: "held", False: "**broken**", None: "not shown here"}
