"""When rows settle. A commit closes only at a STATE, or at a clean end of the tap."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from orchestrator.load.batch import Batch, Moment, batch_of, joined
from orchestrator.load.table import Table
from orchestrator.protocol.messages import ActivateVersion, Message, Schema, Silence, State, Unknown
from orchestrator.protocol.records import Records

ROWS_A_BATCH = 100_000
BYTES_A_BATCH = 48_000_000
_ROWS_A_CHUNK = 4096


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

    `rows` counts per stream what came since the last checkpoint; `sequence` is that of the last row; `ended` tells
    the clean end of the tap.
    """

    state: bytes | None
    rows: Mapping[str, int]
    sequence: int
    activations: tuple[Activation, ...] = ()
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Commit:
    """Rows and state that settle together; numbered per flow without gaps, from 1.

    `at` is an RFC 3339 time; `state` is the tap's, word for word; `rows` counts what came per stream; `sequence` is
    that of the last row that ever settled. `gathering` names the streams whose new generation is not published yet.
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
    )


def is_empty(state: bytes) -> bool:
    """Whether a state remembers nothing."""
    return state.strip() in (b"{}", b"null", b"") or bool(_EMPTY_BOOKMARKS.fullmatch(state.strip()))


_EMPTY_BOOKMARKS = re.compile(rb'\{\s*(?:"bookmarks"\s*:\s*\{\s*\}\s*)?\}')


@dataclass(frozen=True, slots=True)
class Counted:
    """Rows of a stream were read; for whoever shows progress."""

    stream: str
    rows: int


Settling = Batch | Checkpoint | Counted | Schema | Silence | Unknown


def checkpoints(
    messages: Iterator[Message],
    policy: CommitPolicy,
    *,
    table_of: Callable[[Schema], Table],
    clock: Callable[[], float],
    now: Callable[[], int],
    sequence: int = 0,
    hurry: Callable[[], bool] = lambda: False,
) -> Iterator[Settling]:
    """Turns messages into batches to stage and checkpoints to commit, in order.

    `table_of` decides how a stream settles; `clock` counts seconds, `now` tells microseconds since 1970; `sequence`
    is that of the last row that settled. When `hurry` says so, the next STATE closes a commit whatever the policy.
    Schemas, silences, unknown types and counts pass through for whoever wants them.
    The input must end only at a clean end of the tap: the end closes a commit.
    """
    gathering = _Gathering(table_of, now, sequence)
    state: bytes | None = None
    activations: list[Activation] = []
    settled_at = clock()
    # Rows that came after the latest STATE: while there are none, a commit may close at any time.
    since_state = 0
    unsettled = False

    def checkpoint(*, ended: bool = False) -> Checkpoint:
        made = Checkpoint(state, dict(gathering.rows), gathering.sequence, tuple(activations), ended)
        gathering.rows.clear()
        activations.clear()
        return made

    for message in messages:
        match message:
            case Records():
                gathering.add(message)
                since_state += len(message)
                unsettled = True
                yield Counted(message.stream, len(message))
                yield from gathering.full()
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


class _Gathering:
    """Rows on their way into batches, per stream."""

    def __init__(self, table_of: Callable[[Schema], Table], now: Callable[[], int], sequence: int) -> None:
        self.rows: dict[str, int] = {}
        self.sequence = sequence
        self._table_of = table_of
        self._now = now
        self._tables: dict[str, Table] = {}
        self._waiting: dict[str, list[tuple[Records, Moment]]] = {}
        self._batches: dict[str, list[Batch]] = {}

    @property
    def total(self) -> int:
        return sum(self.rows.values())

    def open(self, schema: Schema) -> None:
        """Later records of the stream follow this schema; those that wait still follow the one they came with."""
        table = self._table_of(schema)
        if self._tables.get(schema.stream) != table:
            self._shape(schema.stream)
            self._tables[schema.stream] = table
            # An empty batch, so that a stream without rows has its table too.
            self._batches.setdefault(schema.stream, []).append(Batch(table, table.arrow_schema().empty_table()))

    def add(self, records: Records) -> None:
        waiting = self._waiting.setdefault(records.stream, [])
        waiting.append((records, Moment(self._now(), self.sequence + 1)))
        self.sequence += len(records)
        self.rows[records.stream] = self.rows.get(records.stream, 0) + len(records)
        if sum(len(each) for each, _ in waiting) >= _ROWS_A_CHUNK:
            self._shape(records.stream)

    def full(self) -> Iterator[Batch]:
        """The batches of streams that have gathered enough."""
        for stream, batches in self._batches.items():
            rows, size = sum(batch.rows.num_rows for batch in batches), sum(batch.rows.nbytes for batch in batches)
            if rows >= ROWS_A_BATCH or size >= BYTES_A_BATCH:
                yield from self._take(stream)

    def all(self) -> Iterator[Batch]:
        """Everything, as batches."""
        for stream in list(self._waiting):
            self._shape(stream)
        for stream in list(self._batches):
            yield from self._take(stream)

    def _take(self, stream: str) -> list[Batch]:
        batches, self._batches[stream] = self._batches[stream], []
        return joined(batches)

    def _shape(self, stream: str) -> None:
        """Turns the records that wait into batches. Records of one shape that came one by one are put together."""
        for records, moment in _together(self._waiting.pop(stream, [])):
            batch = batch_of(self._tables[stream], records, moment, self._now())
            self._batches.setdefault(stream, []).append(batch)


def _together(waiting: list[tuple[Records, Moment]]) -> Iterator[tuple[Records, Moment]]:
    run: list[tuple[Records, Moment]] = []
    for records, moment in waiting:
        if run and not _alike(run[-1][0], records):
            yield _merged(run)
            run = []
        run.append((records, moment))
    if run:
        yield _merged(run)


def _alike(one: Records, other: Records) -> bool:
    return one.shape is other.shape and (one.rows is None) == (other.rows is None)


def _merged(run: list[tuple[Records, Moment]]) -> tuple[Records, Moment]:
    first, moment = run[0]
    if len(run) == 1:
        return first, moment
    every = [records for records, _ in run]
    return (
        replace(
            first,
            rows=None if first.rows is None else [row for records in every for row in records.rows or ()],
            members=None if first.members is None else [row for records in every for row in records.members or ()],
            lines=[line for records in every for line in records.lines],
            versions=[version for records in every for version in records.versions or [None] * len(records)],
            extracted=[time for records in every for time in records.extracted or [None] * len(records)],
        ),
        moment,
    )
