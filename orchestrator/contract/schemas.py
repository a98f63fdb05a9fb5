"""What a tap says about its rows, and whether they are so."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft7Validator, validators
from jsonschema.exceptions import SchemaError, best_match

from orchestrator.contract.evidence import Asked, Evidence, Message, Sync
from orchestrator.contract.point import NotTried, point, shortened


def _announcements(evidence: Evidence) -> list[Message]:
    found = [message for sync in evidence.syncs for message in sync.of("SCHEMA")]
    if not found:
        raise NotTried("it announced no stream")
    return found


def _properties(message: Message) -> Mapping[str, Any]:
    schema = message.get("schema")
    properties = schema.get("properties") if isinstance(schema, dict) else None
    return properties if isinstance(properties, dict) else {}


def _rows_with_schema(sync: Sync) -> Iterator[tuple[Message, Message]]:
    """Each RECORD with the SCHEMA that it came under."""
    announced: dict[Any, Message] = {}
    for message in sync.messages:
        if message["type"] == "SCHEMA":
            announced[message.get("stream")] = message
        elif message["type"] == "RECORD" and message.get("stream") in announced:
            yield message, announced[message.get("stream")]


# Taps write the digits of a decimal as multipleOf, and no double is a multiple of 1e-10.
_Lenient = validators.extend(Draft7Validator, {"multipleOf": lambda *asked: ()})  # type: ignore[no-untyped-call]


def _needs_rows(evidence: Evidence) -> None:
    if not any(evidence.first.of("RECORD")):
        raise NotTried("the source has no rows")


@point(
    "schema.valid",
    "sends schemas that are JSON schemas",
    means="what a schema does not say rightly nobody can follow",
    mend="hold it against jsonschema.Draft7Validator.check_schema",
)
def valid(evidence: Evidence) -> str | None:
    for message in _announcements(evidence):
        try:
            Draft7Validator.check_schema(message.get("schema") or {})
        except SchemaError as error:
            return f"that of {message.get('stream')}: {shortened(error.message)}"
    return None


@point(
    "schema.key",
    "declares the columns of its keys",
    means="rows cannot be matched by a column that nobody knows, and the run ends",
    mend="name key_properties as the schema does",
)
def key(evidence: Evidence) -> str | None:
    for message in _announcements(evidence):
        for name in message.get("key_properties") or ():
            if _properties(message) and name not in _properties(message):
                return f"stream {message.get('stream')} does not declare {name}"
    return None


@point(
    "schema.catalog",
    "sends the columns that its catalog offers",
    means="a column that nobody was shown cannot be left out; one that was chosen is missed",
    mend="make catalog and SCHEMA of the same schema",
)
def as_offered(evidence: Evidence) -> str | None:
    if not evidence.has_catalog:
        raise NotTried("it takes no catalog")
    for stream in evidence.asked:
        for message in evidence.first.of("SCHEMA", stream):
            sent = _properties(message).keys()
            # The columns of log-based replication, and those of the libraries, are of no table.
            unknown = {name for name in sent - stream.columns if not name.startswith("_sdc_")}
            missing = (stream.taken & stream.columns) - sent
            if sent and stream.columns and (unknown or missing):
                found = [f"{name} was not offered" for name in sorted(unknown)]
                return f"{stream.id}: {', '.join([*found, *(f'{name} is missing' for name in sorted(missing))][:3])}"
    return None


@point(
    "schema.rows-fit",
    "sends rows that fit their schema",
    means="a value of another type widens its column, or ends the run",
    mend="convert values before they are sent, or declare what comes: types that may be null say so",
)
def rows_fit(evidence: Evidence) -> str | None:
    _needs_rows(evidence)
    known: dict[int, Any] = {}
    for record, said in _rows_with_schema(evidence.first):
        schema = said.get("schema")
        if id(said) not in known:
            known[id(said)] = _Lenient(schema if isinstance(schema, dict) else {})
        try:
            error = best_match(known[id(said)].iter_errors(record["record"]))
        except Exception as broken:
            raise NotTried(f"the schema of {record.get('stream')} cannot be followed: {broken}") from broken
        if error is not None:
            where = ".".join(map(str, error.absolute_path))
            return f"{record.get('stream')}{'.' if where else ''}{where}: {shortened(error.message)}"
    return None


@point(
    "schema.declared",
    "declares every column that it sends",
    means="a column that no schema declares lands as JSON, and nobody could choose it",
    mend="add it to the schema, or leave it out of the record",
)
def declared(evidence: Evidence) -> str | None:
    _needs_rows(evidence)
    for record, said in _rows_with_schema(evidence.first):
        undeclared = record["record"].keys() - _properties(said).keys()
        if undeclared:
            return f"{record.get('stream')} sends {', '.join(sorted(undeclared))}"
    return None


@point(
    "schema.has-key",
    "sends a key, and no null in it, with every row",
    means="a row without its key cannot be matched, and ends the run",
    mend="choose columns that every row has, or no key at all: then every row is kept",
)
def has_key(evidence: Evidence) -> str | None:
    _needs_rows(evidence)
    for record, said in _rows_with_schema(evidence.first):
        for name in said.get("key_properties") or ():
            if record["record"].get(name) is None:
                return f"a row of {record.get('stream')} has no {name}"
    return None


@point(
    "schema.tells-apart",
    "has keys that tell rows apart",
    means="of two rows with one key the later one stays, and the other is lost",
    mend="add the column that tells them apart, such as the id of the parent",
)
def tells_apart(evidence: Evidence) -> str | None:
    _needs_rows(evidence)
    for stream in evidence.asked:
        # A row that changed may come again, with the same key, where the stream is read by its changes.
        if stream.key and stream.method == "full_table" and (found := _twice(evidence.first, stream)):
            return f"two rows of {stream.id} have {found}"
    return None


def _twice(sync: Sync, stream: Asked) -> str | None:
    seen: dict[str, str] = {}
    for row in sync.rows(stream):
        key = json.dumps([row.get(name) for name in stream.key], default=str)
        row_text = json.dumps(row, sort_keys=True, default=str)
        if seen.setdefault(key, row_text) != row_text:
            return ", ".join(f"{name} {row.get(name)!r}" for name in stream.key)
    return None
