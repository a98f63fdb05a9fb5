"""How the records of one stream are read: a typed reader made from its columns, and a careful one behind it.

The typed reader (msgspec) parses and checks many records in one call. What it refuses is read again member by
member, so that a value that breaks its promise is either kept in a wider column or named with its line.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from operator import attrgetter
from typing import Any, Literal

import msgspec
import pyarrow as pa

from orchestrator.errors import BadRecord
from orchestrator.protocol.schemas import DELETED_AT, JSON, TIMESTAMP, Column, Kind, Type
from orchestrator.protocol.values import Misfit, settle, settle_tokens

Members = dict[str, msgspec.Raw]

_NULL = msgspec.Raw(b"null")
_READERS: dict[Kind, tuple[Any, Any]] = {
    Kind.NOTHING: (None, None),
    Kind.BOOLEAN: (bool | None, None),
    Kind.INTEGER: (int | None, None),
    Kind.DECIMAL: (Decimal | None, None),
    Kind.NUMBER: (float | None, None),
    Kind.JSON: (msgspec.Raw, _NULL),
}
_TEXTS = (str | None, None)


class Shape:
    """The reader of one stream's records. `columns` are those of its schema and any undeclared member seen since."""

    def __init__(self, stream: str, columns: Sequence[Column]) -> None:
        self.stream = stream
        self.columns = tuple(columns)
        self.names = frozenset(column.name for column in self.columns)
        fields = [f"f{index}" for index in range(len(self.columns))]
        self._members = attrgetter(*fields) if fields else None
        self._has_numbers = any(column.type.kind is Kind.NUMBER for column in self.columns)
        self._lines = self._bare = None
        if not any(_unusual(column.name) for column in self.columns):
            record = msgspec.defstruct(
                "Record",
                [
                    (field, *_READERS.get(column.type.kind, _TEXTS))
                    for field, column in zip(fields, self.columns, strict=True)
                ],
                rename=dict(zip(fields, (column.name for column in self.columns), strict=True)),
                forbid_unknown_fields=True,
                gc=False,
            )
            message = msgspec.defstruct(
                "RecordMessage",
                [
                    ("type", Literal["RECORD"]),
                    ("stream", Literal[stream]),
                    ("record", record),
                    ("version", int | None, None),
                    ("time_extracted", str | None, None),
                ],
                gc=False,
            )
            self._lines = msgspec.json.Decoder(message)
            self._bare = msgspec.json.Decoder(record)

    def messages(self, lines: bytes) -> list[Any] | None:
        """Whole lines as typed RECORD messages, or None unless every one is a fitting record of this stream."""
        return self._attempt(self._lines, lines)

    def records(self, records: Iterable[msgspec.Raw]) -> list[Any] | None:
        """Bare records, typed; or None unless every one fits."""
        return self._attempt(self._bare, b"\n".join(map(bytes, records)))

    def with_members(self, names: Iterable[str]) -> "Shape":
        """A shape that also reads members that the schema does not declare, as JSON."""
        extra = [Column(name, TIMESTAMP if name == DELETED_AT else JSON) for name in names]
        return Shape(self.stream, (*self.columns, *extra))

    def _attempt(self, decoder: "msgspec.json.Decoder[Any] | None", lines: bytes) -> list[Any] | None:
        if decoder is None or (self._has_numbers and _has_long_number(lines)):
            return None
        try:
            return decoder.decode_lines(lines)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None

    def values(self, rows: Sequence[Any]) -> list[Sequence[Any]]:
        """Typed records turned on their side: the values of each column."""
        if self._members is None:
            return []
        values = map(self._members, rows)
        return [list(values)] if len(self.columns) == 1 else list(zip(*values, strict=True))


def _unusual(name: str) -> bool:
    """msgspec takes no field of such a name; a stream that has one is read carefully."""
    return any(character in '"\\' or character < " " for character in name)


# A literal of 18 digits or more, or an integer of 16 or more: a double would not keep it.
_LONG_NUMBER = re.compile(rb"[:,\[]\s?-?(?:0[.]\d{18}|[1-9][\d.]{18}|[1-9]\d{15,}(?![\d.eE]))")
_DIGITS = bytes(48 if character in b"0123456789." else 32 for character in range(256))


def _has_long_number(text: bytes) -> bool:
    # Looking for a long run of digits first costs a tenth of the expression alone.
    return b"0" * 16 in text.translate(_DIGITS) and _LONG_NUMBER.search(text) is not None


@dataclass(frozen=True, slots=True)
class Records:
    """Records of one stream, in the order in which they came: typed (`rows`) or member by member (`members`).

    `lines` are the line numbers they came from; `versions` and `extracted` are None where no record has one.
    """

    shape: Shape
    rows: Sequence[Any] | None
    members: Sequence[Members] | None
    lines: Sequence[int]
    versions: Sequence[int | None] | None = None
    extracted: Sequence[str | None] | None = None

    @property
    def stream(self) -> str:
        return self.shape.stream

    def __len__(self) -> int:
        return len(self.lines)

    def columns(self) -> list[tuple[Column, pa.Array]]:
        """Each column with its values; its type is wider than the schema's where the values need it.

        Raises BadRecord for a value that contradicts its schema.
        """
        if self.rows is not None:
            settled = [
                settle(column.type, values)
                for column, values in zip(self.shape.columns, self.shape.values(self.rows), strict=True)
            ]
        else:
            settled = [self._settle_tokens(column) for column in self.shape.columns]
        return [
            (Column(column.name, type), array)
            for column, (array, type) in zip(self.shape.columns, settled, strict=True)
        ]

    def _settle_tokens(self, column: Column) -> tuple[pa.Array, Type]:
        assert self.members is not None
        tokens = [None if (raw := record.get(column.name)) is None else bytes(raw) for record in self.members]
        try:
            return settle_tokens(column.type, tokens)
        except Misfit as misfit:
            raise BadRecord(
                f"{self.stream}, line {self.lines[misfit.index]}: {column.name} is {misfit.value!r:.80}",
                cause=f"its SCHEMA promises {misfit.type}, and no wider type keeps both",
                data="nothing after the last commit was kept",
            ) from misfit
