"""`orchestrator tap`"""

from pathlib import Path

import click

from orchestrator import Workspace
from orchestrator.cli.command import Group, answer, json_option
from orchestrator.cli.names import TAP
from orchestrator.cli.terminal import say, say_next


@click.group("tap", cls=Group)
def tap() -> None:
    """Make, test and record a tap of your own."""


@tap.command("new")
@click.argument("name")
@click.option(
    "--kind",
    type=click.Choice(["rest", "sql", "plain"]),
    default="rest",
    show_default=True,
    help="What it reads: an API, a database, anything else.",
)
@click.option("--extends", type=TAP, metavar="BASE", help="The tap that it specialises: a folder, or a tap here.")
@json_option
def make(name: str, kind: str, extends: str | None) -> None:
    """Make the project of a tap in a new folder, tap-NAME.

    It is written with the Singer SDK, runs, and passes its own tests against a small source of its own.
    """
    made = Workspace.new_tap(Path.cwd(), name, kind=kind, extends=extends)
    say(f"Created {made.name}/   {', '.join(file for file in made.files if not file.startswith('tests/__'))}")
    say_next(*made.add_tap)
    answer(tap=made)
