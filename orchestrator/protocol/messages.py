"""Blocks of bytes in, Singer messages out: records in runs of one stream, everything else one by one.

A block that holds records of one stream, and STATEs, is read in one call. Any other block is first read as envelopes
whose records stay bytes, and only one that is refused whole is looked at line by line.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import msgspec

from orchestrator.errors import BadRecord, BrokenMessage, BrokenSchema
from orchestrator.protocol.lines import UNREADABLE, as_written, decoded_lines, is_text, read_json, whole_lines
from orchestrator.protocol.records import Fields, Records, Shape, StateMessage, known
from orchestrator.protocol.schemas import Column, columns_of


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
    """BATCH: records in files, named by URL or path. `format` is jsonl or parquet, `compression` gzip or none."""

    stream: str
    format: str
    compression: str
    manifest: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Unknown:
    """A message of a type we do not know; later dialects of Singer add some, and old readers skip them."""

    type: str


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing came for a moment. A chance to settle what is due."""


Message = Schema | Records | State | ActivateVersion | BatchFiles | Unknown | Silence
OpenBatch = Callable[[BatchFiles], Iterable[bytes]]
"""Gives the records of a batch's files in order, as blocks of JSON lines. Raises BadBatch."""


def read_messages(blocks: Iterable[bytes], open_batch: OpenBatch) -> Iterator[Message]:
    """The messages in `blocks`, the records of a BATCH in its place. An empty block is a Silence.

    A line ends at LF only. Raises BrokenMessage, BrokenSchema, BadRecord or BadBatch, with the line, once all
    messages before it were given.
    """
    reader = _Reader()
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


_ENVELOPES = msgspec.json.Decoder(_Envelope)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_FEW = 500
"""So many records are read member by member when one of them does not fit."""


@dataclass(frozen=True, slots=True)
class _Stream:
    """What the SCHEMA of a stream said, and what follows from it."""

    said: tuple[bytes, Any]
    key: tuple[str, ...]
    shape: Shape


class _Reader:
    """Reads the messages of one tap run, block by block. What it remembers are the schemas."""

    def __init__(self) -> None:
        self._lines = 0
        self._streams: dict[str, _Stream] = {}
        self._likely: str | None = None

    def read(self, lines: bytes) -> Iterator[Message]:
        """The messages in whole lines."""
        count = lines.count(b"\n")
        numbers = range(self._lines + 1, self._lines + count + 1)
        self._lines += count
        if numbers.start == 1:
            lines = lines.removeprefix(_BYTE_ORDER_MARK)
        readable = is_text(lines)
        # The decoders see values between white space, and no lines: one in each line is as many of one as of the other.
        if readable and self._likely is not None:
            fields, messages = self._streams[self._likely].shape.messages(lines)
            if len(messages) == count:
                yield from self._typed(self._likely, fields, messages, numbers, len(lines))
                return
        envelopes = decoded_lines(_ENVELOPES, lines) if readable else []
        if len(envelopes) == count:
            yield from self._sort(envelopes, numbers)
        else:
            yield from self._read_singly(lines, numbers)

    def _typed(self, stream: str, fields: Fields, messages: list[Any], numbers: range, size: int) -> Iterator[Message]:
        start = 0
        for kind, run in groupby(messages, type):
            together = list(run)
            end = start + len(together)
            if kind is StateMessage:
                yield from (State(bytes(message.value)) for message in together)
            else:
                yield Records(
                    stream,
                    fields,
                    [message.record for message in together],
                    numbers[start:end],
                    known([message.version for message in together]),
                    known([message.time_extracted for message in together]),
                    size * len(together) // len(messages),
                )
            start = end

    def _read_singly(self, lines: bytes, numbers: range) -> Iterator[Message]:
        envelopes: list[_Envelope] = []
        filled: list[int] = []
        for number, line in zip(numbers, lines.split(b"\n"), strict=False):
            if not line.strip():
                continue
            try:
                str(line, "utf-8")
                envelopes.append(_envelope(line))
            except UNREADABLE as error:
                yield from self._sort(envelopes, filled)
                raise BrokenMessage(
                    f"line {number} is not a Singer message: {line[:80]!r}{'…' if len(line) > 80 else ''}",
                    cause=str(error),
                    data="nothing after the last commit was kept",
                    hint="a tap prints only Singer messages on stdout; its logs belong on stderr",
                ) from error
            filled.append(number)
        yield from self._sort(envelopes, filled)

    def _sort(self, envelopes: Iterable[_Envelope], numbers: Iterable[int]) -> Iterator[Message]:
        """Records gathered by stream; any other message first lets go what was gathered before it."""
        gathered: defaultdict[str, tuple[list[_Envelope], list[int]]] = defaultdict(lambda: ([], []))
        for envelope, number in zip(envelopes, numbers, strict=True):
            type = envelope.type.upper()
            if type == "RECORD":
                records, lines = gathered[_stream(envelope, number)]
                records.append(envelope)
                lines.append(number)
            else:
                yield from self._release(gathered)
                yield self._other(type, envelope, number)
        yield from self._release(gathered)

    def _release(self, gathered: dict[str, tuple[list[_Envelope], list[int]]]) -> Iterator[Records]:
        for stream, (envelopes, numbers) in gathered.items():
            if stream not in self._streams:
                raise _before_schema(stream, numbers[0])
            self._likely = stream
            yield from self._records(stream, envelopes, numbers)
        gathered.clear()

    def _records(self, stream: str, envelopes: Sequence[_Envelope], numbers: Sequence[int]) -> Iterator[Records]:
        """Records of one stream. Where they do not fit as one, they are halved until few are read member by member;
        undeclared members give the stream a column."""
        shape = self._streams[stream].shape
        texts = [envelope.record for envelope in envelopes]
        fields, rows = shape.records(texts)
        if not rows and len(texts) > _FEW:
            half = len(texts) // 2
            yield from self._records(stream, envelopes[:half], numbers[:half])
            yield from self._records(stream, envelopes[half:], numbers[half:])
            return
        if not rows:
            rows = [_members(shape, text, number) for text, number in zip(texts, numbers, strict=True)]
            if undeclared := shape.undeclared(rows):
                shape = shape.with_members(undeclared)
                self._streams[stream] = replace(self._streams[stream], shape=shape)
            fields = shape.by_member
        yield Records(
            stream,
            fields,
            rows,
            numbers,
            _versions(envelopes, numbers),
            known([each if isinstance(each := envelope.time_extracted, str) else None for envelope in envelopes]),
            sum(map(len, texts)),
        )

    def batch(self, message: BatchFiles, blocks: Iterable[bytes]) -> Iterator[Records]:
        """The records of a BATCH, given as blocks of JSON lines. All of them bear the line of the message."""
        if message.stream not in self._streams:
            raise _before_schema(message.stream, message.line)
        for lines in whole_lines(blocks):
            if not is_text(lines):
                raise BadRecord(
                    f"{message.stream}, line {message.line}: a file of the batch is not UTF-8",
                    data="nothing after the last commit was kept",
                )
            records = [_Envelope("RECORD", record=msgspec.Raw(line)) for line in lines.split(b"\n") if line.strip()]
            if records:
                yield from self._records(message.stream, records, [message.line] * len(records))

    def _other(self, type: str, envelope: _Envelope, number: int) -> Message:
        match type:
            case "SCHEMA":
                return self._schema(envelope, number)
            case "STATE":
                if not bytes(envelope.value):
                    raise _broken(number, "a STATE has no value")
                return State(bytes(envelope.value))
            case "ACTIVATE_VERSION":
                version = _version(envelope, number)
                if version is None:
                    raise _broken(number, "an ACTIVATE_VERSION has no version")
                return ActivateVersion(_stream(envelope, number), version)
            case "BATCH":
                return _batch_files(envelope, number)
            case _:
                return Unknown(envelope.type)

    def _schema(self, envelope: _Envelope, number: int) -> Schema:
        stream = _stream(envelope, number)
        said = (bytes(envelope.schema), envelope.key_properties)
        if stream not in self._streams or said != self._streams[stream].said:
            key = _key(stream, envelope.key_properties, number)
            columns = _columns(stream, envelope.schema, key, number)
            self._streams[stream] = _Stream(said, key, Shape(stream, columns))
        self._likely = stream
        held = self._streams[stream]
        return Schema(stream, held.shape.columns, held.key, number)


# ── what a message says ──────────────────────────────────────────────────────────────────────────


def _envelope(line: bytes) -> _Envelope:
    """The message of a line that may have to be mended; not so the value of a STATE, which goes back as it came."""
    envelope = read_json(_ENVELOPES, line)
    if envelope.type.upper() == "STATE":
        envelope.value = msgspec.Raw(as_written("value", line))
    return envelope


def _members(shape: Shape, record: msgspec.Raw, number: int) -> dict[str, msgspec.Raw]:
    try:
        return shape.members(record)
    except UNREADABLE as error:
        raise BadRecord(
            f"{shape.stream}, line {number}: the record is not an object",
            cause=str(error),
            data="nothing after the last commit was kept",
        ) from error


def _stream(envelope: _Envelope, number: int) -> str:
    stream = envelope.stream
    if isinstance(stream, str) and stream:
        return stream
    raise _broken(number, f"a {envelope.type} names no stream")


def _version(envelope: _Envelope, number: int) -> int | None:
    version = envelope.version
    if version is None or (type(version) is int and -(2**63) <= version < 2**63):
        return version
    raise _broken(number, f"version is {version!r:.40}, not a whole number")


def _versions(envelopes: Sequence[_Envelope], numbers: Sequence[int]) -> Sequence[int | None] | None:
    if known([envelope.version for envelope in envelopes]) is None:
        return None
    return [_version(envelope, number) for envelope, number in zip(envelopes, numbers, strict=True)]


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


def _key(stream: str, said: Any, number: int) -> tuple[str, ...]:
    names = [said] if isinstance(said, str) else [] if said is None else said
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BrokenSchema(f"line {number}: key_properties of {stream!r} are {said!r:.80}, not a list of names")
    return tuple(dict.fromkeys(names))


def _batch_files(envelope: _Envelope, number: int) -> BatchFiles:
    encoding = envelope.encoding if isinstance(envelope.encoding, Mapping) else {}
    format = str(encoding.get("format") or "jsonl").lower()
    compression = str(encoding.get("compression") or "none").lower()
    if format not in ("jsonl", "parquet") or compression not in ("none", "gzip", "gz"):
        raise _broken(number, f"a BATCH in {format}, compressed with {compression}, which is not understood")
    manifest = envelope.manifest
    if not isinstance(manifest, list) or not all(isinstance(path, str) for path in manifest):
        raise _broken(number, "a BATCH has no manifest")
    return BatchFiles(_stream(envelope, number), format, compression, tuple(manifest), number)


def _before_schema(stream: str, number: int) -> BadRecord:
    return BadRecord(
        f"line {number}: a record of {stream!r} comes before its SCHEMA",
        cause="the Singer specification asks for a SCHEMA first",
        data="nothing after the last commit was kept",
    )


def _broken(number: int, what: str) -> BrokenMessage:
    return BrokenMessage(f"line {number}: {what}", data="nothing after the last commit was kept")
