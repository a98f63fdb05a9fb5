"""Changes one setting or table in a TOML text and leaves everything else as it was typed.

tomlkit rewrites single statements and keeps their comments. Where a whole table comes or goes, lines are what is
moved: tomlkit counts a comment above a table to the table before it, and a hand would not.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import tomlkit

from orchestrator.config.statements import Place, Statement, statements
from orchestrator.config.values import Reference

LONGEST_LINE = 100
SETTING = re.compile(r"""(\s*)((?:"[^"]*"|'[^']*'|[\w.-]+)\s*)=""")


def put(text: str, table: Place, key: str, value: Any) -> str:
    """Gives one setting of a table its value, in the line where it stands or in a new one; makes the table if need be.

    `value` may be anything TOML can say, or a Reference.
    """
    place = (*table, key)
    known = statements(text)
    settings = [statement for statement in known if not statement.is_header]
    inside = [statement for statement in known if statement.table == table]

    def assign(holder: Any, last: str | int) -> None:
        holder[last] = tomlkit.value(rendered(value))

    for setting in settings:
        if place in setting.places:
            return _rewritten(text, setting, place, assign)
    if inside and inside[0].is_header:
        return _with_line(text, inside, key, value)
    for setting in settings:
        if table in setting.places:
            return _rewritten(text, setting, place, assign)
    return add_table(text, table, {key: value})


def exchanged(text: str, place: Place, value: Any) -> str:
    """Gives what stands at a place another value, also in a list."""

    def assign(holder: Any, last: str | int) -> None:
        holder[last] = tomlkit.value(rendered(value))

    setting = next(each for each in statements(text) if not each.is_header and place in each.places)
    return _rewritten(text, setting, place, assign)


def add_table(text: str, place: Place, settings: Mapping[str, Any], *, in_list: bool = False) -> str:
    """Adds `[place]`, or `[[place]]` with `in_list`, after its nearest relatives or else at the end."""
    name = ".".join(_key(str(part)) for part in place)
    width = max((len(_key(key)) for key in settings), default=0)
    lines = [f"[[{name}]]" if in_list else f"[{name}]"]
    lines += [f"{_key(key):{width}} = {rendered(value, indent=width + 3)}" for key, value in settings.items()]
    return _spliced(text, (end := _end_of_relatives(text, place)), end, lines)


def remove(text: str, place: Place) -> str:
    """Takes out a setting, or a table with all that is below it and the comment right above it."""
    for statement in reversed(statements(text)):
        if statement.is_header and statement.table[: len(place)] == place:
            text = _spliced(text, *_extent(text, statement), [])
        elif not statement.is_header and place in statement.places and len(place) > len(statement.table):
            text = _rewritten(text, statement, place, lambda holder, last: holder.pop(last))
    return text


def rendered(value: Any, *, indent: int = 0) -> str:
    """A value as a hand would write it, `indent` columns into its line."""
    match value:
        case Reference(kind, name):
            return f"{{ {kind} = {rendered(name)} }}"
        case Mapping():
            return f"{{ {', '.join(f'{_key(key)} = {rendered(below)}' for key, below in value.items())} }}"
        case list() | tuple():
            items = [rendered(item) for item in value]
            inline = f"[{', '.join(items)}]"
            if indent + len(inline) <= LONGEST_LINE:
                return inline
            return "\n".join(["[", *(f"  {item}," for item in items), "]"])
    return str(tomlkit.item(value).as_string())


def _key(name: str) -> str:
    return tomlkit.key(name).as_string()


def _rewritten(text: str, statement: Statement, place: Place, change: Callable[[Any, Any], object]) -> str:
    """The text with a change made to one statement; `change` gets what holds the place, and the last step to it."""
    lines = text.split("\n")
    document = tomlkit.parse("\n".join(lines[statement.first : statement.end]))
    *way, last = place[len(statement.table) :]
    holder: Any = document
    for step in way:
        holder = holder[step]
    change(holder, last)
    left = tomlkit.dumps(document).strip("\n")
    return "\n".join([*lines[: statement.first], *([left] if left else []), *lines[statement.end :]])


def _with_line(text: str, inside: list[Statement], key: str, value: Any) -> str:
    """The text with a new setting after the last of a table, its = under theirs when they have one column."""
    lines = text.split("\n")
    settings = [found for each in inside[1:] if (found := SETTING.match(lines[each.first]))]
    indent = settings[-1][1] if settings else ""
    columns = {len(setting[2]) for setting in settings}
    name = f"{_key(key)} ".ljust(columns.pop() if len(columns) == 1 else 0)
    line = f"{indent}{name}= {rendered(value, indent=len(indent + name) + 2)}"
    at = inside[-1].end
    return "\n".join([*lines[:at], line, *lines[at:]])


def _end_of_relatives(text: str, place: Place) -> int:
    """The line after the last table that shares the longest beginning with `place`; the end when none does."""
    headers = [statement for statement in statements(text) if statement.is_header]
    for length in range(len(place), 0, -1):
        relatives = [header for header in headers if header.table[:length] == place[:length]]
        if relatives:
            return _extent(text, relatives[-1])[1]
    return len(text.split("\n"))


def _extent(text: str, header: Statement) -> tuple[int, int]:
    """The lines of one table: from the comment right above its header to the comment right below its last setting."""
    lines = text.split("\n")
    known = statements(text)
    following = known[known.index(header) + 1 :]
    settings = [statement for statement in following if statement.table == header.table and not statement.is_header]
    next_header = next((statement.first for statement in following if statement.is_header), len(lines))
    end = settings[-1].end if settings else header.end
    while end < _comment_above(lines, next_header) and lines[end].lstrip().startswith("#"):
        end += 1
    start = _comment_above(lines, header.first)
    # What a file begins with is about the file.
    return (start if start > 0 else header.first), end


def _comment_above(lines: list[str], line: int) -> int:
    """The first line of the comment that ends right above `line`; `line` itself when there is none."""
    while line > 0 and lines[line - 1].lstrip().startswith("#"):
        line -= 1
    return line


def _spliced(text: str, first: int, end: int, new: list[str]) -> str:
    """The text with `new` in place of the lines `first` to `end`, and one blank line on either side of the seam."""
    lines = text.split("\n")
    blocks = ("\n".join(lines[:first]).rstrip(), "\n".join(new), "\n".join(lines[end:]).strip("\n"))
    return "\n\n".join(block for block in blocks if block) + "\n"
