"""Rows of one stream that travel together: gathered as they come, then turned into one Arrow table."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from orchestrator.load.nesting import unfolded
from orchestrator.load.table import OUR_COLUMNS, Table
from orchestrator.protocol.arrays import INSTANT, scalar
from orchestrator.protocol.dates import settle_dates
from orchestrator.protocol.records import Records, UnfitRows
from orchestrator.protocol.refusals import Flaw, Refusal
from orchestrator.protocol.schemas import DELETED_AT, JSON, TIMESTAMP, Column
from orchestrator.protocol.values import comparable, settle

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one stream. `rows` has the Arrow schema of `table`; a column there is wider than in the
    stream's SCHEMA where its values asked for it."""

    table: Table
    rows: pa.Table


@dataclass(frozen=True, slots=True)
class Moment:
    """When records came, in microseconds since 1970, and the sequence number of each."""

    received: int
    sequences: pa.Array

    def without(self, refused: Collection[int]) -> "Moment":
        """The same but for some records."""
        stays = pa.array([place not in refused for place in range(len(self.sequences))])
        return Moment(self.received, self.sequences.filter(stays))


def batch_of(table: Table, records: Records, moment: Moment, batched: int) -> tuple[Batch, list[Refusal]]:
    """One run of records as a batch, without those that break their SCHEMA or have no key."""
    try:
        settled = _settled(table, records)
    except UnfitRows as unfit:
        batch, refusals = batch_of(table, records.without(unfit.flaws), moment.without(unfit.flaws), batched)
        return batch, [*records.refusals(unfit.flaws), *refusals]
    settled = unfolded(table.columns, settled)
    count = len(records)
    received = scalar(moment.received, INSTANT)
    ours: Mapping[str, pa.Array] = {
        "_sdc_extracted_at": _extracted(records.extracted, count, received),
        "_sdc_received_at": pa.repeat(received, count),
        "_sdc_batched_at": pa.repeat(scalar(batched, INSTANT), count),
        DELETED_AT: _deleted(settled, count, received),
        "_sdc_sequence": moment.sequences,
        "_sdc_table_version": _versions(records.versions, count),
    }
    own = [(column, values) for column, values in settled if column.name != DELETED_AT]
    shaped = Table(table.stream, tuple(column for column, _ in own), table.key, table.generation)
    arrays = [values for _, values in own] + [ours[column.name] for column in OUR_COLUMNS]
    return Batch(shaped, pa.Table.from_arrays(arrays, schema=shaped.arrow_schema())), []


def joined(batches: Iterable[Batch], at_most: int | None = None) -> Iterator[Batch]:
    """The same rows in as few batches as their tables allow, in the same order; of `at_most` so many bytes, where that
    is said and no batch is larger by itself."""
    run: list[Batch] = []
    bytes = 0
    for batch in batches:
        size = batch.rows.nbytes if at_most else 0
        if run and (run[0].table != batch.table or (at_most and bytes + size > at_most)):
            yield Batch(run[0].table, pa.concat_tables([each.rows for each in run]))
            run, bytes = [], 0
        run.append(batch)
        bytes += size
    if run:
        yield Batch(run[0].table, pa.concat_tables([each.rows for each in run]))


def _settled(table: Table, records: Records) -> list[tuple[Column, pa.Array]]:
    """The columns of the tap. Raises UnfitRows."""
    settled = [
        (column, comparable(values) if column.name in table.key and column.type == JSON else values)
        for column, values in records.columns()
    ]
    arrays = {column.name: values for column, values in settled}
    flaws: dict[int, Flaw] = {}
    for name in table.key:
        values = arrays.get(name, pa.nulls(len(records)))
        if values.null_count:
            flaw = Flaw(
                f"a record has no {name}, which is part of the key",
                hint=f"a stream without a usable key can be kept row by row: "
                f"set key = [] under [taps.ID.streams.{table.stream}]",
            )
            flaws |= dict.fromkeys(pc.indices_nonzero(values.is_null()).to_pylist(), flaw)
    if flaws:
        raise UnfitRows(flaws)
    return settled


def _deleted(settled: list[tuple[Column, pa.Array]], count: int, received: pa.Scalar) -> pa.Array:
    """When each record was deleted. That it was is what counts: where no time can be read, it is the one at which the
    record came."""
    texts = next((values for column, values in settled if column.name == DELETED_AT), None)
    if texts is None:
        return pa.nulls(count, received.type)
    times, type = settle_dates(TIMESTAMP, texts)
    if type == TIMESTAMP:
        return times
    alone = {text: settle_dates(TIMESTAMP, pa.array([text])) for text in texts.drop_null().unique().to_pylist()}
    read = {text: times[0] if type == TIMESTAMP else received for text, (times, type) in alone.items()}
    return pa.array(map(read.get, texts.to_pylist()), received.type)


def _extracted(texts: Sequence[str | None] | None, count: int, received: pa.Scalar) -> pa.Array:
    """The records' own time_extracted; the time they came here where they have none, or where one is no instant."""
    if texts is None:
        return pa.repeat(received, count)
    said, type = settle(TIMESTAMP, texts[:1] if _alike(texts) else texts)
    if type != TIMESTAMP:
        return pa.repeat(received, count)
    said = said.fill_null(received)
    return said if len(said) == count else pa.repeat(said[0], count)


def _versions(versions: Sequence[int | None] | None, count: int) -> pa.Array:
    if versions is None:
        return pa.nulls(count, pa.int64())
    return pa.repeat(scalar(versions[0], pa.int64()), count) if _alike(versions) else pa.array(versions, pa.int64())


def _alike(values: Sequence[T]) -> bool:
    return bool(values) and values.count(values[0]) == len(values)
