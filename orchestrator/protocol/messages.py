"""Blocks of bytes in, Singer messages out: records in runs of one stream, everything else one by one.

A block that holds records of one stream, and STATEs, is read in one call. Any other block is first read as envelopes
whose records stay bytes, and only one that is refused whole is looked at line by line.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, compress, groupby, pairwise
from typing import Any

import msgspec
import pyarrow as pa

from orchestrator.config import Validate
from orchestrator.errors import BadBatch, BrokenSchema
from orchestrator.protocol.arrow_records import arrow_records, as_lines
from orchestrator.protocol.lines import (
    UNREADABLE,
    Block,
    Lines,
    as_written,
    cut,
    decoded_lines,
    is_blank,
    is_text,
    one_in_each,
    read_json,
    whole_lines,
)
from orchestrator.protocol.records import Fields, Mixed, Records, Shape, StateMessage, known
from orchestrator.protocol.refusals import Flaw, Refusal, Unfit
from orchestrator.protocol.schemas import Column, columns_of
from orchestrator.protocol.validation import FullCheck, InvalidSchema, read_exactly


@dataclass(frozen=True, slots=True)
class Schema:
    """SCHEMA: the columns of a stream and the key that identifies a row (empty: none)."""

    stream: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class State:
    """STATE: the tap can resume here. `value` is the JSON text as the tap wrote it."""

    value: bytes


@dataclass(frozen=True, slots=True)
class ActivateVersion:
    """ACTIVATE_VERSION: from here on only rows of this version count."""

    stream: str
    version: int


@dataclass(frozen=True, slots=True)
class BatchFiles:
    """BATCH: records in files, named by URL or path. `format` is jsonl or parquet, `compression` gzip or none;
    `version` is that of every record in them."""

    stream: str
    format: str
    compression: str
    manifest: tuple[str, ...]
    line: int
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """A message of a type we do not know; later dialects of Singer add some, and old readers skip them."""

    type: str


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing came for a moment. A chance to settle what is due."""


Message = Schema | Records | Refusal | State | ActivateVersion | BatchFiles | Unknown | Silence
OpenBatch = Callable[[BatchFiles], Iterable[bytes] | Iterable[pa.RecordBatch]]
"""Gives the records of a batch's files in order, as blocks of JSON lines, or where the format is parquet as Arrow.
Raises BadBatch."""


def read_messages(
    blocks: Iterable[bytes], open_batch: OpenBatch, validate: Validate = Validate.TYPES
) -> Iterator[Message]:
    """The messages in `blocks`, the records of a BATCH in its place. An empty block is a Silence.

    A line ends at LF only. One that is no message, or whose record cannot land, is a Refusal; a record may turn out
    to be unfit only when its values settle (`Records.columns`). Raises BrokenSchema or BadBatch, with the line, once
    all messages before it were given: without a SCHEMA, or a file of many records, nothing after it means anything.
    """
    reader = _Reader(validate)
    for lines in whole_lines(blocks):
        for message in reader.read(lines) if lines else (Silence(),):
            if isinstance(message, BatchFiles):
                yield from reader.batch(message, open_batch(message))
            else:
                yield message


class _Envelope(msgspec.Struct, gc=False):
    """A message. What is large is still JSON text, and empty where the message has none."""

    type: str
    stream: Any = None
    record: msgspec.Raw = msgspec.Raw()
    value: msgspec.Raw = msgspec.Raw()
    schema: msgspec.Raw = msgspec.Raw()
    key_properties: Any = None
    version: Any = None
    time_extracted: Any = None
    encoding: Any = None
    manifest: Any = None
    # A BATCH as PipelineWise writes it: one file, and how it is written beside its name.
    filepath: Any = None
    format: Any = None
    compression: Any = None


_ENVELOPES = msgspec.json.Decoder(_Envelope)
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
        self._lines = 0
        self._streams: dict[str, _Stream] = {}
        # The streams whose records come next, as far as the last ones tell, and what reads those of several.
        self._likely: tuple[str, ...] = ()
        self._mixed = Mixed(())

    def read(self, text: bytes) -> Iterator[Message]:
        """The messages in whole lines."""
        block = Block(text if self._lines else text.removeprefix(_BYTE_ORDER_MARK), self._lines + 1)
        whole = cut(block.text)
        self._lines += len(whole)
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
            envelopes, fitting = decoded_lines(_ENVELOPES, text)
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
        envelopes: list[_Envelope] = []
        places: list[int] = []
        for place, line in zip(lines.places, lines.texts, strict=True):
            if is_blank(line):
                continue
            try:
                str(line, "utf-8")
                envelopes.append(_envelope(line))
                places.append(place)
            except UNREADABLE as error:
                yield from self._sort(envelopes, Lines(lines.block, places))
                envelopes, places = [], []
                yield lines.block.refusal(place, None, Flaw("not a Singer message", str(error), _NO_LOGS))
        yield from self._sort(envelopes, Lines(lines.block, places))

    def _sort(self, envelopes: Iterable[_Envelope], lines: Lines) -> Iterator[Message]:
        """Records gathered by stream; any other message first lets go what was gathered before it."""
        block = lines.block
        gathered: defaultdict[str, tuple[list[_Envelope], list[int]]] = defaultdict(lambda: ([], []))
        for envelope, place in zip(envelopes, lines.places, strict=True):
            type = envelope.type.upper()
            try:
                if type == "RECORD":
                    records, places = gathered[_stream(envelope)]
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
        self, gathered: dict[str, tuple[list[_Envelope], list[int]]], block: Block
    ) -> Iterator[Records | Refusal]:
        for stream, (envelopes, places) in gathered.items():
            yield from self._records(stream, envelopes, Lines(block, places))
        if gathered.keys() <= self._streams.keys():
            self._likely = tuple(gathered) or self._likely
        gathered.clear()

    def _records(self, stream: str, envelopes: Sequence[_Envelope], lines: Lines) -> Iterator[Records | Refusal]:
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

    def _fitting(self, stream: str, envelopes: Sequence[_Envelope], lines: Lines) -> Iterator[Records | Refusal]:
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
            flaws |= {index: flaw for index, version in enumerate(versions or ()) if (flaw := _flaw_of(version))}
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
        for text in whole_lines(blocks):
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
                    records = [_Envelope("RECORD", record=text, version=message.version) for text in texts]
                    yield from self._records(message.stream, records, Lines(block, together))

    def _other(self, type: str, envelope: _Envelope, number: int) -> Message:
        match type:
            case "SCHEMA":
                return self._schema(envelope, number)
            case "STATE":
                if not bytes(envelope.value):
                    raise Unfit("a STATE has no value")
                return State(bytes(envelope.value))
            case "ACTIVATE_VERSION":
                if flaw := _flaw_of(envelope.version):
                    raise Unfit(flaw.reason)
                if envelope.version is None:
                    raise Unfit("an ACTIVATE_VERSION has no version")
                return ActivateVersion(_stream(envelope), envelope.version)
            case "BATCH":
                return _batch_files(envelope, number)
            case _:
                return Unknown(envelope.type)

    def _schema(self, envelope: _Envelope, number: int) -> Schema:
        stream = _stream_named(envelope)
        if stream is None:
            raise BrokenSchema(f"line {number}: a SCHEMA names no stream")
        said = (bytes(envelope.schema), envelope.key_properties)
        if stream not in self._streams or said != self._streams[stream].said:
            key = _key(stream, envelope.key_properties, number)
            columns = _columns(stream, envelope.schema, key, number)
            check = None if self._validate is Validate.TYPES else _check(stream, envelope.schema, key, number)
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


# ── what a message says ──────────────────────────────────────────────────────────────────────────

_NO_LOGS = "a tap prints only Singer messages on stdout; its logs belong on stderr"
_BEFORE_SCHEMA = Flaw("the record comes before its SCHEMA", "the Singer specification asks for a SCHEMA first")
_NOT_TEXT = Flaw("the record is not UTF-8")


def _envelope(line: bytes) -> _Envelope:
    """The message of a line that may have to be mended. What is in it stays as it was written: a STATE goes back, and
    of a record the members are mended, once they are apart."""
    try:
        return _ENVELOPES.decode(line)
    except msgspec.DecodeError:
        envelope = read_json(_ENVELOPES, line)
        envelope.value = msgspec.Raw(as_written("value", line))
        envelope.record = msgspec.Raw(as_written("record", line))
        return envelope


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


def _stream_named(envelope: _Envelope) -> str | None:
    stream = envelope.stream
    return stream if isinstance(stream, str) and stream else None


def _stream(envelope: _Envelope) -> str:
    stream = _stream_named(envelope)
    if stream is None:
        raise Unfit(f"a {envelope.type} names no stream")
    return stream


def _flaw_of(version: Any) -> Flaw | None:
    if version is None or (type(version) is int and -(2**63) <= version < 2**63):
        return None
    return Flaw(f"version is {version!r:.40}, not a whole number")


def _columns(stream: str, text: msgspec.Raw, key: Sequence[str], number: int) -> tuple[Column, ...]:
    where = f"line {number}: the SCHEMA of {stream!r}"
    try:
        # Schemas have bounds that no double holds; Python's own reader takes them.
        schema = json.loads(bytes(text) or b"null")
        if not isinstance(schema, Mapping):
            raise BrokenSchema(f"{where} is not an object")
        columns = columns_of(schema, key)
    except (ValueError, RecursionError) as error:
        raise BrokenSchema(f"{where} cannot be read", cause=str(error)) from error
    declared = {column.name for column in columns}
    unknown = [name for name in key if name not in declared]
    if unknown and declared:
        raise BrokenSchema(
            f"line {number}: the key of {stream!r} names {', '.join(unknown)}, which its SCHEMA does not declare",
            data="nothing after the last commit was kept",
        )
    return columns


def _check(stream: str, text: msgspec.Raw, key: Sequence[str], number: int) -> FullCheck:
    try:
        return FullCheck(read_exactly(bytes(text)), key)
    except InvalidSchema as error:
        raise BrokenSchema(f"line {number}: the SCHEMA of {stream!r} is no JSON Schema", cause=str(error)) from error


def _flaws(stream: str, envelopes: Iterable[_Envelope], check: FullCheck) -> dict[int, Flaw]:
    try:
        found = ((index, check.flaw(bytes(envelope.record))) for index, envelope in enumerate(envelopes))
        return {index: flaw for index, flaw in found if flaw}
    except InvalidSchema as error:
        raise BrokenSchema(f"the SCHEMA of {stream!r} cannot be followed", cause=str(error)) from error


def _key(stream: str, said: Any, number: int) -> tuple[str, ...]:
    names = [said] if isinstance(said, str) else [] if said is None else said
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BrokenSchema(f"line {number}: key_properties of {stream!r} are {said!r:.80}, not a list of names")
    return tuple(dict.fromkeys(names))


def _batch_files(envelope: _Envelope, number: int) -> BatchFiles:
    beside = {"format": envelope.format, "compression": envelope.compression}
    encoding = envelope.encoding if isinstance(envelope.encoding, Mapping) else beside
    format = str(encoding.get("format") or "jsonl").lower()
    compression = str(encoding.get("compression") or "none").lower()
    stream, manifest = _stream_named(envelope), envelope.manifest
    if manifest is None and envelope.filepath is not None:
        manifest = [envelope.filepath]
    # How it is compressed a parquet file knows itself.
    if format != "parquet" and (format != "jsonl" or compression not in ("none", "gzip", "gz")):
        flaw = f"is in {format}, compressed with {compression}, which is not understood"
    elif not isinstance(manifest, list) or not all(isinstance(path, str) for path in manifest):
        flaw = "has no manifest"
    elif stream is None:
        flaw = "names no stream"
    elif _flaw_of(envelope.version):
        flaw = f"has the version {envelope.version!r:.40}, which is no whole number"
    else:
        return BatchFiles(stream, format, compression, tuple(manifest), number, envelope.version)
    raise BadBatch(f"line {number}: a BATCH {flaw}", data="nothing after the last commit was kept")
