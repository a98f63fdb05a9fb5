"""`make faults`: breaks runs in every way that they are promised to survive, and prints what was reached."""

import importlib
import sys
import tempfile
from pathlib import Path

import click

from tests.faults.figures import Figure, table

_NO_FAULTS = ("__main__", "figures", "oracle")
FAULTS = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in _NO_FAULTS)


@click.command()
@click.argument("faults", nargs=-1, type=click.Choice(FAULTS))
@click.option("--in", "folder", type=click.Path(file_okay=False, path_type=Path), help="Where it works.")
def main(faults: tuple[str, ...], folder: Path | None) -> None:
    """FAULTS: some of them; all unless given. Ends with 1 if a figure was missed."""
    reached: list[Figure] = []
    for name in faults or FAULTS:
        click.echo(name, err=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=f"{name}-") as place:
            for figure in importlib.import_module(f"tests.faults.{name}").figures(Path(place)):
                click.echo(f"  {figure.promise}: {figure.reached}", err=True)
                reached.append(figure)
    click.echo(table(reached))
    sys.exit(any(figure.held is False for figure in reached))


if __name__ == "__main__":
    main()
