"""The changes that verbs make to orchestrator.toml. Each is written in one step, and only if it still reads well.

Fields are named as in the file (`with`, not `extras`); values are what TOML can say, or References.
Every function raises ConfigError when the file, or the change, cannot be meant; the file is then as it was.
"""

import contextlib
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator import durable
from orchestrator.config.problems import Document, find_problems, reference_parts
from orchestrator.config.reading import config_of, read_config, read_text, shown
from orchestrator.config.splicing import add_table, exchanged, put, remove
from orchestrator.config.statements import Place
from orchestrator.config.values import Config, closest
from orchestrator.errors import ConfigError, UnknownName, UsageError

# The file is committed to git and holds no secrets.
READABLE = 0o644


def add_tap(
    path: Path, id: str, fields: Mapping[str, Any], *, flow: str | None = None, destination: str | None = None
) -> None:
    """Adds `[taps.ID]` and, when `flow` is given, the flow that carries its rows to `destination`.

    Raises UsageError when there is such a tap or flow already.
    """
    with _opened(path) as file:
        _refuse_second("tap", id, file.config.taps)
        file.add(("taps", id), fields)
        if flow is not None:
            _refuse_second("flow", flow, file.config.flows)
            file.text = add_table(file.text, ("flows",), {"name": flow, "from": id, "to": destination}, in_list=True)


def remove_tap(path: Path, id: str) -> None:
    """Takes out `[taps.ID]` and its flows. Raises UnknownName, and UsageError when another tap inherits from it."""
    with _opened(path) as file:
        file.config.tap(id)
        heirs = [heir for heir, tap in file.document["taps"].items() if tap.get("inherit") == id]
        if heirs:
            raise UsageError(
                f'tap "{id}" cannot be removed',
                cause=f"{', '.join(heirs)} {'inherits' if len(heirs) == 1 else 'inherit'} from it",
                data="nothing was changed",
                hint=f"orchestrator remove-tap {heirs[0]}",
            )
        flows = [index for index, flow in enumerate(file.document.get("flows", [])) if flow["from"] == id]
        for index in reversed(flows):
            file.text = remove(file.text, ("flows", index))
        file.text = remove(file.text, ("taps", id))


def set_flow(path: Path, name: str, fields: Mapping[str, Any]) -> None:
    """Changes settings of a flow; a table takes the place of the one that was there, None takes one out. Raises
    UnknownName."""
    with _opened(path) as file:
        file.config.flow(name)
        index = next(n for n, flow in enumerate(file.document["flows"]) if flow["name"] == name)
        for key, value in fields.items():
            if value is not None:
                file.text = put(file.text, ("flows", index), key, value)
            elif key in file.document["flows"][index]:
                file.text = remove(file.text, ("flows", index, key))


def set_tap(path: Path, id: str, fields: Mapping[str, Any]) -> None:
    """Changes settings of `[taps.ID]`, such as package or select; None takes one out. Raises UnknownName."""
    with _opened(path) as file:
        file.config.tap(id)
        file.set(("taps", id), fields)


def exchange(path: Path, values: Mapping[Place, Any]) -> None:
    """Gives what stands at these places other values, all of them at once."""
    with _opened(path) as file:
        for place, value in values.items():
            file.text = exchanged(file.text, place, value)


def set_tap_config(path: Path, id: str, values: Mapping[str, Any]) -> None:
    """Changes settings of `[taps.ID.config]`; a table is merged into the one that is there. Raises UnknownName."""
    with _opened(path) as file:
        file.config.tap(id)
        file.set(("taps", id, "config"), values)


def unset_tap_config(path: Path, id: str, places: Iterable[Sequence[str]]) -> None:
    """Takes settings out of `[taps.ID.config]` or of tables in it. Raises UnknownName for one that is not there."""
    with _opened(path) as file:
        file.config.tap(id)
        for place in places:
            *above, key = place
            written = _at(file.document, ("taps", id, "config", *above)) or {}
            if key not in written:
                near = closest(key, written)
                raise UnknownName(
                    f'[taps.{id}.config] does not say "{".".join(place)}"',
                    cause=f"it says {', '.join(written)}" if written else "it says nothing yet",
                    data="nothing was changed",
                    hint=f'did you mean "{".".join([*above, near])}"?' if near else None,
                )
            file.text = remove(file.text, ("taps", id, "config", *place))


def replace_text(path: Path, before: str, text: str) -> None:
    """Makes `text` what the file says, if it still says `before` and `text` reads well. Raises UsageError if not."""
    with _opened(path) as file:
        if read_text(path.resolve()) != before:
            raise UsageError(f"{shown(path)} was changed by somebody else meanwhile", data="their change stays")
        config_of(text, path)
        file.text = text.replace("\r\n", "\n")


@dataclass(slots=True)
class _Open:
    """The file while it is changed: what it said, and the text it is going to have."""

    config: Config
    document: Document
    text: str

    def add(self, table: Place, fields: Mapping[str, Any]) -> None:
        """Adds a table; tables in its fields get headers of their own."""
        inner = {key: value for key, value in fields.items() if _is_table(value)}
        settings = {key: value for key, value in fields.items() if key not in inner}
        if settings or not inner:
            self.text = add_table(self.text, table, settings)
        for key, value in inner.items():
            self.add((*table, key), value)

    def set(self, table: Place, values: Mapping[str, Any]) -> None:
        """Changes settings of a table, which is added when it is not there; None takes a setting out."""
        written = _at(self.document, table)
        if written is None:
            return self.add(table, {key: value for key, value in values.items() if value is not None})
        for key, value in values.items():
            if value is None:
                self.text = remove(self.text, (*table, key))
            elif _is_table(value) and _is_table(written.get(key)):
                self.set((*table, key), value)
            else:
                self.text = put(self.text, table, key, value)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[_Open]:
    # A link is kept, and what it leads to is changed.
    path = path.resolve()
    with durable.alone(path.parent):
        config = read_config(path, environ={})
        before = read_text(path)
        newline = "\r\n" if "\r\n" in before else "\n"
        file = _Open(config, tomllib.loads(before), before.replace(newline, "\n"))
        yield file
        _refuse_nonsense(path, file.text)
        durable.write(path, file.text.replace("\n", newline), mode=READABLE)


def _refuse_nonsense(path: Path, text: str) -> None:
    untouched = f"{shown(path)} is as it was"
    try:
        problems = find_problems(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"{shown(path)} is written in a way that only a hand can change",
            cause="tables inside braces or behind dotted names leave no room for new ones",
            data=untouched,
            hint="write them under headers of their own, such as [taps.NAME]",
        ) from error
    if problems:
        sentences = "\n         ".join(map(str, problems))
        raise ConfigError(f"{shown(path)} cannot say that", cause=sentences, data=untouched)


def _refuse_second(kind: str, name: str, known: Collection[str]) -> None:
    if name in known:
        raise UsageError(f'there is a {kind} "{name}" already', data="nothing was changed")


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping) and reference_parts(value) is None


def _at(document: Document, place: Place) -> Document | None:
    """The table at a place of the document, or None."""
    table: Any = document
    for step in place:
        table = table.get(step) if _is_table(table) else None
    return table if _is_table(table) else None
