"""`python -m benchmarks`: makes its data, runs everything in turns, and prints what it took and what was to reach."""

import os
import platform
import tempfile
from dataclasses import replace
from pathlib import Path

import click

from benchmarks.data import Store
from benchmarks.measuring import in_rounds
from benchmarks.programs import HERE
from benchmarks.question import Bench, Sizes
from benchmarks.questions import QUESTIONS
from benchmarks.table import figure_table, usage_table


@click.command()
@click.argument("questions", nargs=-1, type=click.Choice(list(QUESTIONS)))
@click.option("--rows", type=click.IntRange(min=200), help="Rows of the narrow kind; the others follow (2 000 000).")
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True, help="How often each one runs.")
@click.option("--quick", is_flag=True, help="A twentieth of the rows, once: shows that it works, not how fast it is.")
@click.option("--full", is_flag=True, help="Upsert into 10 000 000 rows, and 50 000 000 rows in the long run.")
@click.option("--cache", type=click.Path(file_okay=False, path_type=Path), default=HERE / ".cache", help="A folder.")
def main(questions: tuple[str, ...], rows: int | None, rounds: int, quick: bool, full: bool, cache: Path) -> None:
    """What loading costs, beside DuckDB alone and other loaders. QUESTIONS: some of them; all unless given."""
    sizes = Sizes()
    if quick:
        sizes, rounds = Sizes(narrow=100_000, base=200_000), 1
    if full:
        sizes = replace(sizes, base=10_000_000, long=25)
    if rows:
        sizes = replace(sizes, narrow=rows, base=sizes.base if full else rows)
    cache = cache.absolute()
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="run-") as folder:
        bench = Bench(Store(cache / "data"), sizes, Path(folder), cache)
        asked = [question(bench) for name, question in QUESTIONS.items() if name in (questions or QUESTIONS)]
        _tell("making data")
        bench.store.fill()
        for question in asked:
            _tell(f"preparing {type(question).__name__.lower()}")
            question.prepare()
        trials = [trial for question in asked for trial in question.trials]
        results = in_rounds(trials, rounds, bench.folder, _tell)
        click.echo(f"Python {platform.python_version()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}\n")
        click.echo(usage_table(trials, results))
        click.echo()
        click.echo(figure_table([figure for question in asked for figure in question.figures(results)]))


def _tell(what: str) -> None:
    click.echo(what, err=True)


if __name__ == "__main__":
    main()
