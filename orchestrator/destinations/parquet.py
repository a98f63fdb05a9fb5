"""A folder of parquet files. New files are made aside; renaming the numbered manifest into place is the commit."""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby
from pathlib import Path
from types import TracebackType
from typing import Self

from orchestrator.aside import Aside, sweep
from orchestrator.destinations import sql
from orchestrator.destinations.contract import check_counts, check_number
from orchestrator.destinations.disk import UNWRITTEN, refusals
from orchestrator.destinations.manifest import OURS, Holding, Manifest, Memory
from orchestrator.destinations.parts import Arrival, Arrivals, Part, Rewriter, is_small, relation
from orchestrator.durable import Held, lock
from orchestrator.errors import DestinationBusy
from orchestrator.events import Listener, Waiting, nobody
from orchestrator.failpoints import Step, doing
from orchestrator.load.batch import Batch
from orchestrator.load.commit import Activation, Commit, Rewind
from orchestrator.load.evolution import Landed, grow
from orchestrator.load.table import SEQUENCE, Table
from orchestrator.protocol.schemas import DELETED_AT, Column

PATIENCE = 600.0
"""Seconds that a commit waits for another flow that commits to the same folder."""
SMALL_FILES = 100
"""A table that has more small files than this gets them joined."""


class Parquet:
    """A folder of parquet tables as the destination of one flow. Other flows may have tables in it too."""

    def __init__(self, root: Path, *, patience: float = PATIENCE, listen: Listener = nobody) -> None:
        self._root = root
        self._patience = patience
        self._listen = listen
        self._processes = root / OURS / ".processes"
        self._aside = Aside(self._processes)
        self._arrivals = Arrivals(self._aside)

    def last_commit(self, flow: str) -> Commit | None:
        if not (self._root / OURS).is_dir():
            return None
        with doing(Step.RECOVER), self._alone():
            sweep(self._processes)
            manifest = Memory(self._root, flow).recover(self._listen)
        return manifest.commit if manifest else None

    def stage(self, batch: Batch) -> None:
        with self._failures(UNWRITTEN):
            self._arrivals.add(batch)

    def commit(self, commit: Commit) -> None:
        check_counts(commit, self._arrivals.rows())
        memory = Memory(self._root, commit.flow)
        with self._alone():
            with self._failures(UNWRITTEN):
                held = memory.recover()
                check_number(commit, held.commit if held else None, self._root.name)
                with contextlib.closing(Rewriter(self._aside)) as rewriter:
                    tables = _Tables(commit, held.holdings if held else (), rewriter, memory)
                    manifest = memory.write(Manifest(commit, tables.settle(self._arrivals.all())))
            with self._failures("the commit holds; the next run shows what is missing of it"):
                memory.show(manifest.holdings)
        self.close()

    def close(self) -> None:
        self._arrivals.clear()
        self._aside.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        with (
            self._failures("nothing was written"),
            between_commits(self._root, patience=self._patience, listen=self._listen),
        ):
            yield

    def _failures(self, data: str) -> contextlib.AbstractContextManager[None]:
        """Turns what the disk and DuckDB refuse into a DestinationError; `data` tells what became of the rows."""
        return refusals(self._root, f"{self._root} cannot be used", data=data)


@contextlib.contextmanager
def between_commits(root: Path, *, patience: float = PATIENCE, listen: Listener = nobody) -> Iterator[None]:
    """Waits up to `patience` seconds until nobody commits to the folder, and holds it while the block runs.

    Raises DestinationBusy.
    """
    path, note = root / OURS / ".lock", f"pid {os.getpid()}"
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(lock(path, note=note))
        except Held as held:
            listen(Waiting(f"{root.name} is in use by another process ({held.note})"))
            try:
                stack.enter_context(lock(path, note=note, wait=patience))
            except Held as still:
                raise DestinationBusy(
                    f"{root.name} is in use by another process ({still.note})",
                    cause=f"it has committed there for more than {patience:.0f} s",
                    data=UNWRITTEN,
                    hint="wait until it is done, then run again",
                ) from still
        yield


_Place = tuple[str, int | None]
"""A stream, and its generation while that is gathered."""


@dataclass(frozen=True, slots=True)
class _Wave:
    """Files with new rows of one key; the table must be keyed anew before they come where `rekeys` says so."""

    key: tuple[str, ...]
    rekeys: bool
    parts: tuple[Part, ...]


class _Tables:
    """The tables of a flow while a commit makes the next ones out of them; files that need no change stay."""

    def __init__(self, commit: Commit, holdings: Sequence[Holding], rewriter: Rewriter, memory: Memory) -> None:
        self._commit = commit
        self._rewriter = rewriter
        self._memory = memory
        self._before = {(holding.landed.stream, holding.generation): holding for holding in holdings}
        self._now = dict(self._before)

    def settle(self, arrivals: list[Arrival]) -> tuple[Holding, ...]:
        """Takes the rows in and does what the commit asks beside. Gives the tables as they are afterwards."""
        together: dict[_Place, list[Arrival]] = {}
        for arrival in arrivals:
            together.setdefault((arrival.table.stream, arrival.table.generation), []).append(arrival)
        moves = [(place, self._prepare(place, arriving)) for place, arriving in together.items()]
        if self._commit.rewind is not None:
            self._rewind(self._commit.rewind)
        for place, waves in moves:
            for wave in waves:
                self._bring(place, wave)
        for activation in self._commit.activations:
            self._activate(activation)
        for stream, generation in self._commit.publish.items():
            self._publish(stream, generation)
        return tuple(held if held == self._before.get(place) else self._tidy(held) for place, held in self._now.items())

    # ── shape ──

    def _prepare(self, place: _Place, arrivals: list[Arrival]) -> list[_Wave]:
        """Gives a table the columns that its new rows ask for, and the rows the columns of the table."""
        stream, generation = place
        if generation is not None:
            self._forget_generations(stream, but=generation)
        held = self._now.get(place) or self._new(place)
        landed, sources = held.landed, {held.parts: held.landed}
        for arrival in arrivals:
            sources[arrival.parts] = arrival.landed
            landed = self._grown(landed, arrival.table, sources)
        self._now[place] = Holding(landed, generation, self._rewriter.fitted(held.parts, held.landed, landed))
        waves = []
        before = held.landed.key
        for key, alike in groupby(arrivals, key=lambda arrival: arrival.table.key):
            fitted = [self._rewriter.fitted(arrival.parts, arrival.landed, landed) for arrival in alike]
            waves.append(_Wave(key, key not in ((), before), tuple(chain.from_iterable(fitted))))
            before = key
        return waves

    def _grown(self, landed: Landed, table: Table, sources: Mapping[tuple[Part, ...], Landed]) -> Landed:
        """The table once rows of `table` fit into it, and keep their values: those of `sources` are looked at."""
        grown, growth = grow(landed, table)
        relations = {relation(parts): shape for parts, shape in sources.items() if parts}
        columns = dict(grown.columns)
        for widening in growth.widened:
            chosen = sql.choose(self._rewriter.connection, widening.candidates, widening.said, relations)
            columns[widening.said] = Column(widening.name, chosen)
        return replace(grown, columns=columns)

    def _new(self, place: _Place) -> Holding:
        stream, generation = place
        name = self._memory.table_name(stream, self._now.values()) if generation is None else ""
        return Holding(Landed(stream, name), generation)

    def _forget_generations(self, stream: str, *, but: int) -> None:
        """Drops what an earlier run gathered and never published."""
        for place in [place for place in self._now if place[0] == stream and place[1] not in (None, but)]:
            del self._now[place]

    # ── rows ──

    def _bring(self, place: _Place, wave: _Wave) -> None:
        """New rows into their table. Of the rows of one key the last stays, and it takes the place of the one that
        the table held."""
        held = self._now[place]
        if not set(wave.key) <= held.landed.columns.keys():
            # A SCHEMA may name a key without declaring it; then the column comes with the first row.
            return
        key = tuple(held.landed.columns[said].name for said in wave.key)
        if wave.rekeys:
            held = replace(held, parts=self._one_per_key(held.parts, key))
        arriving = wave.parts
        if key and arriving and self._commit.soft_delete:
            arriving = self._rewriter.with_marks(arriving, held.parts, held.landed, key)
        if key and arriving:
            keys = self._rewriter.keep_latest(arriving, key)
            # Of all ways to say it, DuckDB reads the fewest pages for this one.
            again = f"({sql.names(key)}) IN (SELECT {sql.names(key)} FROM latest)"
            held = replace(held, parts=self._rewriter.without(held.parts, again))
            if keys < sum(part.rows for part in arriving):
                overtaken = f"{sql.name(SEQUENCE)} NOT IN (SELECT last FROM latest)"
                arriving = self._rewriter.without(arriving, overtaken)
        arriving = self._rewriter.without(arriving, f"NOT ({sql.alive(self._commit.soft_delete)})")
        self._now[place] = replace(held, parts=(*held.parts, *arriving))

    def _one_per_key(self, parts: tuple[Part, ...], key: tuple[str, ...]) -> tuple[Part, ...]:
        """The last row of each key, for a table that had another key or none before."""
        if not parts:
            return ()
        known = " AND ".join(f"{sql.name(column)} IS NOT NULL" for column in key)
        last = f"SELECT max({sql.name(SEQUENCE)}) FROM {relation(parts)} WHERE {known} GROUP BY {sql.names(key)}"
        return self._rewriter.without(parts, f"{known} AND {sql.name(SEQUENCE)} NOT IN ({last})")

    def _rewind(self, rewind: Rewind) -> None:
        for place, held in self._now.items():
            if held.generation is None and not held.landed.key:
                again = sql.between(rewind.sequence, rewind.until)
                self._now[place] = replace(held, parts=self._rewriter.without(held.parts, again))

    def _activate(self, activation: Activation) -> None:
        """The rows of other versions go, from the new generation where one is being gathered."""
        stream = activation.stream
        place = (stream, self._commit.gathering.get(stream, self._commit.publish.get(stream)))
        held = self._now.get(place)
        if held is None:
            return
        old = sql.outdated(activation)
        if self._commit.soft_delete:
            unmarked = f"{old} AND {sql.name(DELETED_AT)} IS NULL"
            parts = self._rewriter.changed(held.parts, unmarked, DELETED_AT, sql.moment(self._commit.at))
        else:
            parts = self._rewriter.without(held.parts, old)
        self._now[place] = replace(held, parts=parts)

    def _publish(self, stream: str, generation: int) -> None:
        gathered = self._now.pop((stream, generation), None) or self._new((stream, generation))
        live = self._now.get((stream, None)) or self._new((stream, None))
        columns = tuple(Column(said, column.type) for said, column in gathered.landed.columns.items())
        sources = {live.parts: live.landed, gathered.parts: gathered.landed}
        landed = self._grown(live.landed, Table(stream, columns, gathered.landed.key), sources)
        parts = self._rewriter.fitted(gathered.parts, gathered.landed, landed)
        self._now[stream, None] = Holding(landed, None, parts)

    def _tidy(self, held: Holding) -> Holding:
        """The table without empty files and without very many small ones; but one that readers see has a file."""
        parts = [part for part in held.parts if part.rows]
        small = [part for part in parts if is_small(part)]
        if len(small) > SMALL_FILES:
            parts = [*(part for part in parts if part not in small), *self._rewriter.joined(small)]
        if not parts and held.generation is None:
            parts = [self._rewriter.empty(held.landed)]
        return replace(held, parts=tuple(parts))
