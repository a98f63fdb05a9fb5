"""What a stream looks like where it lands: its columns, ours beside them, and how its rows settle."""

from dataclasses import dataclass

import pyarrow as pa

from orchestrator.config import WHOLE, Mode, Nesting
from orchestrator.load.nesting import landing_columns
from orchestrator.protocol.arrays import arrow_type
from orchestrator.protocol.messages import Schema
from orchestrator.protocol.schemas import DELETED_AT, INTEGER, TIMESTAMP, Column

SEQUENCE = "_sdc_sequence"
"""Grows with every row of a flow, within and across runs: it orders rows of one key, and tells the rows of later
commits from those of earlier ones."""
TABLE_VERSION = "_sdc_table_version"
EXTRACTED_AT = "_sdc_extracted_at"

# The names are those of Stitch and the Meltano Singer SDK.
OUR_COLUMNS = (
    Column(EXTRACTED_AT, TIMESTAMP),
    Column("_sdc_received_at", TIMESTAMP),
    Column("_sdc_batched_at", TIMESTAMP),
    Column(DELETED_AT, TIMESTAMP),
    Column(SEQUENCE, INTEGER),
    Column(TABLE_VERSION, INTEGER),
)
OUR_NAMES = frozenset(column.name for column in OUR_COLUMNS)


@dataclass(frozen=True, slots=True)
class Table:
    """One stream as a table.

    `columns` are the tap's, by the names it gives them; OUR_COLUMNS stand beside them in every table. `key` is
    empty for a table that keeps every row. `generation` is None for rows that join what is there, or the number of
    the run whose rows are gathered unseen until a commit publishes them in place of the old ones.
    """

    stream: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    generation: int | None = None

    def arrow_schema(self) -> pa.Schema:
        """The Arrow schema of a batch for this table: the tap's columns, then ours."""
        return pa.schema([(column.name, arrow_type(column.type)) for column in (*self.columns, *OUR_COLUMNS)])


def settled(mode: Mode, key: tuple[str, ...], replication: str | None) -> Mode:
    """What `auto` means for a stream: upsert with a key; without one replace for full table, append for the rest."""
    if mode is Mode.UPSERT and not key:
        return Mode.APPEND
    if mode is not Mode.AUTO:
        return mode
    if key:
        return Mode.UPSERT
    return Mode.REPLACE if replication == "full_table" else Mode.APPEND


def table_for(
    schema: Schema, mode: Mode, *, key: tuple[str, ...], generation: int | None, nesting: Nesting = WHOLE
) -> Table:
    """The table of a stream whose mode is settled. Appending keeps every row, so it has no key."""
    key = () if mode is Mode.APPEND else key
    columns = (column for column in schema.columns if column.name != DELETED_AT)
    return Table(schema.stream, landing_columns(columns, nesting, key), key, generation)
