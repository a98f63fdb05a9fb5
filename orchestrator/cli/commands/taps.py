"""`orchestrator taps`"""

import click

from orchestrator.actions.list_taps import TapListed
from orchestrator.cli.command import Group, format_option, show, workspace
from orchestrator.cli.tables import Column
from orchestrator.cli.terminal import say, say_next


@click.group("taps", cls=Group, invoke_without_command=True)
@format_option()
@click.pass_context
def taps(context: click.Context, format: str) -> None:
    """List the taps and their environments."""
    if context.invoked_subcommand is not None:
        return
    known = workspace().taps()
    show(format, "taps", known, COLUMNS)
    if not known:
        say("There are no taps yet.")
        say_next("add-tap", "NAME")


COLUMNS: list[Column[TapListed]] = [
    Column("tap", lambda tap: tap.id),
    Column("package", lambda tap: tap.package),
    Column("version", lambda tap: tap.version),
    Column("python", lambda tap: tap.python),
    Column("environment", lambda tap: tap.standing.value),
    Column("flows", lambda tap: tap.flows),
]
