"""`orchestrator check`"""

import click

from orchestrator.actions.check_tap import StreamChecked, Verdict
from orchestrator.cli.command import command, format_option, show, workspace
from orchestrator.cli.names import TAP
from orchestrator.cli.progress import working
from orchestrator.cli.tables import Column
from orchestrator.cli.terminal import put, say, say_next
from orchestrator.cli.words import counted, document


@command("check")
@click.argument("tap", type=TAP)
@click.option(
    "--patience",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help=("Give a stream up of which nothing comes for so long (default: 30)."),
)
@format_option()
def check(tap: str, patience: float | None, format: str) -> int:
    """Check that a tap is let in, and which streams can be read.

    The tap is asked what it offers, and then for the first record of each stream that is selected. Nothing lands in
    a destination, and no bookmark moves. The exit code is 1 when a stream cannot be read, and 4 when the source refuses
    the credentials.
    """
    opened = workspace()
    with working(f"Checking {tap}") as listen:
        checked = opened.check(tap, patience=patience, listen=listen)
    if format == "json":
        put(document(tap=checked.tap, name=checked.name, offered=checked.offered, streams=checked.streams))
    else:
        show(format, "streams", checked.streams, COLUMNS)
    readable = sum(each.verdict in (Verdict.READABLE, Verdict.EMPTY) for each in checked.streams)
    if readable < len(checked.streams):
        say(f"✗ {counted(len(checked.streams) - readable, 'stream')} of {len(checked.streams)} cannot be read")
        return 1
    say(f"✓ {counted(readable, 'stream')} can be read")
    flows = [flow.name for flow in opened.config.flows.values() if flow.tap == tap]
    if flows:
        say_next("run", flows[0])
    return 0


COLUMNS: list[Column[StreamChecked]] = [
    Column("stream", lambda each: each.stream),
    Column("found", lambda each: each.verdict.value),
    Column("why", lambda each: each.why),
]
