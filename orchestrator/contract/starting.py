"""How a tap is asked: its options, its settings, and what it offers."""

from orchestrator.contract.evidence import Evidence
from orchestrator.contract.point import NotTried, point
from orchestrator.protocol.schemas import JSON, columns_of


@point(
    "start.options",
    "names --config, --discover, --catalog and --state in its --help",
    means="who runs it hands over only what it names: without a catalog nothing can be selected, without a state each "
    "run begins at the beginning",
    mend="take the command line of a library: Tap.cli of singer-sdk, singer.utils.parse_args of singer-python",
)
def options(evidence: Evidence) -> str | None:
    missing = [f"--{option}" for option in ("config", "discover", "state") if option not in evidence.takes]
    missing += [] if evidence.takes & {"catalog", "properties"} else ["--catalog"]
    return f"it does not name {', '.join(missing)}" if missing else None


@point(
    "start.settings",
    "ends with an error when its settings are missing",
    means="a run without settings looks like one of an empty source",
    mend="declare what is required: required=True in config_jsonschema, REQUIRED_CONFIG_KEYS for singer-python",
)
def settings(evidence: Evidence) -> str | None:
    if evidence.bare is None:
        raise NotTried("it is told no setting, and needs none")
    if evidence.bare.exit_code:
        return None
    return "with an empty config it ended with exit code 0"


@point(
    "discovery.catalog",
    "prints its catalog, and nothing else, when it is asked to --discover",
    means="without a catalog nothing can be selected, and nobody sees what changes at the source",
    mend="print the catalog on stdout and logs on stderr, and end with exit code 0",
)
def catalog(evidence: Evidence) -> str | None:
    if evidence.discovery is None:
        raise NotTried("it has no --discover")
    return evidence.discovery.problem


def _offered(evidence: Evidence) -> None:
    if evidence.discovery is None or evidence.discovery.problem:
        raise NotTried("it printed no catalog")


@point(
    "discovery.same",
    "offers the same when it is asked twice",
    means="each discovery would tell of changes that there are not",
    mend="take types from what the source declares, not from the rows that happen to come first; sort where needed",
)
def same(evidence: Evidence) -> str | None:
    _offered(evidence)
    assert evidence.discovery is not None
    return "; ".join(evidence.discovery.drift[:3]) or None


@point(
    "discovery.keys",
    "offers only keys that are columns",
    means="rows of a stream whose key is missing cannot be matched, and are refused",
    mend="name the key as the schema does: primary_keys, or table-key-properties in the metadata",
)
def keys(evidence: Evidence) -> str | None:
    _offered(evidence)
    for stream in evidence.asked:
        for name in (*stream.key, *([stream.cursor] if stream.cursor else [])):
            if stream.columns and name not in stream.columns:
                return f'stream {stream.id} has no column "{name}"'
    return None


@point(
    "discovery.types",
    "tells the types of its columns",
    means="a column without a type lands as JSON",
    mend='give each property a type: {"type": ["null", "string"]}, with a format for dates',
)
def types(evidence: Evidence) -> str | None:
    _offered(evidence)
    for stream in evidence.asked:
        try:
            columns = columns_of(stream.schema, stream.key)
        except ValueError as error:
            return f"the schema of {stream.id} cannot be read: {error}"
        if not columns:
            return f"stream {stream.id} has no columns"
        declared = stream.schema.get("properties")
        open_columns = [
            column.name
            for column in columns
            if column.type == JSON and isinstance(declared, dict) and declared.get(column.name) in ({}, True)
        ]
        if open_columns:
            return f"nothing is said about {stream.id}.{open_columns[0]}"
    return None
