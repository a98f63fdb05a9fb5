"""`orchestrator init`"""

import shlex
from pathlib import Path

import click

from orchestrator.cli.command import answer, command, json_option
from orchestrator.cli.terminal import say, say_next


@command("init")
@click.argument("folder", default=".", metavar="[DIR]", type=click.Path(file_okay=False, path_type=Path))
@json_option
def init(folder: Path) -> None:
    """Make a workspace.

    It is the folder DIR, or this one, with an orchestrator.toml that has one destination and room for taps.
    """
    from orchestrator import Workspace

    made = Workspace.init(folder)
    say(f"Created {folder}/   orchestrator.toml, envs/, catalogs/, state/, .gitignore")
    say_next("add-tap", "NAME", after=None if folder == Path(".") else f"cd {shlex.quote(str(folder))}")
    answer(workspace=made.paths.root)
