"""`orchestrator init`"""

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
    # A shell that is elsewhere has to come here first; the workspace is found from below, too.
    say_next(*(() if folder == Path(".") else ("--workspace", str(folder))), "add-tap", "NAME")
    answer(workspace=made.paths.root)
