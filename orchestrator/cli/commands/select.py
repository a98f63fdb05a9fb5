"""`orchestrator select`"""

from collections.abc import Sequence
from dataclasses import dataclass

import click

from orchestrator.catalogs import Choice, Property, patterns_of, type_in_words
from orchestrator.cli.command import asked, command, format_option, show, workspace
from orchestrator.cli.names import STREAM, TAP
from orchestrator.cli.tables import Column
from orchestrator.cli.terminal import can_ask, put, say_next
from orchestrator.cli.words import document
from orchestrator.errors import UsageError


@command("select")
@click.argument("tap", type=TAP)
@click.argument("patterns", nargs=-1, metavar="[PATTERN…]", type=STREAM)
@click.option("--list", "only_list", is_flag=True, help="Change nothing; list the columns of streams that are named.")
@click.option("--interactive", "-i", is_flag=True, help="Mark streams and columns in lists, on a terminal.")
@click.option("--default", is_flag=True, help="Take what the tap takes by default.")
@format_option()
def select(tap: str, patterns: tuple[str, ...], only_list: bool, interactive: bool, default: bool, format: str) -> None:
    """Choose the streams and columns to take.

    \b
        orchestrator select gitlab                        shows what is taken
        orchestrator select gitlab --list issues          shows the columns of a stream
        orchestrator select gitlab issues 'merge_*'
        orchestrator select gitlab '*' '!issues.description'
        orchestrator select gitlab --interactive          asks

    A pattern is a stream, or stream.column; * stands for any letters, ! in front excludes. The patterns replace those
    chosen before.
    """
    opened = workspace()
    _refuse_contradictions(tap, patterns, only_list=only_list, interactive=interactive, default=default)
    if only_list and patterns:
        _show_columns(tap, opened.selection(tap, patterns), format)
        return
    choices = opened.selection(tap)
    if interactive:
        patterns = _asked_for(tap, choices)
    if (patterns and not only_list) or default:
        choices = opened.select(tap, patterns)
    if format == "json":
        put(document(tap=tap, streams=[members(choice) for choice in choices]))
    else:
        show(format, "streams", choices, COLUMNS)
    flows = [flow.name for flow in opened.config.flows.values() if flow.tap == tap]
    if flows:
        say_next("run", flows[0])


def _refuse_contradictions(tap: str, patterns: tuple[str, ...], **options: bool) -> None:
    asked_for = [f"--{name.removeprefix('only_')}" for name, value in options.items() if value]
    if len(asked_for) > 1:
        raise UsageError(f"{' and '.join(asked_for)} contradict each other", hint=f"orchestrator select {tap} --list")
    if patterns and asked_for and asked_for != ["--list"]:
        raise UsageError(
            f"{asked_for[0]} and patterns contradict each other", hint=f"orchestrator select {tap} {asked_for[0]}"
        )


def _asked_for(tap: str, choices: Sequence[Choice]) -> tuple[str, ...]:
    """The patterns of what a person marks. Raises UsageError where nobody could."""
    if asked().no_input or not can_ask():
        raise UsageError("nobody is here to choose", hint=f"orchestrator select {tap} --list")
    from orchestrator.cli.asking import ask_selection

    return patterns_of(ask_selection(choices))


def _show_columns(tap: str, choices: Sequence[Choice], format: str) -> None:
    listed = [_Listed(choice, property) for choice in choices for property in choice.stream.properties]
    if format == "json":
        put(document(tap=tap, columns=[each.members() for each in listed]))
    else:
        show(format, "columns", listed, PROPERTIES)


@dataclass(frozen=True, slots=True)
class _Listed:
    """A property in the list of those of its stream."""

    choice: Choice
    column: Property

    @property
    def selected(self) -> bool:
        return self.choice.selected and self.column.names in self.choice.properties

    def members(self) -> dict[str, object]:
        """As a part of the JSON document."""
        return {column.head.replace(" ", "_"): column.of(self) for column in PROPERTIES}


PROPERTIES: list[Column[_Listed]] = [
    Column("stream", lambda each: each.choice.stream.id),
    Column("column", lambda each: str(each.column)),
    Column("type", lambda each: type_in_words(each.column.schema)),
    Column("selected", lambda each: each.selected),
    Column("settled by", lambda each: each.choice.settled_by(each.column)),
]


def members(choice: Choice) -> dict[str, object]:
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
