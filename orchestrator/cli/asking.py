"""Questions with many answers: on a terminal a person marks, in lists, what is to be taken of a tap."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from orchestrator.catalogs import Choice, Inclusion, Property, type_in_words
from orchestrator.cli.plain import plain
from orchestrator.cli.tables import grid

if TYPE_CHECKING:
    import questionary

_HOW = "(space takes or leaves it, letters search, enter goes on)"


def ask_selection(choices: Sequence[Choice]) -> tuple[Choice, ...]:
    """What a person wants to be taken, starting from `choices`: first the streams, then columns where they like."""
    titles = _aligned([choice.stream.id, *_about(choice)] for choice in choices)
    streams = _marked(
        "Streams",
        [
            _line(title, number, checked=choice.selected, disabled=_unsupported(choice))
            for number, (title, choice) in enumerate(zip(titles, choices, strict=True))
        ],
        at_least_one=True,
    )
    in_part = _marked("Choose columns of", [_line(plain(choices[number].stream.id), number) for number in streams])
    chosen = [replace(choice, selected=number in streams) for number, choice in enumerate(choices)]
    for number in in_part:
        chosen[number] = _ask_columns(chosen[number])
    return tuple(chosen)


def _ask_columns(choice: Choice) -> Choice:
    columns = [property for property in choice.stream.properties if len(property.names) == 1]
    titles = _aligned([str(property), type_in_words(property.schema)] for property in columns)
    taken = _marked(
        f"Columns of {plain(choice.stream.id)}",
        [
            _line(title, each.names, checked=each.names in choice.properties, disabled=choice.settled_by(each))
            for title, each in zip(titles, columns, strict=True)
        ],
    )
    columns_taken = {*taken, *(each.names for each in columns if choice.settled_by(each))}

    def is_wanted(property: Property) -> bool:
        column = property.names[:1]
        if column in choice.properties or column not in columns_taken:
            return column in columns_taken and property.names in choice.properties
        # What is taken anew comes with what is in it.
        return property.names == column or property.offer.taken_by_default is not False

    return replace(choice, properties=frozenset(each.names for each in choice.stream.properties if is_wanted(each)))


def _about(choice: Choice) -> list[str]:
    method = choice.replication.method
    return [method.words if method else "", ", ".join(choice.key), choice.bookmark or ""]


def _unsupported(choice: Choice) -> str | None:
    inclusion = choice.stream.offer.inclusion
    return inclusion.value if inclusion is Inclusion.UNSUPPORTED else None


def _aligned(rows: Iterable[list[str]]) -> list[str]:
    values = [*rows]
    return grid(["" for _ in values[0]], values, words=str).split("\n")[1:] if values else []


def _line(title: str, value: Any, *, checked: bool = False, disabled: str | None = None) -> "questionary.Choice":
    # Only who sits at a terminal and asks for it pays for the import.
    import questionary

    return questionary.Choice(title, value=value, checked=checked and not disabled, disabled=disabled)


def _marked(question: str, lines: Sequence["questionary.Choice"], *, at_least_one: bool = False) -> list[Any]:
    """The values of the lines that a person marks. Ctrl-C raises KeyboardInterrupt."""
    import questionary
    from prompt_toolkit.output import create_output

    if all(line.disabled for line in lines):
        return []
    asked = questionary.checkbox(
        question,
        lines,
        validate=lambda marked: bool(marked) or not at_least_one or "at least one",
        instruction=_HOW,
        use_jk_keys=False,
        use_search_filter=True,
        # stdout is for data.
        output=create_output(sys.stderr),
    )
    return list(asked.unsafe_ask())
