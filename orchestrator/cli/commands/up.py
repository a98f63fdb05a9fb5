"""`orchestrator up`"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from orchestrator.cli.command import command, workspace
from orchestrator.cli.progress import tell
from orchestrator.cli.terminal import say, speech
from orchestrator.supervisor.stopping import Stop

if TYPE_CHECKING:
    from orchestrator import Workspace


@command("up")
@click.option(
    "--workers", type=click.IntRange(min=1), default=4, show_default=True, help="So many runs at once at most."
)
@click.option(
    "--metrics",
    is_flag=False,
    flag_value="9464",
    metavar="[PORT|ADDRESS:PORT]",
    help="Serve /metrics for Prometheus, on this machine alone unless an address is given; port 0 takes a free one.",
)
def up(workers: int, metrics: str | None) -> None:
    """Keep the schedules: start each flow when it is due.

    It stays in the foreground. Each run is a process of its own, which goes on when this one is killed; the next `up`
    picks up what was missed, as each schedule says. Changes of orchestrator.toml take effect within a second.
    With --log-format json, what its runs say is among what it says.
    Ctrl-C stops: runs at work end after their next commit. A second one leaves them to themselves.
    """
    from orchestrator.schedule.children import Child
    from orchestrator.schedule.loop import Up

    opened = workspace()
    keeping = Up(
        opened.paths, workers, tell, lambda flow, due: Child(opened.paths.root, flow, due, says_json=speech.json)
    )
    with _serving(opened, metrics):
        keeping.run(Stop())
    say("Down.")


@contextmanager
def _serving(opened: "Workspace", address: str | None) -> Iterator[None]:
    if address is None:
        yield
        return
    from orchestrator.metrics.serving import address_of, serving
    from orchestrator.metrics.taking import Taking

    with serving(address_of(address), Taking(opened.paths)) as place:
        say(f"Metrics at {place}")
        yield
