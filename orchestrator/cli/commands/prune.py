"""`orchestrator prune`"""

import click

from orchestrator.actions.prune import Leftover
from orchestrator.cli.command import command, format_option, show, workspace
from orchestrator.cli.progress import tell
from orchestrator.cli.tables import Column
from orchestrator.cli.terminal import say
from orchestrator.cli.words import Size, in_words


@command("prune")
@click.option("--dry-run", is_flag=True, help="Tell what would go, and remove nothing.")
@format_option()
def prune(dry_run: bool, format: str) -> None:
    """Remove environments that no lock names.

    Those that an upgrade replaced, so that rollback has nothing to go back to; those of taps that are gone; and what
    failed builds left. What is in use stays.
    """
    gone = workspace().prune(dry_run=dry_run, listen=tell)
    show(format, "leftovers", gone, COLUMNS)
    freed = in_words(Size(sum(each.size for each in gone)))
    if not gone:
        say("✓ There is nothing that no lock names")
    elif dry_run:
        say(f"{freed} would be free")
    else:
        say(f"✓ {freed} are free")


COLUMNS: list[Column[Leftover]] = [
    Column("path", lambda leftover: str(leftover.path)),
    Column("what", lambda leftover: leftover.what),
    Column("size", lambda leftover: Size(leftover.size)),
]
