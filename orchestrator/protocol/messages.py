"""Blocks of bytes in, Singer messages out: records in runs of one stream, everything else one by one.

Lines end at LF only. A whole block of one stream's records is read in one call; a mixed block is first cut into
envelopes whose records stay bytes, and only a line that JSON itself refuses is looked at by hand.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from orchestrator.errors import BadRecord, BrokenMessage, BrokenSchema
from orchestrator.protocol.records import Members, Records, Shape
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

    Raises BrokenMessage, BrokenSchema, BadRecord or BadBatch once all messages before the bad line were given.
    """
    reader = MessageReader()
    for block in blocks:
        for message in reader.feed(block):
            if isinstance(message, BatchFiles):
                yield from reader.batch(message, open_batch(message))
            else:
                yield message
    yield from reader.end()


class _Envelope(msgspec.Struct, gc=False):
    type: str
    stream: str | None = None
    record: msgspec.Raw = msgspec.Raw()
    value: msgspec.Raw = msgspec.Raw()
    schema: msgspec.Raw = msgspec.Raw()
    key_properties: msgspec.Raw = msgspec.Raw()
    version: msgspec.Raw = msgspec.Raw()
    time_extracted: msgspec.Raw = msgspec.Raw()
    encoding: msgspec.Raw = msgspec.Raw()
    manifest: msgspec.Raw = msgspec.Raw()


_ENVELOPES = msgspec.json.Decoder(_Envelope)
_MEMBERS = msgspec.json.Decoder(Members)


class MessageReader:
    """Reads the messages of one tap run. Feed it blocks as they come, then `end` it."""

    def __init__(self) -> None:
        self._torn: list[bytes] = []
        self._line = 0
        self._schemas: dict[str, tuple[bytes, bytes]] = {}
        self._shapes: dict[str, Shape] = {}
        self._keys: dict[str, tuple[str, ...]] = {}
        self._likely: Shape | None = None

    def feed(self, block: bytes) -> Iterator[Message]:
        """The messages whose lines end in `block`. An empty block is a Silence.

        Raises BrokenMessage, BrokenSchema or BadRecord, with the line, once all before it was given.
        """
        if not block:
            yield Silence()
            return
        cut = block.rfind(b"\n") + 1
        if cut:
            lines = b"".join((*self._torn, block[:cut])) if self._torn else block[:cut]
            self._torn = [block[cut:]] if cut < len(block) else []
            yield from self._read(lines)
        else:
            self._torn.append(block)

    def end(self) -> Iterator[Message]:
        """The message in a last line that has no end of line, if it is whole. Raises BrokenMessage if it is not."""
        last, self._torn = b"".join(self._torn), []
        if last.strip():
            yield from self._read(last + b"\n")

    def _read(self, lines: bytes) -> Iterator[Message]:
        first, count = self._line + 1, lines.count(b"\n")
        if first == 1:
            lines = lines.removeprefix(b"\xef\xbb\xbf")
        self._line += count
        for part, start in _parts(lines, first):
            yield from self._read_part(part, start)

    def _read_part(self, lines: bytes, first: int) -> Iterator[Message]:
        if self._likely is not None and (messages := self._likely.messages(lines)):
            yield Records(
                self._likely,
                [message.record for message in messages],
                None,
                _line_numbers(lines, first, len(messages)),
                _known([message.version for message in messages]),
                _known([message.time_extracted for message in messages]),
            )
            return
        try:
            envelopes = _ENVELOPES.decode_lines(lines)
        except (msgspec.DecodeError, UnicodeDecodeError):
            yield from self._read_singly(lines, first)
        else:
            yield from self._sort(envelopes, _line_numbers(lines, first, len(envelopes)))

    def _read_singly(self, lines: bytes, first: int) -> Iterator[Message]:
        envelopes: list[_Envelope] = []
        numbers: list[int] = []
        for number, line in enumerate(lines.split(b"\n"), first):
            if not line.strip():
                continue
            try:
                envelopes.append(_envelope(line))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                yield from self._sort(envelopes, numbers)
                raise BrokenMessage(
                    f"line {number} is not a Singer message: {line[:80]!r}{'…' if len(line) > 80 else ''}",
                    cause=str(error),
                    data="nothing after the last commit was kept",
                    hint="a tap prints only Singer messages on stdout; its logs belong on stderr",
                ) from error
            numbers.append(number)
        yield from self._sort(envelopes, numbers)

    def _sort(self, envelopes: Iterable[_Envelope], numbers: Sequence[int]) -> Iterator[Message]:
        """Records gathered by stream; any other message first lets go what was gathered before it."""
        gathered: dict[str, list[tuple[_Envelope, int]]] = {}
        for envelope, number in zip(envelopes, numbers, strict=True):
            type = envelope.type.upper()
            if type == "RECORD":
                gathered.setdefault(_stream(envelope, number), []).append((envelope, number))
            else:
                yield from self._release(gathered)
                yield self._other(type, envelope, number)
        yield from self._release(gathered)

    def _release(self, gathered: dict[str, list[tuple[_Envelope, int]]]) -> Iterator[Records]:
        for stream, records in gathered.items():
            numbers = [number for _, number in records]
            shape = self._shapes.get(stream)
            if shape is None:
                raise _before_schema(stream, numbers[0])
            yield self._records(
                shape,
                [envelope.record for envelope, _ in records],
                numbers,
                _known([_integer(envelope.version, number) for envelope, number in records]),
                _known([_text(envelope.time_extracted) for envelope, _ in records]),
            )
        if len(gathered) == 1:
            self._likely = self._shapes[next(iter(gathered))]
        gathered.clear()

    def _records(
        self,
        shape: Shape,
        records: Sequence[msgspec.Raw],
        numbers: Sequence[int],
        versions: Sequence[int | None] | None = None,
        extracted: Sequence[str | None] | None = None,
    ) -> Records:
        """Records of one stream that came as JSON texts; undeclared members give the stream a column."""
        if (rows := shape.records(records)) is not None and len(rows) == len(records):
            return Records(shape, rows, None, numbers, versions, extracted)
        members = [_members(record, shape.stream, number) for record, number in zip(records, numbers, strict=True)]
        undeclared = dict.fromkeys(name for record in members for name in record if name not in shape.names)
        if undeclared:
            shape = self._shapes[shape.stream] = shape.with_members(undeclared)
        return Records(shape, None, members, numbers, versions, extracted)

    def batch(self, message: BatchFiles, blocks: Iterable[bytes]) -> Iterator[Records]:
        """The records of a BATCH, given as blocks of JSON lines. All of them bear the line of the message."""
        if message.stream not in self._shapes:
            raise _before_schema(message.stream, message.line)
        torn = b""
        for block in blocks:
            lines, newline, torn = (torn + block).rpartition(b"\n")
            yield from self._batch_records(message, lines + newline)
        yield from self._batch_records(message, torn)

    def _batch_records(self, message: BatchFiles, lines: bytes) -> Iterator[Records]:
        try:
            records = [msgspec.Raw(line) for line in lines.split(b"\n") if line.strip()]
            if records:
                yield self._records(self._shapes[message.stream], records, [message.line] * len(records))
        except msgspec.DecodeError as error:
            raise BadRecord(
                f"{message.stream}, line {message.line}: a file of the batch holds a line that is no record",
                cause=str(error),
                data="nothing of the batch was kept",
            ) from error

    def _other(self, type: str, envelope: _Envelope, number: int) -> Message:
        match type:
            case "SCHEMA":
                return self._schema(envelope, number)
            case "STATE":
                if not bytes(envelope.value):
                    raise _broken(number, "a STATE has no value")
                return State(bytes(envelope.value))
            case "ACTIVATE_VERSION":
                version = _integer(envelope.version, number)
                if version is None:
                    raise _broken(number, "an ACTIVATE_VERSION has no version")
                return ActivateVersion(_stream(envelope, number), version)
            case "BATCH":
                return _batch_files(envelope, number)
            case _:
                return Unknown(envelope.type)

    def _schema(self, envelope: _Envelope, number: int) -> Schema:
        stream = _stream(envelope, number)
        said = (bytes(envelope.schema), bytes(envelope.key_properties))
        if said != self._schemas.get(stream):
            schema = _decoded(envelope.schema)
            if not isinstance(schema, Mapping):
                raise BrokenSchema(f"line {number}: the SCHEMA of {stream!r} is not an object")
            columns = columns_of(schema)
            self._keys[stream] = _key(stream, _decoded(envelope.key_properties), columns, number)
            self._shapes[stream] = Shape(stream, columns)
            self._schemas[stream] = said
            self._likely = self._shapes[stream]
        return Schema(stream, self._shapes[stream].columns, self._keys[stream], number)


# ── lines ────────────────────────────────────────────────────────────────────────────────────────

_CONTROL = re.compile(rb'"(?:STATE|SCHEMA|ACTIVATE_VERSION|BATCH)"')
_RECORDS_WORTH_A_CUT = 20


def _parts(lines: bytes, first: int) -> Iterator[tuple[bytes, int]]:
    """Cuts lines where another message may stand between records, so that the records read in one call.

    What looks like a message may be text in a record: a cut too many costs time, never sense. Where such lines
    stand close together cutting costs more than it saves, and the lines stay one part.
    """
    controls = [found.start() for found in _CONTROL.finditer(lines)]
    if len(controls) * _RECORDS_WORTH_A_CUT > lines.count(b"\n"):
        yield lines, first
        return
    start = 0
    for control in controls:
        begin = lines.rfind(b"\n", start, control) + 1 or start
        end = lines.index(b"\n", control) + 1
        for part in (lines[start:begin], lines[begin:end]):
            if part and start < end:
                yield part, first
                first += part.count(b"\n")
        start = max(start, end)
    if start < len(lines):
        yield lines[start:], first


def _line_numbers(lines: bytes, first: int, count: int) -> Sequence[int]:
    if lines.count(b"\n") == count:
        return range(first, first + count)
    return [number for number, line in enumerate(lines.split(b"\n"), first) if line.strip()]


def _envelope(line: bytes) -> _Envelope:
    try:
        return _ENVELOPES.decode(line)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        mended = mend(line)
        if mended == line:
            raise
        return _ENVELOPES.decode(mended)


_STRING_OR_CONSTANT = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b', re.DOTALL)
_ESCAPE = re.compile(rb"\\(?:u([dD][89abAB]..)\\u([dD][c-fC-F]..)|u([dD][89a-fA-F]..)|.)", re.DOTALL)


def mend(line: bytes) -> bytes:
    """JSON that Python writes and the standard does not know, as JSON that keeps it.

    NaN, Infinity and -Infinity become strings of that name (a number column reads them back as numbers); half of
    a surrogate pair stands for no character and stays as the six characters of its escape, `\\ud800`.
    """
    return _STRING_OR_CONSTANT.sub(
        lambda found: _ESCAPE.sub(_mend_escape, found[0]) if found[0][:1] == b'"' else b'"' + found[0] + b'"', line
    )


def _mend_escape(escape: re.Match[bytes]) -> bytes:
    return b"\\" + escape[0] if escape[3] else escape[0]


# ── members ──────────────────────────────────────────────────────────────────────────────────────


def _members(record: msgspec.Raw, stream: str, number: int) -> Members:
    try:
        return _MEMBERS.decode(record)
    except msgspec.DecodeError as error:
        raise BadRecord(f"{stream}, line {number}: the record is not an object", cause=str(error)) from error


def _stream(envelope: _Envelope, number: int) -> str:
    if not envelope.stream:
        raise _broken(number, f"a {envelope.type} names no stream")
    return envelope.stream


def _decoded(raw: msgspec.Raw) -> Any:
    return msgspec.json.decode(raw) if bytes(raw) else None


def _text(raw: msgspec.Raw) -> str | None:
    value = _decoded(raw)
    return value if isinstance(value, str) else None


def _integer(raw: msgspec.Raw, number: int) -> int | None:
    value = _decoded(raw)
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63):
        return value
    raise _broken(number, f"version is {value!r:.40}, not a whole number")


def _known(values: list[Any]) -> list[Any] | None:
    return None if all(value is None for value in values) else values


def _key(stream: str, said: Any, columns: Sequence[Column], number: int) -> tuple[str, ...]:
    names = [said] if isinstance(said, str) else said or []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BrokenSchema(f"line {number}: key_properties of {stream!r} are {said!r:.80}, not a list of names")
    declared = {column.name for column in columns}
    unknown = [name for name in names if name not in declared]
    if unknown and declared:
        raise BrokenSchema(
            f"line {number}: the key of {stream!r} names {', '.join(unknown)}, which its SCHEMA does not declare",
            data="nothing after the last commit was kept",
        )
    return tuple(dict.fromkeys(names))


def _batch_files(envelope: _Envelope, number: int) -> BatchFiles:
    encoding, manifest = _decoded(envelope.encoding), _decoded(envelope.manifest)
    encoding = encoding if isinstance(encoding, Mapping) else {}
    format = str(encoding.get("format") or "jsonl").lower()
    compression = str(encoding.get("compression") or "none").lower()
    if format not in ("jsonl", "parquet") or compression not in ("none", "gzip", "gz"):
        raise _broken(number, f"a BATCH in {format}, compressed with {compression}, which is not understood")
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
