"""`orchestrator select`"""

import click

from orchestrator.catalogs import Choice
from orchestrator.cli.command import command, format_option, show, workspace
from orchestrator.cli.names import STREAM, TAP
from orchestrator.cli.tables import Column
from orchestrator.cli.terminal import put, say_next
from orchestrator.cli.words import document
from orchestrator.errors import UsageError


@command("select")
@click.argument("tap", type=TAP)
@click.argument("patterns", nargs=-1, metavar="[PATTERN…]", type=STREAM)
@click.option("--default", is_flag=True, help="Take what the tap takes by default.")
@format_option()
def select(tap: str, patterns: tuple[str, ...], default: bool, format: str) -> None:
    """Choose the streams and columns to take.

    \b
        orchestrator select gitlab                        shows what is taken
        orchestrator select gitlab issues 'merge_*'
        orchestrator select gitlab '*' '!issues.description'

    A pattern is a stream, or stream.column; * stands for any letters, ! in front excludes. The patterns replace those
    chosen before.
    """
    opened = workspace()
    if default and patterns:
        raise UsageError("--default and patterns contradict each other", hint=f"orchestrator select {tap} --default")
    choices = opened.select(tap, patterns) if patterns or default else opened.selection(tap)
    if format == "json":
        put(document(tap=tap, streams=[_members(choice) for choice in choices]))
    else:
        show(format, "streams", choices, COLUMNS)
    flows = [flow.name for flow in opened.config.flows.values() if flow.tap == tap]
    if flows:
        say_next("run", flows[0])


def _members(choice: Choice) -> dict[str, object]:
    return {
        "stream": choice.stream.id,
        "selected": choice.selected,
        "mode": choice.replication.method,
        "key": choice.key,
        "bookmark": choice.bookmark,
        "columns": choice.columns,
        "all_columns": choice.all_columns,
    }


def _columns(choice: Choice) -> str | None:
    taken, known = len(choice.columns), len(choice.all_columns)
    if not choice.selected:
        return None
    return str(known) if taken == known else f"{taken} of {known}"


COLUMNS: list[Column[Choice]] = [
    Column("stream", lambda choice: choice.stream.id),
    Column("selected", lambda choice: choice.selected),
    Column("mode", lambda choice: choice.replication.method.words if choice.replication.method else None),
    Column("key", lambda choice: choice.key),
    Column("bookmark", lambda choice: choice.bookmark),
    Column("columns", _columns),
]
