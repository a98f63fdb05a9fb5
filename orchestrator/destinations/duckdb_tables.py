"""The tables of one flow in a DuckDB file, while a commit is written into them.

Every change of a table's shape comes before the first row of the transaction: DuckDB refuses to commit the other order.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter

import duckdb
import msgspec

from orchestrator.destinations import sql
from orchestrator.load.batch import Batch, joined
from orchestrator.load.commit import BYTES_GATHERED, Activation, Commit, Rewind
from orchestrator.load.evolution import Landed, grow
from orchestrator.load.naming import name_for
from orchestrator.load.quarantine import QUARANTINE
from orchestrator.load.table import SEQUENCE, Table
from orchestrator.protocol.schemas import DELETED_AT, Column, Type

OURS = "_orchestrator"

# What DuckDB may hold of a commit; the rest waits in a file beside ours. Of each column it holds some blocks.
_MEGABYTES = 64
_MEGABYTES_A_COLUMN = 1


@dataclass(frozen=True, slots=True)
class _Place:
    """A table of ours in the file. `generation` is None for the one that readers see."""

    schema: str
    landed: Landed
    generation: int | None

    @property
    def relation(self) -> str:
        return f"{sql.name(self.schema)}.{sql.name(self.landed.name)}"


class Tables:
    """One commit being written: first the shape of every table, then the rows, then what the commit asks beside.
    `settled` is called whenever a batch is in its table."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, commit: Commit, schema: str, settled: Callable[[], None]
    ) -> None:
        self._connection = connection
        self._run = connection.execute
        self._commit = commit
        self._schema = schema
        self._settled = settled
        self._labels = 0

    def settle(self, batches: Iterable[Batch], *, frugal: bool) -> None:
        """Takes the rows in and does what the commit asks beside. `frugal` lets DuckDB hold little of it in memory."""
        refused: list[Batch] = []
        arriving: dict[tuple[str, int | None], list[Batch]] = {}
        for batch in batches:
            if batch.table == QUARANTINE:
                refused.append(batch)
            else:
                arriving.setdefault((batch.table.stream, batch.table.generation), []).append(batch)
        moves = [self._prepare(stream, generation, together) for (stream, generation), together in arriving.items()]
        waiting = {(place.landed.stream, place.generation): sources for place, _, sources in moves}
        published = [self._prepare_publishing(*each, waiting.get(each, [])) for each in self._commit.publish.items()]
        if frugal:
            columns = max((len(place.landed.columns) for place, _, _ in moves), default=0)
            self._run(f"SET memory_limit = '{_MEGABYTES + _MEGABYTES_A_COLUMN * columns}MB'")
        if self._commit.rewind is not None:
            self._rewind(self._commit.rewind)
        for place, before, sources in moves:
            for key, wave in groupby(sources, key=attrgetter("key")):
                if not set(key) <= place.landed.columns.keys():
                    # A SCHEMA may name a key without declaring it; then the column comes with the first row.
                    continue
                if key not in ((), before):
                    self._rekey(place, key)
                before = key
                self._bring(list(wave), place)
        for batch in refused:
            self._connection.register("refused", batch.rows)
            self._run(f"INSERT INTO {OURS}.quarantine BY NAME FROM refused")
        for activation in self._commit.activations:
            self._activate(activation)
        for shadow, live in published:
            self._publish(shadow, live)

    # ── shape ──

    def _prepare(
        self, stream: str, generation: int | None, batches: list[Batch]
    ) -> tuple[_Place, tuple[str, ...], list[Landed]]:
        """Makes a table fit for the batches that go to it. Gives it, the key it had, and each batch as a relation."""
        if generation is not None:
            self._forget_generations(stream, but=generation)
        held = self._find(stream, generation)
        place = held or self._reserve(stream, generation)
        landed = place.landed
        sources: list[Landed] = []
        for batch in joined(batches, BYTES_GATHERED):
            names, _ = grow(landed, batch.table)
            label = f"batch_{self._labels}"
            self._labels += 1
            self._connection.register(label, sql.as_landed(batch, names))
            columns = {each.name: Column(names.columns[each.name].name, each.type) for each in batch.table.columns}
            sources.append(Landed(stream, label, batch.table.key, columns))
            landed = self._grown(landed, batch.table, held, sources)
        return self._reshape(held, replace(place, landed=landed)), place.landed.key, sources

    def _prepare_publishing(self, stream: str, generation: int, waiting: list[Landed]) -> tuple[_Place, _Place]:
        """Makes the table that readers see fit for a generation, and for its batches that are not in it yet."""
        shadow = self._find(stream, generation) or self._reshape(None, self._reserve(stream, generation))
        held = self._find(stream, None)
        live = held or self._reserve(stream, None)
        columns = tuple(Column(said, column.type) for said, column in shadow.landed.columns.items())
        table = Table(stream, columns, shadow.landed.key)
        landed = self._grown(live.landed, table, held, [replace(shadow.landed, name=shadow.relation), *waiting])
        return shadow, self._reshape(held, replace(live, landed=landed))

    def _grown(self, landed: Landed, table: Table, held: _Place | None, sources: list[Landed]) -> Landed:
        """The table once rows of `table` fit into it, and keep their values: those of `sources` (relations, named as
        they are read) and those that are `held` are looked at."""
        grown, growth = grow(landed, table)
        relations = {held.relation: held.landed} if held else {}
        relations |= {source.name: source for source in sources}
        columns = dict(grown.columns)
        for widening in growth.widened:
            chosen = sql.choose(self._connection, widening.candidates, widening.said, relations)
            columns[widening.said] = Column(widening.name, chosen)
        return replace(grown, columns=columns)

    def _reshape(self, held: _Place | None, place: _Place) -> _Place:
        """Gives the table in the file the columns of `place`; makes it where none was held."""
        if held is None:
            self._run(f"CREATE TABLE {place.relation} ({sql.definition(place.landed)})")
            return self._note(place)
        if held == place:
            return place
        for said, column in place.landed.columns.items():
            before = held.landed.columns.get(said)
            name, type = sql.name(column.name), sql.type_name(column.type)
            if before is None:
                self._run(f"ALTER TABLE {place.relation} ADD COLUMN {name} {type}")
            elif before.type != column.type:
                value = sql.cast(name, before.type, column.type)
                self._run(f"ALTER TABLE {place.relation} ALTER COLUMN {name} SET DATA TYPE {type} USING {value}")
        return self._note(place)

    def _find(self, stream: str, generation: int | None) -> _Place | None:
        row = self._run(
            f"SELECT schema_name, table_name, key, columns FROM {OURS}.tables "
            "WHERE flow = ? AND stream = ? AND generation IS NOT DISTINCT FROM ?",
            [self._commit.flow, stream, generation],
        ).fetchone()
        if row is None:
            return None
        schema, table, key, said = row
        columns = {each: Column(name, Type.parse(type)) for each, (name, type) in msgspec.json.decode(said).items()}
        place = _Place(schema, Landed(stream, table, tuple(msgspec.json.decode(key)), columns), generation)
        # Somebody may have dropped the table by hand: then it starts anew.
        self._run(f"CREATE SCHEMA IF NOT EXISTS {sql.name(schema)}")
        self._run(f"CREATE TABLE IF NOT EXISTS {place.relation} ({sql.definition(place.landed)})")
        return place

    def _reserve(self, stream: str, generation: int | None) -> _Place:
        """A name for a table that is yet to be made."""
        schema = self._schema if generation is None else OURS
        said = stream if generation is None else f"{self._commit.flow}_{stream}_{generation}"
        self._run(f"CREATE SCHEMA IF NOT EXISTS {sql.name(schema)}")
        taken = self._run(
            "SELECT table_name FROM information_schema.tables "
            "WHERE table_catalog = current_catalog() AND lower(table_schema) = lower(?)",
            [schema],
        ).fetchall()
        return _Place(schema, Landed(stream, name_for(said, [table for (table,) in taken])), generation)

    def _note(self, place: _Place) -> _Place:
        self._forget(place.landed.stream, place.generation)
        columns = {said: [column.name, str(column.type)] for said, column in place.landed.columns.items()}
        self._run(
            f"INSERT INTO {OURS}.tables VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                self._commit.flow,
                place.landed.stream,
                place.generation,
                place.schema,
                place.landed.name,
                msgspec.json.encode(place.landed.key).decode(),
                msgspec.json.encode(columns).decode(),
            ],
        )
        return place

    def _forget(self, stream: str, generation: int | None) -> None:
        self._run(
            f"DELETE FROM {OURS}.tables WHERE flow = ? AND stream = ? AND generation IS NOT DISTINCT FROM ?",
            [self._commit.flow, stream, generation],
        )

    def _forget_generations(self, stream: str, *, but: int) -> None:
        """Drops what an earlier run gathered and never published."""
        rows = self._run(
            f"SELECT generation FROM {OURS}.tables WHERE flow = ? AND stream = ? AND generation <> ?",
            [self._commit.flow, stream, but],
        ).fetchall()
        for (generation,) in rows:
            if place := self._find(stream, generation):
                self._run(f"DROP TABLE {place.relation}")
                self._forget(stream, generation)

    # ── rows ──

    def _bring(self, sources: list[Landed], place: _Place) -> None:
        """Rows that are keyed alike into their table. Of the rows of one key the last stays, and it takes the place
        of the one that the table held."""
        stays = sql.alive(self._commit.soft_delete)
        selects = [f"SELECT {sql.selection(source, place.landed)} FROM {sql.name(source.name)}" for source in sources]
        if sources[0].key and self._commit.soft_delete:
            selects = self._with_marks(selects, sources[0].key, place)
        if sources[0].key and self._make_way(sources, place):
            stays += f" AND {sql.name(SEQUENCE)} IN (SELECT {sql.name(SEQUENCE)} FROM temp.arriving)"
        for select in selects:
            self._run(f"INSERT INTO {place.relation} BY NAME SELECT * FROM ({select}) WHERE {stays}")
            self._settled()

    def _with_marks(self, selects: list[str], said: tuple[str, ...], place: _Place) -> list[str]:
        """The same rows in one more select: those that mark a row as deleted, with its values."""
        key = [place.landed.columns[each].name for each in said]
        arriving, alive = f"({' UNION ALL '.join(selects)})", sql.alive(soft_delete=False)
        self._run(f"CREATE OR REPLACE TEMP TABLE gone AS FROM {arriving} WHERE NOT ({alive})")
        before = (place.relation, f"{arriving} WHERE {alive}")
        # A join hands its keys down to Arrow, which knows no JSON.
        self._run("SET disabled_optimizers = 'join_filter_pushdown'")
        self._run(f"CREATE OR REPLACE TEMP TABLE marks AS {sql.marks('temp.gone', before, place.landed, key)}")
        self._run("RESET disabled_optimizers")
        return [*(f"SELECT * FROM ({select}) WHERE {alive}" for select in selects), "FROM temp.marks"]

    def _make_way(self, sources: list[Landed], place: _Place) -> bool:
        """Deletes the rows that have a key of the `sources`. Tells whether some of these have a key in common; only
        those that the table `arriving` lists by sequence are to come then."""
        keys = replace(place.landed, columns={said: place.landed.columns[said] for said in sources[0].key})
        key = [column.name for column in keys.columns.values()]
        arriving = " UNION ALL ".join(
            f"SELECT {sql.selection(source, keys)} FROM {sql.name(source.name)}" for source in sources
        )
        self._run(
            f"CREATE OR REPLACE TEMP TABLE arriving AS SELECT {sql.names(key)}, max({sql.name(SEQUENCE)}) "
            f"AS {sql.name(SEQUENCE)} FROM ({arriving}) GROUP BY {sql.names(key)}"
        )
        self._run(
            f"DELETE FROM {place.relation} AS held USING temp.arriving WHERE {sql.same_key('held', 'arriving', key)}"
        )
        (unique,) = self._run(
            f"SELECT (SELECT count(*) FROM temp.arriving) = (SELECT count(*) FROM ({arriving}))"
        ).fetchall()[0]
        return not unique

    def _rekey(self, place: _Place, said: tuple[str, ...]) -> None:
        """Keeps the last row of each key, for a table that had another key or none before."""
        key = tuple(place.landed.columns[each].name for each in said)
        known = " AND ".join(f"{sql.name(column)} IS NOT NULL" for column in key)
        self._run(
            f"DELETE FROM {place.relation} WHERE {known} AND {sql.name(SEQUENCE)} NOT IN "
            f"(SELECT {sql.name(SEQUENCE)} FROM {place.relation} WHERE {known} {sql.latest_per_key(key)})"
        )

    def _rewind(self, rewind: Rewind) -> None:
        streams = self._run(
            f"SELECT stream FROM {OURS}.tables WHERE flow = ? AND generation IS NULL", [self._commit.flow]
        ).fetchall()
        again = sql.between(rewind.sequence, rewind.until)
        for place in (self._find(stream, None) for (stream,) in streams):
            if place is not None and not place.landed.key:
                self._run(f"DELETE FROM {place.relation} WHERE {again}")
        self._run(f"DELETE FROM {OURS}.quarantine WHERE flow = ? AND {again}", [self._commit.flow])

    def _activate(self, activation: Activation) -> None:
        """The rows of other versions go, from the new generation where one is being gathered."""
        stream = activation.stream
        place = self._find(stream, self._commit.gathering.get(stream, self._commit.publish.get(stream)))
        if place is None:
            return
        old = sql.outdated(activation)
        if self._commit.soft_delete:
            self._run(
                f"UPDATE {place.relation} SET {sql.name(DELETED_AT)} = {sql.moment(self._commit.at)} "
                f"WHERE {old} AND {sql.name(DELETED_AT)} IS NULL"
            )
        else:
            self._run(f"DELETE FROM {place.relation} WHERE {old}")

    def _publish(self, shadow: _Place, live: _Place) -> None:
        self._run(f"DELETE FROM {live.relation}")
        self._run(
            f"INSERT INTO {live.relation} BY NAME "
            f"SELECT {sql.selection(shadow.landed, live.landed)} FROM {shadow.relation}"
        )
        self._run(f"DROP TABLE {shadow.relation}")
        self._forget(shadow.landed.stream, shadow.generation)
