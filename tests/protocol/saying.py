"""What a tap prints, and what was understood of it."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from orchestrator.errors import OrchestratorError
from orchestrator.protocol.messages import BatchFiles, Message, OpenBatch, Silence
from orchestrator.protocol.reading import read_messages
from orchestrator.protocol.records import Records, UnfitRows
from orchestrator.protocol.refusals import Refusal

Saying = dict[str, Any]


def schema(stream: str, /, key: Any = (), **properties: Any) -> Saying:
    """A SCHEMA. A property is a JSON schema, or the name or names of its types."""
    described = {name: said if isinstance(said, dict) else {"type": said} for name, said in properties.items()}
    key = list(key) if isinstance(key, tuple) else key
    return {"type": "SCHEMA", "stream": stream, "schema": {"properties": described}, "key_properties": key}


def record(stream: str, /, **values: Any) -> Saying:
    return {"type": "RECORD", "stream": stream, "record": values}


def state(value: Any) -> Saying:
    return {"type": "STATE", "value": value}


def activate(stream: str, version: Any) -> Saying:
    return {"type": "ACTIVATE_VERSION", "stream": stream, "version": version}


def text_of(*sayings: Saying | str) -> bytes:
    """One line for each; a text is a line as it stands."""
    lines = (said if isinstance(said, str) else json.dumps(said) for said in sayings)
    return b"".join(line.encode() + b"\n" for line in lines)


def no_files(message: BatchFiles) -> Iterable[bytes]:
    raise AssertionError("no BATCH was said")


def strictly(blocks: Iterable[bytes], open_batch: OpenBatch = no_files) -> Iterator[Message]:
    """The messages in `blocks`; what cannot land raises its error."""
    for message in read_messages(blocks, open_batch):
        if isinstance(message, Refusal):
            raise message.error()
        if isinstance(message, Records):
            try:
                message.columns()
            except UnfitRows as unfit:
                raise message.refusals(unfit.flaws)[0].error() from unfit
        yield message


def heard(*sayings: Saying | str) -> list[Message]:
    """The messages in what a tap said."""
    return list(strictly([text_of(*sayings)]))


def understood(blocks: Iterable[bytes]) -> list[Any]:
    """The messages in blocks, in a form that does not depend on how the blocks were cut.

    A record is (stream, line, values, version, time_extracted), without members that are null. Records that came
    between two other messages stand by stream.
    """
    found: list[Any] = []
    records: list[tuple[Any, ...]] = []
    for message in strictly(blocks):
        if isinstance(message, Records):
            records += rows_of(message)
        elif not isinstance(message, Silence):
            found += [*sorted(records, key=lambda each: each[:2]), message]
            records = []
    return [*found, *sorted(records, key=lambda each: each[:2])]


def rows_of(records: Records) -> Iterator[tuple[Any, ...]]:
    columns = [(column.name, array.to_pylist()) for column, array in records.columns()]
    nothing = [None] * len(records)
    for place, (line, version, extracted) in enumerate(
        zip(records.numbers, records.versions or nothing, records.extracted or nothing, strict=True)
    ):
        values = {name: values[place] for name, values in columns if values[place] is not None}
        yield records.stream, line, values, version, extracted


def settled(property: Any, *values: str) -> tuple[str, list[Any]]:
    """The type and the values of a column, whose property and values (JSON texts) a tap says like this."""
    said = [f'{{"type": "RECORD", "stream": "s", "record": {{"x": {value}}}}}' for value in values]
    (records,) = (message for message in heard(schema("s", x=property), *said) if isinstance(message, Records))
    ((column, array),) = records.columns()
    return str(column.type), array.to_pylist()


def heard_until(error: type[OrchestratorError], *sayings: Saying | str) -> tuple[list[Message], str]:
    """The messages before an error, and what the error says."""
    messages: list[Message] = []
    try:
        for message in strictly([text_of(*sayings)]):
            messages.append(message)
    except error as raised:
        return messages, str(raised)
    raise AssertionError(f"there was no {error.__name__}")
