"""How types and values are written in DuckDB's SQL, which both DuckDB files and parquet folders are made with."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import duckdb
import pyarrow as pa

from orchestrator.load.batch import Batch
from orchestrator.load.commit import Activation
from orchestrator.load.evolution import Landed
from orchestrator.load.table import OUR_COLUMNS, SEQUENCE, TABLE_VERSION
from orchestrator.protocol.schemas import DECIMAL_DIGITS, DELETED_AT, JSON, NOTHING, TEXT, Column, Kind, Type

_TYPES = {
    Kind.NOTHING: "VARCHAR",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.INTEGER: "BIGINT",
    Kind.NUMBER: "DOUBLE",
    Kind.DATE: "DATE",
    Kind.TIME: "TIME",
    Kind.TIMESTAMP: "TIMESTAMP WITH TIME ZONE",
    Kind.TEXT: "VARCHAR",
    Kind.JSON: "JSON",
}


def name(text: str) -> str:
    """An identifier, quoted."""
    return '"' + text.replace('"', '""') + '"'


def names(texts: Iterable[str]) -> str:
    return ", ".join(map(name, texts))


def text(value: str) -> str:
    """A string literal."""
    return "'" + value.replace("'", "''") + "'"


def type_name(type: Type) -> str:
    if type.kind is Kind.DECIMAL:
        return f"DECIMAL({DECIMAL_DIGITS},{type.scale})"
    return _TYPES[type.kind]


def definition(landed: Landed) -> str:
    """The columns of a table as CREATE TABLE wants them: the tap's, then ours."""
    columns = (*landed.columns.values(), *OUR_COLUMNS)
    return ", ".join(f"{name(column.name)} {type_name(column.type)}" for column in columns)


def cast(value: str, old: Type, new: Type) -> str:
    """The expression `value` of type `old` as `new`."""
    if old == new:
        return value
    if old == NOTHING:
        return f"NULL::{type_name(new)}"
    if new == TEXT:
        return _as_text(value, old)
    if new == JSON:
        if old.kind in (Kind.BOOLEAN, Kind.INTEGER, Kind.DECIMAL):
            return f"{value}::VARCHAR::JSON"
        if old.kind is Kind.NUMBER:
            return f"CASE WHEN isfinite({value}) THEN {value}::VARCHAR::JSON ELSE to_json({value}::VARCHAR) END"
        return f"to_json({_as_text(value, old)})"
    if old.kind is Kind.DATE and new.kind is Kind.TIMESTAMP:
        return f"make_timestamptz(epoch_us({value}))"
    if old.kind is Kind.NUMBER and new.kind is Kind.DECIMAL:
        # Straight from the double, 5293.0 would gain digits that nobody said.
        value = f"{value}::VARCHAR"
    return f"TRY_CAST({value} AS {type_name(new)})"


def _as_text(value: str, type: Type) -> str:
    if type.kind is Kind.TIMESTAMP:
        return f"strftime(make_timestamp(epoch_us({value})), '%Y-%m-%dT%H:%M:%S.%fZ')"
    return f"{value}::VARCHAR"


def changed_by_cast(column: str, old: Type, new: Type) -> str:
    """A condition: the value in `column` is another one once it is a `new` and read back as an `old`."""
    if old in (NOTHING, new) or new in (TEXT, JSON) or (old.kind is Kind.DATE and new.kind is Kind.TIMESTAMP):
        return "false"
    back = cast(cast(column, old, new), new, old)
    return f"{column} IS NOT NULL AND {back} IS DISTINCT FROM {column}"


def as_landed(batch: Batch, landed: Landed) -> pa.Table:
    """The rows of a batch under the names of their columns in the table; JSON marked as such, so that DuckDB takes
    it without reading it again."""
    labels = [landed.columns[column.name].name for column in batch.table.columns]
    arrays = [
        _marked_as_json(values) if column.type == JSON else values
        for column, values in zip((*batch.table.columns, *OUR_COLUMNS), batch.rows.columns, strict=True)
    ]
    return pa.Table.from_arrays(arrays, names=[*labels, *(column.name for column in OUR_COLUMNS)])


def _marked_as_json(values: pa.ChunkedArray) -> pa.ChunkedArray:
    type = pa.json_(pa.string())
    return pa.chunked_array([pa.ExtensionArray.from_storage(type, chunk) for chunk in values.chunks], type)


def selection(source: Landed, target: Landed) -> str:
    """The select list that gives the columns of `source` the names and types they have in `target`, and nulls in
    those that it lacks."""
    parts = []
    for said, column in target.columns.items():
        held = source.columns.get(said)
        value = cast(name(held.name), held.type, column.type) if held else f"NULL::{type_name(column.type)}"
        parts.append(f"{value} AS {name(column.name)}")
    return ", ".join([*parts, *(name(column.name) for column in OUR_COLUMNS)])


def latest_per_key(key: Sequence[str]) -> str:
    """A QUALIFY clause that keeps the last row of each key; nothing for a table without one."""
    if not key:
        return ""
    return f"QUALIFY row_number() OVER (PARTITION BY {names(key)} ORDER BY {name(SEQUENCE)} DESC) = 1"


def same_key(one: str, other: str, key: Sequence[str]) -> str:
    return " AND ".join(f"{one}.{name(column)} = {other}.{name(column)}" for column in key)


def between(sequence: int, until: int | None) -> str:
    """A condition: the row came after `sequence`, and no later than `until` (None: whenever)."""
    after = f"{name(SEQUENCE)} > {sequence}"
    return after if until is None else f"{after} AND {name(SEQUENCE)} <= {until}"


def alive(soft_delete: bool) -> str:
    """A condition: the row stays in the table."""
    return "true" if soft_delete else f"{name(DELETED_AT)} IS NULL"


def choose(
    connection: duckdb.DuckDBPyConnection, candidates: Sequence[Type], said: str, sources: Mapping[str, Landed]
) -> Type:
    """The first of `candidates` that changes no value of the property `said` in any of the relations that hold it
    (relation -> its columns). The last candidate is taken unseen."""
    held = [(relation, landed.columns[said]) for relation, landed in sources.items() if said in landed.columns]
    for candidate in candidates[:-1]:
        if not any(_changes(connection, relation, column, candidate) for relation, column in held):
            return candidate
    return candidates[-1]


def _changes(connection: duckdb.DuckDBPyConnection, relation: str, column: Column, new: Type) -> bool:
    condition = changed_by_cast(name(column.name), column.type, new)
    return connection.execute(f"SELECT 1 FROM {relation} WHERE {condition} LIMIT 1").fetchone() is not None


def outdated(activation: Activation) -> str:
    """A condition: the row is of another version than the one that is activated."""
    return f"{name(TABLE_VERSION)} IS DISTINCT FROM {activation.version} AND {name(SEQUENCE)} <= {activation.sequence}"


def moment(at: str) -> str:
    """An RFC 3339 time as a TIMESTAMPTZ literal."""
    return f"make_timestamptz({round(datetime.fromisoformat(at).timestamp() * 1e6)})"
