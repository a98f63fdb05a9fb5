"""When rows settle. A commit closes only at a STATE, or at a clean end of the tap."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, groupby

import pyarrow as pa
import pyarrow.compute as pc

from orchestrator.config import OnBadLine
from orchestrator.load.batch import Batch, Moment, batch_of, joined
from orchestrator.load.nesting import remembered
from orchestrator.load.quarantine import Refused
from orchestrator.load.table import Table
from orchestrator.protocol.arrays import scalar
from orchestrator.protocol.messages import ActivateVersion, Message, Schema, Silence, State, Unknown
from orchestrator.protocol.records import Records, together
from orchestrator.protocol.refusals import Refusal

ROWS_A_BATCH = 100_000
"""A stream that has gathered so many rows gives a batch."""
BYTES_GATHERED = 32_000_000
"""When all streams together have gathered so much, as text, each gives a batch."""
# Records become columns while their values are few enough to be near at hand for the processor, and many enough to
# share what each column costs.
_ROWS_A_CHUNK = 4096
_VALUES_A_CHUNK = 50_000
# As values of Python, records take some five times their text.
_BYTES_WAITING = 6_000_000
_BYTES_A_REFUSAL = 500
_ONE = scalar(1, pa.int64())


@dataclass(frozen=True, slots=True)
class CommitPolicy:
    """A commit closes at the first STATE after so many rows, or so many seconds since the last one."""

    rows: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Activation:
    """Of the rows of `stream` up to `sequence`, only those of `version` stay."""

    stream: str
    version: int
    sequence: int


@dataclass(frozen=True, slots=True)
class Rewind:
    """Rows without a key that came after `sequence`, and up to `until` (None: the last), go: they come again."""

    sequence: int
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """All that was staged may settle now, with this state (None: the tap sent none in this run).

    `rows` and `quarantined` count per stream what came since the last checkpoint; `sequence` is that of the last row;
    `ended` tells the clean end of the tap.
    """

    state: bytes | None
    rows: Mapping[str, int]
    sequence: int
    activations: tuple[Activation, ...] = ()
    ended: bool = False
    quarantined: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Commit:
    """Rows and state that settle together; numbered per flow without gaps, from 1.

    `at` is an RFC 3339 time; `state` is the tap's, word for word; `rows` counts what came per stream, and `quarantined`
    what could not land, under "" the lines that are a record of none; `sequence` is that of the last row that ever
    settled. `gathering` names the streams whose new generation is not published yet.
    What a commit asks of the tables beside the rows: `activations`, generations to `publish`, and a `rewind`.
    """

    flow: str
    number: int
    run: int
    at: str
    state: bytes | None
    rows: Mapping[str, int]
    sequence: int
    gathering: Mapping[str, int] = field(default_factory=dict)
    activations: tuple[Activation, ...] = ()
    publish: Mapping[str, int] = field(default_factory=dict)
    rewind: Rewind | None = None
    soft_delete: bool = False
    quarantined: Mapping[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.rows.values())


def commit_after(
    last: Commit | None, checkpoint: Checkpoint, *, flow: str, run: int, at: str, gathering: Mapping[str, int]
) -> Commit:
    """The commit of `checkpoint` that follows `last`. `gathering` names the streams whose rows wait unseen; the clean
    end of a tap publishes them all.

    A tap that starts with an empty STATE, as some do before they know better, does not wipe the bookmark.
    """
    before = last.state if last else None
    state = checkpoint.state
    if state is None or (is_empty(state) and before is not None):
        state = before
    return Commit(
        flow,
        (last.number if last else 0) + 1,
        run,
        at,
        state,
        checkpoint.rows,
        checkpoint.sequence,
        gathering={} if checkpoint.ended else gathering,
        activations=checkpoint.activations,
        publish=gathering if checkpoint.ended else {},
        quarantined=checkpoint.quarantined,
    )


def is_empty(state: bytes) -> bool:
    """Whether a state remembers nothing."""
    return _EMPTY.fullmatch(state) is not None


_EMPTY = re.compile(rb'\s*(?:null|\{\s*(?:"bookmarks"\s*:\s*\{\s*\}\s*)?\})\s*')


@dataclass(frozen=True, slots=True)
class Counted:
    """Rows of a stream were read; for whoever shows progress."""

    stream: str
    rows: int


Settling = Batch | Refused | Checkpoint | Counted | Schema | Silence | Unknown


def checkpoints(
    messages: Iterator[Message],
    policy: CommitPolicy,
    *,
    table_of: Callable[[Schema], Table],
    clock: Callable[[], float],
    now: Callable[[], int],
    sequence: int = 0,
    on_bad_line: OnBadLine = OnBadLine.FAIL,
    hurry: Callable[[], bool] = lambda: False,
) -> Iterator[Settling]:
    """Turns messages into batches to stage and checkpoints to commit, in order.

    `table_of` decides how a stream settles; `clock` counts seconds, `now` tells microseconds since 1970; `sequence`
    is that of the last row that settled. What cannot land raises BrokenMessage or BadRecord, or goes to the quarantine,
    as `on_bad_line` says. When `hurry` says so, the next STATE closes a commit whatever the policy.
    Schemas, silences, unknown types and counts pass through for whoever wants them.
    The input must end only at a clean end of the tap: the end closes a commit.
    """
    gathering = _Gathering(table_of, now, sequence, on_bad_line)
    state: bytes | None = None
    activations: list[Activation] = []
    settled_at = clock()
    # Rows that came after the latest STATE: while there are none, a commit may close at any time.
    since_state = 0
    unsettled = False

    def checkpoint(*, ended: bool = False) -> Checkpoint:
        rows, quarantined = gathering.counts()
        made = Checkpoint(state, rows, gathering.sequence, tuple(activations), ended, quarantined)
        activations.clear()
        return made

    for message in messages:
        match message:
            case Records():
                full = gathering.add(message)
                since_state += len(message)
                unsettled = True
                yield Counted(message.stream, len(message))
                yield from full
            case Refusal():
                full = gathering.refuse(message)
                since_state += 1
                unsettled = True
                if message.stream is not None:
                    yield Counted(message.stream, 1)
                yield from full
            case State():
                state, since_state, unsettled = message.value, 0, True
            case ActivateVersion():
                activations.append(Activation(message.stream, message.version, gathering.sequence))
                since_state += 1
                unsettled = True
            case Schema():
                gathering.open(message)
                yield message
            case Unknown() | Silence():
                yield message
        may_settle = unsettled and not since_state and isinstance(message, State | Silence)
        if may_settle and (gathering.total >= policy.rows or clock() - settled_at >= policy.seconds or hurry()):
            yield from gathering.all()
            yield checkpoint()
            settled_at, unsettled = clock(), False
    yield from gathering.all()
    yield checkpoint(ended=True)


@dataclass(slots=True)
class _Pile:
    """What was gathered of one stream: records that wait to be many, and batches made of them. Rows are counted, and
    the bytes of their text. `shape` is the table with what its nested values have grown to."""

    table: Table
    shape: Table
    records: list[tuple[Records, int, range]] = field(default_factory=list)
    waiting: int = 0
    size: int = 0
    batches: list[Batch] = field(default_factory=list)
    batched: int = 0


class _Gathering:
    """Rows on their way into batches, per stream. `total` are those since the last checkpoint."""

    def __init__(
        self, table_of: Callable[[Schema], Table], now: Callable[[], int], sequence: int, on_bad_line: OnBadLine
    ) -> None:
        self.sequence = sequence
        self.total = 0
        self._rows: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._table_of = table_of
        self._now = now
        self._on_bad_line = on_bad_line
        self._piles: dict[str, _Pile] = {}
        self._refusals: list[Refusal] = []
        self._bytes_refused = 0
        self._bytes_waiting = 0
        self._bytes_gathered = 0

    def open(self, schema: Schema) -> None:
        """Later records of the stream follow this schema; those that wait still follow the one they came with."""
        table = self._table_of(schema)
        pile = self._piles.get(schema.stream)
        if pile is None:
            pile = self._piles[schema.stream] = _Pile(table, table)
        elif pile.table == table:
            return
        else:
            self._shape(pile)
            pile.table = pile.shape = table
        # An empty batch, so that a stream without rows has its table too.
        pile.batches.append(Batch(table, table.arrow_schema().empty_table()))

    def add(self, records: Records) -> list[Batch | Refused]:
        """Takes records in. Gives what is full now."""
        pile, count = self._piles[records.stream], len(records)
        pile.records.append((records, self._now(), range(self.sequence + 1, self.sequence + count + 1)))
        pile.waiting += count
        pile.size += records.size
        self._bytes_waiting += records.size
        self._bytes_gathered += records.size
        self.sequence += count
        self.total += count
        self._rows[records.stream] += count
        if pile.waiting >= _ROWS_A_CHUNK or pile.waiting * len(pile.table.columns) >= _VALUES_A_CHUNK:
            self._shape(pile)
        if self._bytes_waiting >= _BYTES_WAITING:
            self._shape_all()
        if self._bytes_gathered >= BYTES_GATHERED or self._bytes_refused >= _BYTES_WAITING:
            return self.all()
        return [*self._take(pile)] if pile.batched >= ROWS_A_BATCH else []

    def refuse(self, refusal: Refusal) -> list[Batch | Refused]:
        """Takes in what cannot land. Gives what is full now. Raises BrokenMessage or BadRecord where nothing may be
        refused."""
        self._refuse([refusal])
        self.total += 1
        return self.all() if self._bytes_refused >= _BYTES_WAITING else []

    def all(self) -> list[Batch | Refused]:
        """Everything that was gathered."""
        self._shape_all()
        batches = [batch for pile in self._piles.values() for batch in self._take(pile)]
        return [*batches, *self._take_refusals()]

    def counts(self) -> tuple[dict[str, int], dict[str, int]]:
        """The rows and the refusals per stream since the last checkpoint, which is now."""
        rows = {stream: count for stream, count in self._rows.items() if count}
        refused, self._rows, self._refused, self.total = dict(self._refused), Counter(), Counter(), 0
        return rows, refused

    def _refuse(self, refusals: list[Refusal]) -> None:
        if refusals and self._on_bad_line is OnBadLine.FAIL:
            raise min(refusals, key=lambda refusal: refusal.line).error()
        self._refused.update(refusal.stream or "" for refusal in refusals)
        self._bytes_refused += sum(len(refusal.text) + _BYTES_A_REFUSAL for refusal in refusals)
        self._refusals += refusals

    def _take_refusals(self) -> list[Refused]:
        refusals, self._refusals, self._bytes_refused = self._refusals, [], 0
        first = self.sequence + 1
        self.sequence += len(refusals)
        return [Refused(refusals, range(first, self.sequence + 1), self._now())] if refusals else []

    def _take(self, pile: _Pile) -> list[Batch]:
        batches, pile.batches, pile.batched = pile.batches, [], 0
        self._bytes_gathered -= pile.size
        pile.size = 0
        return list(joined(batches))

    def _shape_all(self) -> None:
        for pile in self._piles.values():
            self._shape(pile)
        # Not before: a record that waits keeps the whole block in which it came.
        self._bytes_waiting = 0

    def _shape(self, pile: _Pile) -> None:
        """Turns the records that wait into batches. Those that were read alike are put together: a batch has its
        price, and some taps send a STATE after every record."""
        for _, run in groupby(pile.records, lambda each: id(each[0].fields)):
            records, received, sequences = zip(*run, strict=True)
            moment = Moment(received[0], _numbers(sequences))
            batch, refusals = batch_of(pile.shape, together(records), moment, self._now())
            pile.shape = replace(pile.shape, columns=remembered(pile.shape.columns, batch.table.columns))
            self._refuse(refusals)
            self._rows[pile.table.stream] -= len(refusals)
            pile.batches.append(batch)
        pile.batched += pile.waiting
        pile.records, pile.waiting = [], 0


def _numbers(ranges: Sequence[range]) -> pa.Array:
    """The numbers in all ranges. Most often each range begins where another one ended."""
    first, last = ranges[0].start, ranges[-1].stop
    if last - first == sum(map(len, ranges)):
        steps = pa.concat_arrays([pa.array([first], pa.int64()), pa.repeat(_ONE, last - first - 1)])
        return pc.cumulative_sum(steps)
    return pa.array(list(chain.from_iterable(ranges)), pa.int64())
