"""How the records of one stream are read: into structs made for its columns, or member by member.

Structs (of msgspec) are parsed and checked many in one call. What they refuse is read again member by member, so
that a value that breaks its promise is either kept in a wider column or named with its line.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, compress, islice, repeat
from typing import Annotated, Any, Literal, Protocol, TypeVar, Union

import msgspec
import pyarrow as pa

from orchestrator.protocol.lines import decoded_lines, read_json
from orchestrator.protocol.numbers import has_long_number
from orchestrator.protocol.refusals import Flaw, Refusal
from orchestrator.protocol.schemas import DELETED_AT, JSON, TEXT, Column, Kind, Type
from orchestrator.protocol.tokens import Misfit
from orchestrator.protocol.values import NULL, reader_of, settle_tokens

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Field:
    """A column, and how values of it as they were read settle."""

    column: Column
    settle: Callable[[Type, Sequence[Any]], tuple[pa.Array, Type]]


@dataclass(frozen=True, slots=True, eq=False)
class Fields:
    """How rows were read: `values_of` gives those of a row, one for each of `fields`."""

    fields: tuple[Field, ...]
    values_of: Callable[[Any], Sequence[Any]]

    def columns_of(self, rows: Sequence[Any]) -> Iterator[tuple[Field, Sequence[Any]]]:
        """The values of each column."""
        return zip(self.fields, zip(*map(self.values_of, rows), strict=True) if rows else repeat(()), strict=False)

    def kept(self, rows: Sequence[Any], keep: Sequence[bool]) -> Sequence[Any]:
        return list(compress(rows, keep))

    def joined(self, runs: Iterable[Sequence[Any]]) -> Sequence[Any]:
        return list(chain.from_iterable(runs))


class ReadAs(Protocol):
    """How the rows of some records were read: what each of their columns holds, and what rows are made of."""

    def columns_of(self, rows: Any) -> Iterator[tuple[Field, Any]]:
        """The values of each column, as its field settles them."""

    def kept(self, rows: Any, keep: Sequence[bool]) -> Any:
        """Those rows that are to be kept."""

    def joined(self, runs: Iterable[Any]) -> Any:
        """Several runs of rows as one."""


class Origin(Protocol):
    """Where some records stood: one place for each."""

    @property
    def places(self) -> Sequence[int]: ...

    @property
    def numbers(self) -> list[int]:
        """The number of each record's line."""

    @property
    def texts(self) -> list[bytes]:
        """Each record's line."""

    def kept(self, keep: Sequence[bool]) -> "Origin": ...


@dataclass(frozen=True, slots=True)
class Records:
    """Records of one stream, in the order in which they came. What a row is, `fields` know.

    `lines` tell those they came in; `versions` and `extracted` are None where no record has one; `size` is about how
    many bytes of text they were.
    """

    stream: str
    fields: ReadAs
    rows: Any
    lines: tuple[Origin, ...]
    versions: Sequence[int | None] | None = None
    extracted: Sequence[str | None] | None = None
    size: int = 0

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def numbers(self) -> list[int]:
        """The number of each row's line."""
        return list(chain.from_iterable(lines.numbers for lines in self.lines))

    def columns(self) -> list[tuple[Column, pa.Array]]:
        """Each column with its values; its type is wider than the schema's where the values need it.

        Raises UnfitRows for values that contradict their schema.
        """
        settled, flaws = [], dict[int, Flaw]()
        for field, values in self.fields.columns_of(self.rows):
            name, promised = field.column.name, field.column.type
            try:
                array, type = field.settle(promised, values)
            except Misfit as misfit:
                cause = f"its SCHEMA promises {promised}, and no wider type keeps both"
                for index, text in misfit.texts.items():
                    flaws.setdefault(index, Flaw(f"{name} is {text:.80}", cause))
            else:
                settled.append((Column(name, type), array))
        if flaws:
            raise UnfitRows(flaws)
        return settled

    def without(self, refused: Collection[int]) -> "Records":
        """The same but for some rows."""
        if not refused:
            return self
        keep = [index not in refused for index in range(len(self))]
        return replace(
            self,
            rows=self.fields.kept(self.rows, keep),
            lines=self._lines_of(keep),
            versions=self.versions and list(compress(self.versions, keep)),
            extracted=self.extracted and list(compress(self.extracted, keep)),
        )

    def refusals(self, flaws: Mapping[int, Flaw]) -> list[Refusal]:
        """The rows that have flaws."""
        if not flaws:
            return []
        lines = self._lines_of([index in flaws for index in range(len(self))])
        told = chain.from_iterable(zip(each.numbers, each.texts, strict=True) for each in lines)
        both = zip(told, sorted(flaws), strict=True)
        return [Refusal(number, self.stream, text, flaws[index]) for (number, text), index in both]

    def _lines_of(self, keep: Sequence[bool]) -> tuple[Origin, ...]:
        """The lines of those rows that are to be kept."""
        rest = iter(keep)
        return tuple(lines.kept(list(islice(rest, len(lines.places)))) for lines in self.lines)


class UnfitRows(Exception):
    """Rows have flaws, which are given by their places among the rows."""

    def __init__(self, flaws: Mapping[int, Flaw]) -> None:
        super().__init__(flaws)
        self.flaws = flaws


def together(runs: Sequence[Records]) -> Records:
    """Runs of records with the same fields as one run."""
    if len(runs) == 1:
        return runs[0]
    return replace(
        runs[0],
        rows=runs[0].fields.joined(run.rows for run in runs),
        lines=tuple(chain.from_iterable(run.lines for run in runs)),
        versions=known(list(chain.from_iterable(run.versions or [None] * len(run) for run in runs))),
        extracted=known(list(chain.from_iterable(run.extracted or [None] * len(run) for run in runs))),
        size=sum(run.size for run in runs),
    )


def known(values: list[T | None]) -> list[T | None] | None:
    """The values, or None where there is none among them."""
    return None if values.count(None) == len(values) else values


class Shape:
    """The readers of one stream's records. `columns` are those of its schema and any undeclared member seen since."""

    def __init__(self, stream: str, columns: Sequence[Column]) -> None:
        self.stream = stream
        self.columns = tuple(columns)
        self._names = frozenset(column.name for column in self.columns)
        self.has_numbers = any(column.type.kind is Kind.NUMBER for column in self.columns)
        self._fits_structs = not any(is_unusual(column.name) for column in self.columns)

    def messages(self, lines: bytes) -> tuple[Fields, list[Any], int]:
        """Lines read as RECORD messages of this stream and STATEs; none unless every one is one of these and fits, but
        how many at the beginning seem to."""
        structs = self.structs_for(lines)
        return (structs.fields, *decoded_lines(structs.messages, lines)) if structs else (_NONE, [], 0)

    def records(self, records: Sequence[msgspec.Raw]) -> tuple[Fields, list[Any], int]:
        """Bare records; none unless every one fits, but how many at the beginning seem to."""
        text = b"\n".join(records)
        structs = self.structs_for(text)
        rows, fitting = decoded_lines(structs.records, text) if structs else ([], 0)
        return (structs.fields, rows, 0) if structs and len(rows) == len(records) else (_NONE, [], fitting)

    def members(self, record: msgspec.Raw) -> dict[str, msgspec.Raw]:
        """One record as its members, whatever they are. Raises one of UNREADABLE if it is no object."""
        return read_json(_MEMBERS, bytes(record))

    def undeclared(self, rows: Iterable[Iterable[str]]) -> list[str]:
        """The members of `rows` that have no column, in their order."""
        return list(dict.fromkeys(name for row in rows for name in row if name not in self._names))

    def with_members(self, names: Iterable[str]) -> "Shape":
        """A shape that also reads members that the schema does not declare, as JSON."""
        extra = [Column(name, TEXT if name == DELETED_AT else JSON) for name in names]
        return Shape(self.stream, (*self.columns, *extra))

    @cached_property
    def by_member(self) -> Fields:
        """The fields of records that were read by `members`."""
        names = [column.name for column in self.columns]
        return Fields(
            tuple(Field(column, settle_tokens) for column in self.columns),
            lambda row: [row.get(name, NULL) for name in names],
        )

    @cached_property
    def _quick(self) -> "Structs":
        return Structs(self.stream, self.columns, exact=False)

    @cached_property
    def _exact(self) -> "Structs":
        return Structs(self.stream, self.columns, exact=True)

    def structs_for(self, text: bytes) -> "Structs | None":
        """What loses nothing of the records in `text`; None where they have to be read member by member."""
        return self.structs(exact=self.has_numbers and has_long_number(text))

    def structs(self, *, exact: bool) -> "Structs | None":
        """`exact` keeps numbers that no double holds."""
        if not self._fits_structs:
            return None
        return self._exact if exact and self.has_numbers else self._quick


class StateMessage(msgspec.Struct, gc=False, tag_field="type", tag="STATE"):
    """A STATE that stands among typed records."""

    value: msgspec.Raw


_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_NONE = Fields((), tuple)
_Version = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class Structs:
    """Decoders for the records of one stream, bare or in their messages."""

    def __init__(self, stream: str, columns: Sequence[Column], *, exact: bool) -> None:
        readers = [reader_of(column.type.kind, exact=exact) for column in columns]
        members = {f"f{index}": column for index, column in enumerate(columns)}
        record = msgspec.defstruct(
            "Record",
            [(name, reader.type, reader.default) for name, reader in zip(members, readers, strict=True)],
            rename={name: column.name for name, column in members.items()},
            forbid_unknown_fields=True,
            gc=False,
        )
        self.stream = stream
        self._members: list[tuple[Any, ...]] = [
            ("record", record),
            ("version", _Version | None, None),
            ("time_extracted", str | None, None),
        ]
        message = msgspec.defstruct(
            "RecordMessage", [("stream", Literal[stream]), *self._members], tag_field="type", tag="RECORD", gc=False
        )
        self.messages: msgspec.json.Decoder[Any] = msgspec.json.Decoder(message | StateMessage)
        self.records: msgspec.json.Decoder[Any] = msgspec.json.Decoder(record)
        fields = tuple(Field(column, reader.settle) for column, reader in zip(columns, readers, strict=True))
        self.fields = Fields(fields, msgspec.structs.astuple)

    @cached_property
    def among_others(self) -> type[msgspec.Struct]:
        """A RECORD message of this stream, for a decoder of several."""
        return msgspec.defstruct(
            "RecordAmongOthers",
            [("type", Literal["RECORD"]), *self._members],
            tag_field="stream",
            tag=self.stream,
            gc=False,
        )


class Mixed:
    """What reads RECORD messages of several streams at once."""

    def __init__(self, structs: Sequence[Structs]) -> None:
        self._structs = structs

    def of(self, shapes: Sequence[Shape], text: bytes) -> "Mixed":
        """What reads records of `shapes` in `text`: this one, as long as nothing changes."""
        exact = any(shape.has_numbers for shape in shapes) and has_long_number(text)
        structs = [structs for shape in shapes if (structs := shape.structs(exact=exact)) is not None]
        if len(structs) < len(shapes):
            return Mixed(())
        return self if structs == self._structs else Mixed(structs)

    def messages(self, lines: bytes) -> tuple[list[Any], int]:
        """The messages; none unless every one is a RECORD of these streams and fits, but how many at the beginning
        seem to."""
        return decoded_lines(self._decoder, lines) if self._structs else ([], 0)

    def apart(
        self, messages: Sequence[Any], places: Sequence[int]
    ) -> Iterator[tuple[str, Fields, list[Any], list[int]]]:
        """The messages of each stream, how its rows were read, and those of `places` at which they came."""
        gathered: dict[type, tuple[list[Any], list[int]]] = {each.among_others: ([], []) for each in self._structs}
        for message, place in zip(messages, places, strict=True):
            together, at = gathered[type(message)]
            together.append(message)
            at.append(place)
        for structs in self._structs:
            together, at = gathered[structs.among_others]
            if together:
                yield structs.stream, structs.fields, together, at

    @cached_property
    def _decoder(self) -> "msgspec.json.Decoder[Any]":
        return msgspec.json.Decoder(Union[*(structs.among_others for structs in self._structs)])


def is_unusual(name: str) -> bool:
    """Whether msgspec takes no field of that name; what has one is read member by member."""
    return any(character in '"\\' or character < " " for character in name)
