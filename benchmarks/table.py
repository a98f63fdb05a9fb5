"""The two tables: what each program took, and how far each figure is from the one to reach."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.data import FEW
from benchmarks.measuring import Failed, Results, Trial, Usage
from benchmarks.programs import READ_JSON


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing that was promised: what was `reached` in this run beside what is to `reach`. `at_least` turns ≤ into ≥.

    `reached` is None where it could not be measured, and `why` tells.
    """

    name: str
    reach: float
    reached: float | None
    unit: str = ""
    at_least: bool = False
    why: str = ""

    @property
    def ok(self) -> bool:
        return self.reached is not None and (
            self.reached >= self.reach if self.at_least else self.reached <= self.reach
        )

    @property
    def cells(self) -> tuple[str, str, str, str]:
        bar = f"{'≥' if self.at_least else '≤'} {self.reach:g}{self.unit}"
        if self.reached is None:
            return self.name, "–", bar, self.why
        return self.name, f"{self.reached:.2f}{self.unit}", bar, "ok" if self.ok else "missed"


def ratio(
    name: str,
    reach: float,
    results: Results,
    one: Trial,
    other: Trial,
    *,
    wall: bool = False,
    at_least: bool = False,
) -> Figure:
    """The CPU (or wall) of one program through that of the other."""
    above, below = results.net(one), results.net(other)
    if isinstance(above, Failed):
        return Figure(name, reach, None, at_least=at_least, why=above.reason)
    if isinstance(below, Failed):
        return Figure(name, reach, None, at_least=at_least, why=below.reason)
    reached = above.wall / below.wall if wall else above.cpu / below.cpu
    return Figure(name, reach, reached, at_least=at_least)


def usage_table(trials: Iterable[Trial], results: Results) -> str:
    """One line a trial of more than a few rows. What a program needs to start is in it, unless it has a column."""
    shown = [trial for trial in trials if trial.rows > FEW]
    yardsticks = {
        trial.data.name: used.cpu / trial.rows
        for trial in shown
        if trial.program == READ_JSON and isinstance(used := results.of(trial), Usage)
    }
    head = ("rows of", "program", "rows", "CPU µs/row", "wall µs/row", "MB/s", "peak MB", "÷ read_json", "start s")
    return _table(head, [_line(trial, results, yardsticks.get(trial.data.name)) for trial in shown], left=2)


def _line(trial: Trial, results: Results, yardstick: float | None) -> tuple[str, ...]:
    used = results.net(trial)
    if isinstance(used, Failed):
        return trial.data.name, trial.program, used.reason
    start = results.of(trial.empty) if trial.empty else None
    cpu = used.cpu / trial.rows
    return (
        trial.data.name,
        trial.program,
        f"{trial.rows:,}".replace(",", " "),
        f"{cpu * 1e6:.2f}",
        f"{used.wall / trial.rows * 1e6:.2f}",
        f"{trial.bytes / used.wall / 1e6:.0f}",
        f"{used.peak / 1e6:.0f}",
        f"{cpu / yardstick:.2f}" if yardstick else "",
        f"{start.cpu:.2f}" if isinstance(start, Usage) else "",
    )


def figure_table(figures: Iterable[Figure]) -> str:
    return _table(("figure", "reached", "reach", ""), [figure.cells for figure in figures], left=1)


def _table(head: Sequence[str], lines: Sequence[Sequence[str]], *, left: int) -> str:
    """Columns as wide as they must be, the first `left` and the last of a short line to the left."""
    whole = [line for line in (head, *lines) if len(line) == len(head)]
    widths = [max(len(line[index]) for line in whole) for index in range(len(head))]
    widths[:left] = [max(len(line[index]) for line in (head, *lines)) for index in range(left)]

    def shown(line: Sequence[str]) -> str:
        cells = [
            cell.ljust(width) if index < left or len(line) < len(head) else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(line, widths, strict=False))
        ]
        return "  ".join(cells).rstrip()

    return "\n".join([shown(head), "  ".join("─" * width for width in widths), *map(shown, lines)])
