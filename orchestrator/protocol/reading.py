"""Blocks of bytes in, Singer messages out: records in runs of one stream, everything else one by one.

A block that holds records of one stream, and STATEs, is read in one call. Any other block is first read as envelopes
whose records stay bytes, and only one that is refused whole is looked at line by line.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, compress, groupby, pairwise
from typing import Any

import msgspec
import pyarrow as pa

from orchestrator.config import Validate
from orchestrator.errors import BrokenSchema
from orchestrator.protocol.arrow_records import arrow_records, as_lines
from orchestrator.protocol.envelopes import (
    ENVELOPES,
    Envelope,
    batch_files,
    check_of,
    columns_said,
    envelope_of,
    flaw_of_version,
    key_said,
    stream_named,
    stream_of,
)
from orchestrator.protocol.lines import (
    UNREADABLE,
    Block,
    Lines,
    cut,
    decoded_lines,
    is_blank,
    is_text,
    one_in_each,
    whole_lines,
)
from orchestrator.protocol.messages import (
    ActivateVersion,
    BatchFiles,
    Message,
    OpenBatch,
    Schema,
    Silence,
    State,
    Unknown,
)
from orchestrator.protocol.records import Fields, Mixed, Records, Shape, StateMessage, known
from orchestrator.protocol.refusals import NO_LOGS, Flaw, Refusal, Unfit
from orchestrator.protocol.validation import FullCheck, InvalidSchema


def read_messages(
    blocks: Iterable[bytes], open_batch: OpenBatch, validate: Validate = Validate.TYPES
) -> Iterator[Message]:
    """The messages in `blocks`, the records of a BATCH in its place. An empty block is a Silence.

    A line ends at LF only. One that is no message, or whose record cannot land, is a Refusal; a record may turn out
    to be unfit only when its values settle (`Records.columns`). Raises BrokenSchema or BadBatch, with the line, once
    all messages before it were given: without a SCHEMA, or a file of many records, nothing after it means anything.
    Raises BrokenMessage at a line that does not end.
    """
    reader = _Reader(validate)
    for lines in whole_lines(blocks, lambda: f"line {reader.lines + 1}"):
        for message in reader.read(lines) if lines else (Silence(),):
            if isinstance(message, BatchFiles):
                yield from reader.batch(message, open_batch(message))
            else:
                yield message


_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_FEW = 500
"""So many lines are read with care where one of them does not fit."""
_RUN = 1000
"""Where so many fit before one that does not, it is likely to be alone."""
_FEWER = 20
"""And then so many are read with care."""
_MANY = 10_000
"""So many records are read as one at most, as often as it may take."""


@dataclass(frozen=True, slots=True)
class _Stream:
    """What the SCHEMA of a stream said, and what follows from it. `check` is None unless all of it is to be kept."""

    said: tuple[bytes, Any]
    key: tuple[str, ...]
    shape: Shape
    check: FullCheck | None


@dataclass(frozen=True, slots=True)
class _Part:
    """Lines of a block that may be read as one, and their text. `likely` are streams that came before those few that
    are in between."""

    lines: Lines
    whole: Sequence[bytes]
    text: bytes
    likely: tuple[str, ...] = ()

    def cut(self, fitting: int, likely: tuple[str, ...]) -> "list[_Part]":
        """The lines at the beginning that seem to fit, those few that are to be read with care, and the others. Halves,
        where nobody can tell which fit."""
        count = len(self.whole)
        if not 0 < fitting < count:
            ends = [count // 2]
        elif fitting < _RUN:
            ends = [_FEW]
        else:
            ends = [fitting, fitting + _FEWER]
        parts = [self._between(start, end) for start, end in pairwise([0, *ends, count]) if start < end]
        if fitting >= _RUN and ends[-1] < count:
            parts[-1] = replace(parts[-1], likely=likely)
        return parts

    def _between(self, start: int, end: int) -> "_Part":
        whole = self.whole[start:end]
        return _Part(Lines(self.lines.block, self.lines.places[start:end]), whole, b"".join(whole))


class _Reader:
    """Reads the messages of one tap run, block by block. What it remembers are the schemas."""

    def __init__(self, validate: Validate) -> None:
        self._validate = validate
        self.lines = 0
        self._streams: dict[str, _Stream] = {}
        # The streams whose records come next, as far as the last ones tell, and what reads those of several.
        self._likely: tuple[str, ...] = ()
        self._mixed = Mixed(())

    def read(self, text: bytes) -> Iterator[Message]:
        """The messages in whole lines."""
        block = Block(text if self.lines else text.removeprefix(_BYTE_ORDER_MARK), self.lines + 1)
        whole = cut(block.text)
        self.lines += len(whole)
        yield from self._read(_Part(Lines(block, range(len(whole))), whole, block.text))

    def _read(self, lines: _Part) -> Iterator[Message]:
        """The messages in `lines`. Where they cannot be read as one, a few are read by themselves, and those before
        and after them as one again."""
        parts = [lines]
        while parts:
            part = parts.pop()
            if set(self._likely) < set(part.likely):
                self._likely = part.likely
            messages, fitting = self._read_as_one(part)
            if messages is not None:
                yield from messages
            elif len(part.whole) > _FEW:
                parts += reversed(part.cut(fitting, self._likely))
            else:
                yield from self._read_singly(part.lines)

    def _read_as_one(self, part: _Part) -> tuple[Iterator[Message] | None, int]:
        """The messages in a part; None where they cannot be read in one call, but how many at the beginning seem to
        fit."""
        lines, text, count, fitting = part.lines, part.text, len(part.whole), 0
        if not is_text(text):
            return None, 0
        if self._likely and self._validate is Validate.TYPES:
            shapes = [self._streams[stream].shape for stream in self._likely]
            if len(shapes) == 1:
                fields, messages, fitting = shapes[0].messages(text)
                read = self._typed(self._likely[0], fields, messages, lines, len(text))
            else:
                self._mixed = self._mixed.of(shapes, text)
                messages, fitting = self._mixed.messages(text)
                read = self._in_turns(messages, lines, len(text))
            if len(messages) == count and one_in_each(part.whole):
                return read, count
        if fitting < _RUN:
            envelopes, fitting = decoded_lines(ENVELOPES, text)
            if len(envelopes) == count and one_in_each(part.whole):
                return self._sort(envelopes, lines), count
        return None, fitting

    def _typed(self, stream: str, fields: Fields, messages: list[Any], lines: Lines, size: int) -> Iterator[Message]:
        start = 0
        kinds = list(map(type, messages))
        runs = [messages] if StateMessage not in kinds else [list(run) for _, run in groupby(messages, type)]
        for together in runs:
            end = start + len(together)
            if type(together[0]) is StateMessage:
                yield from (State(bytes(message.value)) for message in together)
            else:
                apart = Lines(lines.block, lines.places[start:end])
                yield _records_of(stream, fields, together, apart, size * len(together) // len(messages))
            start = end

    def _in_turns(self, messages: list[Any], lines: Lines, size: int) -> Iterator[Message]:
        """Typed records of several streams, gathered by stream."""
        for stream, fields, together, places in self._mixed.apart(messages, lines.places):
            yield _records_of(
                stream, fields, together, Lines(lines.block, places), size * len(together) // len(messages)
            )

    def _read_singly(self, lines: Lines) -> Iterator[Message]:
        envelopes: list[Envelope] = []
        places: list[int] = []
        for place, line in zip(lines.places, lines.texts, strict=True):
            if is_blank(line):
                continue
            try:
                str(line, "utf-8")
                envelopes.append(envelope_of(line))
                places.append(place)
            except UNREADABLE as error:
                yield from self._sort(envelopes, Lines(lines.block, places))
                envelopes, places = [], []
                yield lines.block.refusal(place, None, Flaw("not a Singer message", str(error), NO_LOGS))
        yield from self._sort(envelopes, Lines(lines.block, places))

    def _sort(self, envelopes: Iterable[Envelope], lines: Lines) -> Iterator[Message]:
        """Records gathered by stream; any other message first lets go what was gathered before it."""
        block = lines.block
        gathered: defaultdict[str, tuple[list[Envelope], list[int]]] = defaultdict(lambda: ([], []))
        for envelope, place in zip(envelopes, lines.places, strict=True):
            type = envelope.type.upper()
            try:
                if type == "RECORD":
                    records, places = gathered[stream_of(envelope)]
                    records.append(envelope)
                    places.append(place)
                else:
                    yield from self._release(gathered, block)
                    yield self._other(type, envelope, block.number(place))
            except Unfit as unfit:
                yield from self._release(gathered, block)
                yield block.refusal(place, None, unfit.flaw)
        yield from self._release(gathered, block)

    def _release(
        self, gathered: dict[str, tuple[list[Envelope], list[int]]], block: Block
    ) -> Iterator[Records | Refusal]:
        for stream, (envelopes, places) in gathered.items():
            yield from self._records(stream, envelopes, Lines(block, places))
        if gathered.keys() <= self._streams.keys():
            self._likely = tuple(gathered) or self._likely
        gathered.clear()

    def _records(self, stream: str, envelopes: Sequence[Envelope], lines: Lines) -> Iterator[Records | Refusal]:
        """Records of one stream."""
        if stream not in self._streams:
            yield from (lines.block.refusal(place, stream, _BEFORE_SCHEMA) for place in lines.places)
            return
        self._likely = (stream,)
        if check := self._streams[stream].check:
            flaws = _flaws(stream, envelopes, check)
            yield from (lines.block.refusal(lines.places[index], stream, flaw) for index, flaw in flaws.items())
            keep = [index not in flaws for index in range(len(envelopes))]
            envelopes, lines = list(compress(envelopes, keep)), lines.kept(keep)
        yield from self._fitting(stream, envelopes, lines)

    def _fitting(self, stream: str, envelopes: Sequence[Envelope], lines: Lines) -> Iterator[Records | Refusal]:
        """Records of one stream. Where they do not fit as one, a few are read member by member, and those before and
        after them as one again; undeclared members give the stream a column."""
        at, few = 0, _FEW
        while at < len(envelopes):
            part = envelopes[at : at + _MANY]
            texts = [envelope.record for envelope in part]
            flaws: dict[int, Flaw] = {}
            fields, rows, fitting = self._streams[stream].shape.records(texts)
            if not rows and fitting >= _RUN:
                part, few = part[:fitting], _FEWER
                fields, rows, _ = self._streams[stream].shape.records(texts[:fitting])
            if not rows:
                part = part[:few]
                fields, rows, flaws = self._by_member(stream, texts[:few])
                few = _FEW
            versions = known([envelope.version for envelope in part])
            flaws |= {index: flaw for index, version in enumerate(versions or ()) if (flaw := flaw_of_version(version))}
            records = Records(
                stream,
                fields,
                rows,
                (Lines(lines.block, lines.places[at : at + len(part)]),),
                versions,
                known([each if isinstance(each := envelope.time_extracted, str) else None for envelope in part]),
                sum(map(len, texts[: len(part)])),
            )
            yield from records.refusals(flaws)
            if sound := records.without(flaws):
                yield sound
            at += len(part)

    def _by_member(self, stream: str, records: Sequence[msgspec.Raw]) -> tuple[Fields, list[Any], dict[int, Flaw]]:
        rows, flaws = _members(self._streams[stream].shape, records)
        return self._with_undeclared(stream, rows).by_member, rows, flaws

    def _with_undeclared(self, stream: str, rows: Iterable[Iterable[str]]) -> Shape:
        """The shape of a stream, with columns for all members of `rows`."""
        shape = self._streams[stream].shape
        if undeclared := shape.undeclared(rows):
            shape = shape.with_members(undeclared)
            self._streams[stream] = replace(self._streams[stream], shape=shape)
        return shape

    def batch(
        self, message: BatchFiles, parts: Iterable[bytes] | Iterable[pa.RecordBatch]
    ) -> Iterator[Records | Refusal]:
        """The records of a BATCH, as its files give them. All of them bear the line of the message."""
        if message.format != "parquet":
            yield from self._in_lines(message, parts)
        elif message.stream in self._streams and self._streams[message.stream].check is None:
            for rows in parts:
                yield self._as_arrow(message, rows)
        else:
            yield from self._in_lines(message, chain.from_iterable(map(as_lines, parts)))

    def _as_arrow(self, message: BatchFiles, rows: pa.RecordBatch) -> Records:
        shape = self._with_undeclared(message.stream, [rows.schema.names])
        return arrow_records(message.stream, shape.columns, rows, message.line, message.version)

    def _in_lines(self, message: BatchFiles, blocks: Iterable[bytes]) -> Iterator[Records | Refusal]:
        for text in whole_lines(blocks, lambda: f"{message.stream}, line {message.line}: a record"):
            block = Block(text, message.line, step=0)
            places = [place for place, line in enumerate(block.lines) if not is_blank(line)]
            if not is_text(text):
                torn = {place for place in places if not is_text(block.lines[place])}
                yield from (block.refusal(place, message.stream, _NOT_TEXT) for place in places if place in torn)
                places = [place for place in places if place not in torn]
            # Read together, a line that is torn could make up for two records that are glued.
            for whole, run in groupby(places, block.is_braced):
                for together in [list(run)] if whole else [[place] for place in run]:
                    texts = [msgspec.Raw(block.lines[place]) for place in together]
                    records = [Envelope("RECORD", record=text, version=message.version) for text in texts]
                    yield from self._records(message.stream, records, Lines(block, together))

    def _other(self, type: str, envelope: Envelope, number: int) -> Message:
        match type:
            case "SCHEMA":
                return self._schema(envelope, number)
            case "STATE":
                if not bytes(envelope.value):
                    raise Unfit("a STATE has no value")
                return State(bytes(envelope.value))
            case "ACTIVATE_VERSION":
                if flaw := flaw_of_version(envelope.version):
                    raise Unfit(flaw.reason)
                if envelope.version is None:
                    raise Unfit("an ACTIVATE_VERSION has no version")
                return ActivateVersion(stream_of(envelope), envelope.version)
            case "BATCH":
                return batch_files(envelope, number)
            case _:
                return Unknown(envelope.type)

    def _schema(self, envelope: Envelope, number: int) -> Schema:
        stream = stream_named(envelope)
        if stream is None:
            raise BrokenSchema(f"line {number}: a SCHEMA names no stream")
        said = (bytes(envelope.schema), envelope.key_properties)
        if stream not in self._streams or said != self._streams[stream].said:
            key = key_said(stream, envelope.key_properties, number)
            columns = columns_said(stream, envelope.schema, key, number)
            check = None if self._validate is Validate.TYPES else check_of(stream, envelope.schema, key, number)
            self._streams[stream] = _Stream(said, key, Shape(stream, columns), check)
        self._likely = (stream,)
        held = self._streams[stream]
        return Schema(stream, held.shape.columns, held.key, number)


def _records_of(stream: str, fields: Fields, messages: Sequence[Any], lines: Lines, size: int) -> Records:
    return Records(
        stream,
        fields,
        [message.record for message in messages],
        (lines,),
        known([message.version for message in messages]),
        known([message.time_extracted for message in messages]),
        size,
    )


_BEFORE_SCHEMA = Flaw("the record comes before its SCHEMA", "the Singer specification asks for a SCHEMA first")
_NOT_TEXT = Flaw("the record is not UTF-8")


def _members(shape: Shape, records: Sequence[msgspec.Raw]) -> tuple[list[dict[str, msgspec.Raw]], dict[int, Flaw]]:
    """The members of each record, and the flaws of those that have none."""
    rows: list[dict[str, msgspec.Raw]] = []
    flaws = {}
    for index, record in enumerate(records):
        try:
            rows.append(shape.members(record))
        except UNREADABLE as error:
            rows.append({})
            flaws[index] = Flaw("the record is not an object", str(error))
    return rows, flaws


def _flaws(stream: str, envelopes: Iterable[Envelope], check: FullCheck) -> dict[int, Flaw]:
    try:
        found = ((index, check.flaw(bytes(envelope.record))) for index, envelope in enumerate(envelopes))
        return {index: flaw for index, flaw in found if flaw}
    except InvalidSchema as error:
        raise BrokenSchema(f"the SCHEMA of {stream!r} cannot be followed", cause=str(error)) from error
