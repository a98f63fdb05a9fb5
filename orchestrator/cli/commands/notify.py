"""`orchestrator notify`"""

import click

from orchestrator.actions.deliver import Told
from orchestrator.cli.command import Listing, answer, asked, format_option, json_option, show, workspace
from orchestrator.cli.names import NOTIFY
from orchestrator.cli.progress import tell
from orchestrator.cli.tables import Column
from orchestrator.cli.terminal import say, say_next
from orchestrator.cli.words import Moment
from orchestrator.clock import rfc3339


@click.group("notify", cls=Listing)
def notify() -> None:
    """Tell people when a flow fails, is late, recovers or changes.

    Who is told is said in orchestrator.toml: a table [[notify]] with a `name` and the address to send `to`, in the form
    of apprise, or where it is kept: { secret = "NAME" }. `orchestrator notify` is `orchestrator notify list`.
    """


@notify.command("list")
@format_option()
def list_told(format: str) -> None:
    """Show who is told, of what, and what could not be brought to them yet."""
    told = workspace().told()
    show(format, "told", told, COLUMNS)
    if not told:
        say("Nobody is told of anything: there is no [[notify]] in orchestrator.toml.")
    elif any(each.said for each in told):
        say_next("notify", "deliver")


@notify.command("test")
@click.argument("name", required=False, type=NOTIFY)
@json_option
def test(name: str | None) -> None:
    """Send a test message to all who are told, or to one."""
    answer(told=workspace().send_trial(name, listen=tell))


@notify.command("deliver")
@json_option
def deliver() -> None:
    """Look how flows stand, and send what there is to tell.

    `up` does so by itself, each minute and whenever a run fails; runs that were started by hand or by cron send what
    there is to tell of themselves. Without `up`, this tells of flows that are late, and tries again what failed.
    """
    sent = workspace().deliver(listen=tell)
    answer(sent=sent)
    if not sent and not asked().json:
        say("There is nothing to tell.")


COLUMNS: list[Column[Told]] = [
    Column("name", lambda told: told.notify.name),
    Column("on", lambda told: ", ".join(told.notify.on)),
    Column("flows", lambda told: ", ".join(told.notify.flows)),
    Column("waiting", lambda told: told.waiting),
    Column("next", lambda told: Moment(rfc3339(told.next)) if told.next else None),
    Column("why", lambda told: told.said),
]
