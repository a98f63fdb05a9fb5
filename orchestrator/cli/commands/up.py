"""`orchestrator up`"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from orchestrator.cli.command import command, workspace
from orchestrator.cli.progress import tell
from orchestrator.cli.terminal import put, say, speech
from orchestrator.errors import UsageError
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
@click.option("--install", is_flag=True, help="Write it down as a service of yours, for systemd or launchd.")
@click.option("--uninstall", is_flag=True, help="Take the service away.")
@click.option("--print", "only_print", is_flag=True, help="With --install: show the service, and write nothing.")
def up(workers: int, metrics: str | None, install: bool, uninstall: bool, only_print: bool) -> None:
    """Keep the schedules: start each flow when it is due.

    It stays in the foreground. Each run is a process of its own, which goes on when this one is killed; the next `up`
    picks up what was missed, as each schedule says. Changes of orchestrator.toml take effect within a second.
    With --log-format json, what its runs say is among what it says.
    Ctrl-C stops: runs at work end after their next commit. A second one leaves them to themselves.
    With --install it starts nothing: it writes a service with the other options, and tells how to start it.
    """
    if install or uninstall or only_print:
        options = ["--workers", str(workers), *(["--metrics", metrics] if metrics else [])]
        _service(options, install=install, uninstall=uninstall, only_print=only_print)
        return
    from orchestrator.schedule.children import Child
    from orchestrator.schedule.loop import Up

    opened = workspace()
    keeping = Up(
        opened.paths, workers, tell, lambda flow, due: Child(opened.paths.root, flow, due, says_json=speech.json)
    )
    with _serving(opened, metrics):
        keeping.run(Stop())
    say("Down.")


def _service(options: Sequence[str], *, install: bool, uninstall: bool, only_print: bool) -> None:
    """Writes, shows or takes away the service that runs `up` with these options."""
    from orchestrator.schedule.service import service_of

    if install == uninstall or (only_print and not install):
        raise UsageError(
            "--install and --uninstall exclude each other, and --print goes with --install",
            hint="orchestrator up --install --print",
        )
    opened = workspace()
    service = service_of(opened.paths, opened.config, options)
    if only_print:
        put(service.text.rstrip())
    elif uninstall and service.uninstall():
        say(f"✓ Removed {service.file}")
        say("If it runs, end it:")
        say(f"  {service.end}")
    elif uninstall:
        say(f"There is no {service.file}")
    else:
        say(f"✓ Wrote {service.file}" if service.install() else f"✓ {service.file} is there already")
        for command in (*service.start, f"{service.follow}        (its log)"):
            say(f"  {command}")


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
