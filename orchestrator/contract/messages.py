"""What a tap prints: Singer messages, those that were asked for, in an order that can be followed."""

from orchestrator.contract.evidence import Evidence
from orchestrator.contract.point import NotTried, heard_out, point, shortened


@point(
    "messages.ends-well",
    "ends with exit code 0 when all is read",
    means="any other exit code is a failed run",
    mend="see what it said last on stderr: orchestrator check TAP tries its settings",
)
def ends_well(evidence: Evidence) -> str | None:
    first = evidence.first
    if first.cut:
        raise NotTried(f"{first.cut}; --records 0 and more --seconds hear more of it")
    return f"it ended with exit code {first.exit_code}: {shortened(first.last_words)}" if first.exit_code else None


@point(
    "messages.only",
    "prints nothing but Singer messages",
    means="a line that is no message ends the run: nobody can tell what it was to be",
    mend="print logs on stderr; write NaN and Infinity as null, which JSON has no other words for",
)
def only(evidence: Evidence) -> str | None:
    for sync in evidence.syncs:
        if sync.foreign:
            return f"it printed {shortened(sync.foreign[0])!r}"
        if sync.torn and not sync.cut and sync.leave is None:
            return f"its last line has no end: {shortened(sync.torn)!r}"
    return None


@point(
    "messages.schema-first",
    "sends the SCHEMA of a stream before its records",
    means="a record cannot be read by who does not know its columns, and the run ends",
    mend="write the schema before the first record: singer.write_schema; the Singer SDK does it by itself",
)
def schema_first(evidence: Evidence) -> str | None:
    if not evidence.first.messages:
        raise NotTried("it said nothing")
    for sync in evidence.syncs:
        announced = set()
        for message in sync.messages:
            if message["type"] == "SCHEMA":
                announced.add(message.get("stream"))
            elif message["type"] == "RECORD" and message.get("stream") not in announced:
                return f"a record of {message.get('stream')} came before its SCHEMA"
    return None


@point(
    "messages.announced",
    "sends a SCHEMA for each stream that is selected, rows or not",
    means="a run in which a selected stream is missing has failed: it cannot be told from a wrong selection",
    mend="write the SCHEMA before the source is asked; for a stream read for the rows of another, name that one in the "
    "metadata: parent-tap-stream-id",
)
def announced(evidence: Evidence) -> str | None:
    first = heard_out(evidence.first)
    if not evidence.has_catalog:
        raise NotTried("it takes no catalog")
    missing = [stream.id for stream in evidence.asked if stream.selected and not any(first.of("SCHEMA", stream))]
    return f"there was none for {', '.join(missing)}" if missing else None


@point(
    "messages.asked-for",
    "sends no stream that is not selected",
    means="what was left out on purpose lands all the same",
    mend="read the catalog that it is started with: metadata of the breadcrumb [], selected",
)
def asked_for(evidence: Evidence) -> str | None:
    if not evidence.has_catalog:
        raise NotTried("it takes no catalog")
    narrowed = evidence.narrowed
    selected = frozenset[str]().union(*(stream.aliases for stream in evidence.asked if stream.selected))
    unasked = evidence.first.streams - selected
    if narrowed:
        unasked |= narrowed.sync.streams - narrowed.stream.aliases
    elif not unasked and all(stream.selected for stream in evidence.asked):
        raise NotTried("all of its streams are selected, and the sync did not come to its end")
    return f"it sent {', '.join(sorted(unasked))}" if unasked else None


@point(
    "messages.columns",
    "sends no column that is not selected",
    means="what was left out on purpose, such as a secret, lands all the same",
    mend="take the columns out of record and schema by the metadata of the catalog: singer.Transformer does, and the "
    "Singer SDK",
)
def columns(evidence: Evidence) -> str | None:
    narrowed = evidence.narrowed
    if narrowed is None or narrowed.without is None:
        raise NotTried("there is no stream with rows and a column that can be left out")
    if not narrowed.sync.rows(narrowed.stream):
        raise NotTried(f"nothing came of {narrowed.stream.id}")
    if any(narrowed.without in row for row in narrowed.sync.rows(narrowed.stream)):
        return f"{narrowed.stream.id}.{narrowed.without} came"
    return None
