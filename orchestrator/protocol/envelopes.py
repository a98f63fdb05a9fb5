"""What a line of a tap says, before it is known what it means: a message with its type, and what that type needs."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from orchestrator.errors import BadBatch, BrokenSchema
from orchestrator.protocol.lines import as_written, read_json
from orchestrator.protocol.messages import BatchFiles
from orchestrator.protocol.refusals import Flaw, Unfit
from orchestrator.protocol.schemas import Column, columns_of
from orchestrator.protocol.validation import FullCheck, InvalidSchema, read_exactly


class Envelope(msgspec.Struct, gc=False):
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


ENVELOPES = msgspec.json.Decoder(Envelope)


def envelope_of(line: bytes) -> Envelope:
    """The message of a line that may have to be mended. What is in it stays as it was written: a STATE goes back, and
    of a record the members are mended, once they are apart. Raises one of UNREADABLE."""
    try:
        return ENVELOPES.decode(line)
    except msgspec.DecodeError:
        envelope = read_json(ENVELOPES, line)
        envelope.value = msgspec.Raw(as_written("value", line))
        envelope.record = msgspec.Raw(as_written("record", line))
        return envelope


def stream_named(envelope: Envelope) -> str | None:
    """The stream that a message names, if it names one."""
    stream = envelope.stream
    return stream if isinstance(stream, str) and stream else None


def stream_of(envelope: Envelope) -> str:
    """The stream that a message names. Raises Unfit."""
    stream = stream_named(envelope)
    if stream is None:
        raise Unfit(f"a {envelope.type} names no stream")
    return stream


def flaw_of_version(version: Any) -> Flaw | None:
    """What is wrong with the version of a record or table: it is a whole number of 64 bits, or there is none."""
    if version is None or (type(version) is int and -(2**63) <= version < 2**63):
        return None
    return Flaw(f"version is {version!r:.40}, not a whole number")


def columns_said(stream: str, text: msgspec.Raw, key: Sequence[str], number: int) -> tuple[Column, ...]:
    """The columns of the schema in the SCHEMA of line `number`. Raises BrokenSchema."""
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


def check_of(stream: str, text: msgspec.Raw, key: Sequence[str], number: int) -> FullCheck:
    """What holds records against all of the same schema. Raises BrokenSchema."""
    try:
        return FullCheck(read_exactly(bytes(text)), key)
    except InvalidSchema as error:
        raise BrokenSchema(f"line {number}: the SCHEMA of {stream!r} is no JSON Schema", cause=str(error)) from error


def key_said(stream: str, said: Any, number: int) -> tuple[str, ...]:
    """The key that the SCHEMA of line `number` gives a stream; one name may stand alone. Raises BrokenSchema."""
    names = [said] if isinstance(said, str) else [] if said is None else said
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BrokenSchema(f"line {number}: key_properties of {stream!r} are {said!r:.80}, not a list of names")
    return tuple(dict.fromkeys(names))


def batch_files(envelope: Envelope, number: int) -> BatchFiles:
    """The BATCH of line `number`, as the Singer SDK or PipelineWise writes it. Raises BadBatch."""
    beside = {"format": envelope.format, "compression": envelope.compression}
    encoding = envelope.encoding if isinstance(envelope.encoding, Mapping) else beside
    format = str(encoding.get("format") or "jsonl").lower()
    compression = str(encoding.get("compression") or "none").lower()
    stream, manifest = stream_named(envelope), envelope.manifest
    if manifest is None and envelope.filepath is not None:
        manifest = [envelope.filepath]
    # How it is compressed a parquet file knows itself.
    if format != "parquet" and (format != "jsonl" or compression not in ("none", "gzip", "gz")):
        flaw = f"is in {format}, compressed with {compression}, which is not understood"
    elif not isinstance(manifest, list) or not all(isinstance(path, str) for path in manifest):
        flaw = "has no manifest"
    elif stream is None:
        flaw = "names no stream"
    elif flaw_of_version(envelope.version):
        flaw = f"has the version {envelope.version!r:.40}, which is no whole number"
    else:
        return BatchFiles(stream, format, compression, tuple(manifest), number, envelope.version)
    raise BadBatch(f"line {number}: a BATCH {flaw}", data="nothing after the last commit was kept")
