"""How types and values are written in DuckDB's SQL, which both DuckDB files and parquet folders are made with."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import duckdb
import pyarrow as pa

from orchestrator.load.batch import Batch
from orchestrator.load.commit import Activation
from orchestrator.load.evolution import Landed
from orchestrator.load.table import OUR_COLUMNS, SEQUENCE, TABLE_VERSION
from orchestrator.protocol.arrays import arrow_type
from orchestrator.protocol.schemas import (
    DECIMAL_DIGITS,
    DELETED_AT,
    JSON,
    NOTHING,
    TEXT,
    Column,
    Kind,
    Member,
    Type,
)

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
    if type.kind is Kind.STRUCT:
        return f"STRUCT({', '.join(f'{name(member.name)} {type_name(member.type)}' for member in type.members)})"
    if type.item is not None:
        return f"{type_name(type.item)}[]"
    return _TYPES[type.kind]


def definition(landed: Landed) -> str:
    """The columns of a table as CREATE TABLE wants them: the tap's, then ours."""
    columns = (*landed.columns.values(), *OUR_COLUMNS)
    return ", ".join(f"{name(column.name)} {type_name(column.type)}" for column in columns)


def cast(value: str, old: Type, new: Type) -> str:
    """The expression `value` of type `old` as `new`."""
    return _of_one(value, _cast("x", old, new)) if old.kind is Kind.STRUCT and old != new else _cast(value, old, new)


def _cast(value: str, old: Type, new: Type) -> str:
    if old == new:
        return value
    if old == NOTHING:
        return f"NULL::{type_name(new)}"
    if new == TEXT:
        return _as_text(value, old)
    if new == JSON:
        return f"CAST({_as_json(value, old)} AS JSON)"
    if old.kind is Kind.STRUCT and new.kind is Kind.STRUCT:
        return _as_struct(value, old, new)
    if old.item is not None and new.item is not None:
        return _of_each(value, _cast("x", old.item, new.item))
    if old.kind is Kind.DATE and new.kind is Kind.TIMESTAMP:
        return f"make_timestamptz(epoch_us({value}))"
    if Kind.NUMBER in (old.kind, new.kind):
        # Straight from the double, 5293.0 would gain digits that nobody said; straight to it, DuckDB rounds twice.
        value = f"{value}::VARCHAR"
    return f"TRY_CAST({value} AS {type_name(new)})"


def _as_text(value: str, type: Type) -> str:
    if type.kind is Kind.TIMESTAMP:
        return f"strftime(make_timestamp(epoch_us({value})), '%Y-%m-%dT%H:%M:%S.%fZ')"
    return f"{value}::VARCHAR"


_NO_NUMBERS = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def _as_json(value: str, type: Type) -> str:
    """A value as its JSON text. A member without a value is left out."""
    match type.kind:
        case Kind.NOTHING:
            return "NULL"
        case Kind.BOOLEAN | Kind.INTEGER | Kind.DECIMAL | Kind.JSON:
            return f"{value}::VARCHAR"
        case Kind.NUMBER:
            said = f"{value}::VARCHAR"
            names = " ".join(f"WHEN '{ours}' THEN '\"{theirs}\"'" for ours, theirs in _NO_NUMBERS.items())
            return f"CASE {said} {names} ELSE {said} END"
        case Kind.STRUCT:
            members = ", ".join(_as_json_member(value, member) for member in type.members)
            return f"CASE WHEN {value} IS NOT NULL THEN '{{' || concat_ws(', ', {members}) || '}}' END"
        case Kind.LIST if type.item is not None:
            items = _of_each(value, f"coalesce({_as_json('x', type.item)}, 'null')")
            return f"'[' || array_to_string({items}, ', ') || ']'"
        case _:
            return f"to_json({_as_text(value, type)})::VARCHAR"


def _as_json_member(value: str, member: Member) -> str:
    said = json.dumps(member.said, ensure_ascii=False)
    return f"{text(f'{said}: ')} || {_as_json(_member(value, member), member.type)}"


def _as_struct(value: str, old: Type, new: Type) -> str:
    held = {member.said: member for member in old.members}
    parts = []
    for member in new.members:
        was = held.get(member.said)
        part = _cast(_member(value, was), was.type, member.type) if was else f"NULL::{type_name(member.type)}"
        parts.append(f"{text(member.name)}: {part}")
    return f"CASE WHEN {value} IS NOT NULL THEN {{{', '.join(parts)}}} END"


def _member(value: str, member: Member) -> str:
    # Written with a dot it would be the column of a table that is called like this one.
    return f"struct_extract({value}, {text(member.name)})"


def _of_one(value: str, expression: str) -> str:
    """What `expression` makes of a value `x`. Altering a table, DuckDB reads a column as often as it is named."""
    return f"list_transform([{value}], lambda x: {expression})[1]"


def _of_each(value: str, expression: str) -> str:
    """A list of what `expression` makes of each item `x`."""
    return f"list_transform({value}, lambda x: {expression})"


def changed_by_cast(value: str, old: Type, new: Type) -> str:
    """A condition: `value` is another one once it is a `new` and read back as an `old`."""
    changed = _changed_by_cast("x" if old.is_nested else value, old, new)
    return _of_one(value, changed) if old.is_nested and changed else changed or "false"


def _changed_by_cast(value: str, old: Type, new: Type) -> str:
    """The same; empty where it never is."""
    if old in (NOTHING, new) or new in (TEXT, JSON) or (old.kind is Kind.DATE and new.kind is Kind.TIMESTAMP):
        return ""
    if old.item is not None and new.item is not None:
        changed = _changed_by_cast("x", old.item, new.item)
        return f"list_bool_or({_of_each(value, changed)})" if changed else ""
    if old.kind is Kind.STRUCT:
        types = {member.said: member.type for member in new.members}
        members = (_changed_by_cast(_member(value, each), each.type, types[each.said]) for each in old.members)
        return " OR ".join(filter(None, members))
    back = _cast(_cast(value, old, new), new, old)
    return f"({value} IS NOT NULL AND {back} IS DISTINCT FROM {value})"


def as_landed(batch: Batch, landed: Landed) -> pa.Table:
    """The rows of a batch under the names of their columns in the table; JSON marked as such, so that DuckDB takes
    it without reading it again."""
    labels = [landed.columns[column.name].name for column in batch.table.columns]
    arrays = [
        values.cast(_marked(column.type))
        for column, values in zip((*batch.table.columns, *OUR_COLUMNS), batch.rows.columns, strict=True)
    ]
    return pa.Table.from_arrays(arrays, names=[*labels, *(column.name for column in OUR_COLUMNS)])


def _marked(type: Type) -> pa.DataType:
    """The Arrow type of a column with JSON marked as such, at any depth."""
    if type.item is not None:
        return pa.list_(_marked(type.item))
    if type.kind is Kind.STRUCT:
        return pa.struct([(member.name, _marked(member.type)) for member in type.members])
    return pa.json_(pa.string()) if type == JSON else arrow_type(type)


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


def marks(gone: str, before: Sequence[str], landed: Landed, key: Sequence[str]) -> str:
    """The rows of `gone`, which mark others as deleted. Where one has no value it gets that of the row it marks, the
    last one `before` it: most taps say no more of a deleted row than its key."""
    columns = [name(column.name) for column in landed.columns.values()]
    values = [f"coalesce(mark.{column}, last.{column}) AS {column}" for column in columns]
    ours = [f"mark.{name(column.name)}" for column in OUR_COLUMNS]
    return (
        f"SELECT {', '.join([*values, *ours])} FROM {gone} AS mark LEFT JOIN ("
        f"SELECT * FROM ({' UNION ALL BY NAME '.join(f'FROM {relation}' for relation in before)}) "
        f"WHERE ({names(key)}) IN (SELECT {names(key)} FROM {gone}) {latest_per_key(key)}"
        f") AS last ON {same_key('mark', 'last', key)}"
    )


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
