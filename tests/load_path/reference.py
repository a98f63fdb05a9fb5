"""What must have landed of a Singer stream, said slowly: plain JSON, plain dicts, one message after the other."""

import gzip
from copy import deepcopy
from dataclasses import dataclass, field
from decimal import Decimal
from math import isfinite
from pathlib import Path
from typing import Any

from tests.load_path.faithful import moment, read_json

DELETED_AT = "_sdc_deleted_at"


class Refused(Exception):
    """The messages break off here."""


@dataclass
class Row:
    values: dict[str, Any]
    version: Any = None
    deleted: bool = False
    """Only when deleted rows are kept."""


@dataclass
class Stream:
    """`properties` and `key` are those of the last SCHEMA; `columns` are all names that ever came, `retyped` those of
    which two SCHEMAs said different things."""

    properties: dict[str, Any] = field(default_factory=dict)
    key: tuple[str, ...] = ()
    columns: set[str] = field(default_factory=set)
    retyped: set[str] = field(default_factory=set)
    rows: list[Row] = field(default_factory=list)


@dataclass
class Reference:
    """A destination as a dict. What readers see are `streams`, and `state` is the bookmark kept with them."""

    commit_rows: int = 1_000_000
    soft_delete: bool = False
    streams: dict[str, Stream] = field(default_factory=dict)
    state: Any = None

    def load(self, text: bytes, folder: Path = Path()) -> "Told":
        """One run of a tap. After Refused only what was committed is seen."""
        run = _Run(self, folder)
        refused = None
        try:
            for line in text.removeprefix(b"\xef\xbb\xbf").split(b"\n"):
                if line.strip():
                    run.take(line)
            run.end()
        except Refused as error:
            refused = str(error)
        return Told(run.acknowledged, refused)


@dataclass(frozen=True)
class Told:
    """The states that were acknowledged, and why the messages broke off, if they did."""

    states: list[Any]
    refused: str | None


class _Run:
    def __init__(self, reference: Reference, folder: Path) -> None:
        self.acknowledged: list[Any] = []
        self._reference = reference
        self._folder = folder
        self._streams = deepcopy(reference.streams)
        self._announced: set[str] = set()
        self._activated = False
        self._rows = 0
        self._states: list[Any] = []

    def take(self, line: bytes) -> None:
        try:
            message = read_json(line)
            type = message["type"].upper()
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise Refused(f"no message: {line[:80]!r}") from error
        match type:
            case "SCHEMA":
                self._schema(message)
            case "RECORD":
                self._record(message["stream"], message["record"], message.get("version"))
            case "BATCH":
                for path in message["manifest"]:
                    for record in self._records_in(path):
                        self._record(message["stream"], record, None)
            case "ACTIVATE_VERSION":
                self._activate(message["stream"], message["version"])
            case "STATE":
                self._states.append(message["value"])
                if self._rows >= self._reference.commit_rows:
                    self._commit()

    def end(self) -> None:
        if self._states or self._announced or self._activated:
            self._commit()

    def _commit(self) -> None:
        self._reference.streams = deepcopy(self._streams)
        self._rows = 0
        if self._states:
            self.acknowledged.append(self._states[-1])
            if self._states[-1] not in (None, {}, {"bookmarks": {}}) or self._reference.state is None:
                self._reference.state = self._states[-1]
        self._states = []

    def _schema(self, message: dict[str, Any]) -> None:
        stream = self._streams.setdefault(message["stream"], Stream())
        self._announced.add(message["stream"])
        said = message.get("key_properties") or []
        key = (said,) if isinstance(said, str) else tuple(said)
        before, stream.properties = stream.properties, message["schema"].get("properties") or {}
        stream.retyped |= {name for name in stream.columns if before.get(name) != stream.properties.get(name)}
        if stream.properties and not set(key) <= stream.properties.keys():
            raise Refused("a key that is not declared")
        stream.columns |= stream.properties.keys() - {DELETED_AT}
        if key != stream.key:
            stream.key = key
            stream.rows = _one_per_key(stream) if key else stream.rows

    def _record(self, name: str, record: Any, version: Any) -> None:
        if name not in self._announced:
            raise Refused("a record before its SCHEMA")
        if not isinstance(record, dict):
            raise Refused("a record that is no object")
        stream = self._streams[name]
        for member, value in record.items():
            if contradicts(value, stream.properties.get(member, {})):
                raise Refused(f"{member} is {value!r}")
        row = Row({name: value for name, value in record.items() if name != DELETED_AT}, version)
        row.deleted = record.get(DELETED_AT) is not None
        if stream.key:
            key = key_of(row, stream)
            if key is None:
                raise Refused("a record without its key")
            same = [other for other in stream.rows if key_of(other, stream) == key]
            stream.rows = [other for other in stream.rows if key_of(other, stream) != key]
            if same and row.deleted:
                # It marks the row that is there, and most taps say no more of it than its key.
                row.values = same[0].values | {name: value for name, value in row.values.items() if value is not None}
        if not row.deleted or self._reference.soft_delete:
            stream.rows.append(row)
        stream.columns |= row.values.keys()
        self._rows += 1

    def _activate(self, name: str, version: Any) -> None:
        self._activated = True
        if (stream := self._streams.get(name)) is None:
            return
        if self._reference.soft_delete:
            for row in stream.rows:
                row.deleted = row.deleted or row.version != version
        else:
            stream.rows = [row for row in stream.rows if row.version == version]

    def _records_in(self, path: str) -> list[Any]:
        data = (self._folder / path.removeprefix("file://")).read_bytes()
        lines = (gzip.decompress(data) if path.endswith(".gz") else data).split(b"\n")
        return [read_json(line) for line in lines if line.strip()]


def _one_per_key(stream: Stream) -> list[Row]:
    """The last row of each key; rows that have none stay."""
    last = {key_of(row, stream): row for row in stream.rows}
    return [row for row in stream.rows if (key := key_of(row, stream)) is None or last[key] is row]


def key_of(row: Row, stream: Stream) -> tuple[Any, ...] | None:
    """The key as typed values, so that 1 is 1.0 and neither true nor "1"; None where a part of it is missing."""
    parts = [(row.values.get(name), stream.properties.get(name, {})) for name in stream.key]
    return None if any(value is None for value, _ in parts) else tuple(typed(*part) for part in parts)


def typed(value: Any, schema: dict[str, Any]) -> Any:
    if isinstance(value, str):
        return ("instant", moment(value)) if "format" in schema else ("string", value)
    if isinstance(value, list):
        return ("array", tuple(typed(item, {}) for item in value))
    if isinstance(value, dict):
        return ("object", frozenset((name, typed(member, {})) for name, member in value.items()))
    return (type(value).__name__, value)


def contradicts(value: Any, schema: dict[str, Any]) -> bool:
    """Whether no column can hold the value beside others of its schema: a column of numbers, of truths, or of times
    takes nothing else, any other column takes anything."""
    said = schema.get("type", [])
    types = set([said] if isinstance(said, str) else said) - {"null"}
    if value is None or not types:
        return False
    if types <= {"integer", "number"}:
        return not isinstance(value, Decimal) or (value.is_finite() and _overflows(value))
    if types == {"boolean"}:
        return not isinstance(value, bool)
    if types == {"string"} and "format" in schema:
        return not isinstance(value, str)
    return False


def _overflows(value: Decimal) -> bool:
    return int(value.as_tuple().exponent) > 0 and not isfinite(float(value))
