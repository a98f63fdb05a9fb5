"""`orchestrator up`"""

import click

from orchestrator.cli.command import command, workspace
from orchestrator.cli.progress import tell
from orchestrator.cli.terminal import say
from orchestrator.supervisor.stopping import Stop


@command("up")
@click.option(
    "--workers", type=click.IntRange(min=1), default=4, show_default=True, help="So many runs at once at most."
)
def up(workers: int) -> None:
    """Keep the schedules: start each flow when it is due.

    It stays in the foreground. Each run is a process of its own, which goes on when this one is killed; the next `up`
    picks up what was missed, as each schedule says. Changes of orchestrator.toml take effect within a second.
    Ctrl-C stops: runs at work end after their next commit. A second one leaves them to themselves.
    """
    from orchestrator.schedule.children import Child
    from orchestrator.schedule.loop import Up

    opened = workspace()
    keeping = Up(opened.paths, workers, tell, lambda flow, due: Child(opened.paths.root, flow, due))
    keeping.run(Stop())
    say("Down.")
