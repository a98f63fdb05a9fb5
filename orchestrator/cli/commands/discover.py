"""`orchestrator discover`"""

import click

from orchestrator.catalogs import Stream
from orchestrator.cli.command import command, format_option, show, workspace
from orchestrator.cli.names import TAP
from orchestrator.cli.progress import working
from orchestrator.cli.tables import Column
from orchestrator.cli.terminal import put, say, say_next
from orchestrator.cli.words import counted, document


@command("discover")
@click.argument("tap", type=TAP)
@format_option()
def discover(tap: str, format: str) -> None:
    """Ask a tap what it offers, and tell what changed.

    The answer is kept in catalogs/TAP.json. Of each change it is told what it means for tables that are there.
    """
    opened = workspace()
    with working(f"Asking {tap}"):
        found = opened.discover(tap)
    if format == "json":
        changes = [
            {"text": str(change), "kind": change.kind, "stream": change.stream, "means": found.means.get(change)}
            for change in found.changes
        ]
        streams = [{column.head: column.of(stream) for column in COLUMNS} for stream in found.streams]
        put(document(tap=tap, streams=streams, changes=changes, first=found.is_first))
    else:
        show(format, "streams", found.streams, COLUMNS)
    say(f'✓ Tap "{tap}" offers {counted(len(found.streams), "stream")}')
    for change in found.changes:
        say(f"  {change}")
        if change in found.means:
            say(f"    {found.means[change]}")
    if not found.changes and not found.is_first:
        say("  Nothing changed since last time")
    say_next("select", tap)


COLUMNS: list[Column[Stream]] = [
    Column("stream", lambda stream: stream.id),
    Column("mode", lambda stream: stream.replication.method.words if stream.replication.method else None),
    Column("key", lambda stream: stream.key),
    Column("bookmark", lambda stream: stream.replication.key),
    Column("columns", lambda stream: len({property.names[0] for property in stream.properties})),
]
