"""What is staged and committed when a tap says something, in a form to compare."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from orchestrator.config import Mode
from orchestrator.load.batch import Batch
from orchestrator.load.commit import Checkpoint, CommitPolicy, Settling, checkpoints
from orchestrator.load.table import Table, table_for
from orchestrator.protocol.messages import Schema
from orchestrator.protocol.reading import read_messages
from tests.protocol.saying import Saying, no_files, text_of

RECEIVED = 1_700_000_000_000_000
"""When everything comes, in microseconds since 1970."""


def table_of(schema: Schema) -> Table:
    return table_for(schema, Mode.UPSERT, key=schema.key, generation=None)


def steps(
    *sayings: Saying | float | None,
    rows: int = 1_000_000,
    seconds: float = float("inf"),
    sequence: int = 0,
    hurry: Callable[[], bool] = lambda: False,
) -> Iterator[Settling]:
    """The steps to settle what a tap says, each line in a block of its own. A number lets so many seconds pass, and
    None is a moment of silence."""
    passed = 0.0

    def blocks() -> Iterator[bytes]:
        nonlocal passed
        for said in sayings:
            if isinstance(said, int | float):
                passed += said
            else:
                yield b"" if said is None else text_of(said)

    return checkpoints(
        read_messages(blocks(), no_files),
        CommitPolicy(rows, seconds),
        table_of=table_of,
        clock=lambda: passed,
        now=lambda: RECEIVED,
        sequence=sequence,
        hurry=hurry,
    )


def settled(steps: Iterable[Settling]) -> list[Any]:
    """Batches as (stream, the values of `id`), checkpoints as (state, rows)."""
    found: list[Any] = []
    for step in steps:
        if isinstance(step, Batch):
            found.append((step.table.stream, rows(step, "id")))
        elif isinstance(step, Checkpoint):
            found.append((step.state, step.rows))
    return found


def rows(batch: Batch, name: str) -> list[Any]:
    """The values of one column of a batch."""
    return list(batch.rows.column(name).to_pylist())


def batches(steps: Iterable[Settling]) -> list[Batch]:
    """The batches that hold rows."""
    return [step for step in steps if isinstance(step, Batch) and step.rows.num_rows]
