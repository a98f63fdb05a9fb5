"""Where lines and records go that cannot land: a table of ours that settles with the rows around it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from orchestrator.load.batch import Batch
from orchestrator.load.table import OUR_COLUMNS, SEQUENCE, Table
from orchestrator.protocol.arrays import INSTANT, scalar
from orchestrator.protocol.refusals import Refusal
from orchestrator.protocol.schemas import INTEGER, TEXT, Column

QUARANTINE = Table(
    # No tap can name a stream so.
    "",
    (
        Column("flow", TEXT),
        Column("run", INTEGER),
        Column("line", INTEGER),
        Column("stream", TEXT),
        Column("reason", TEXT),
        Column("text", TEXT),
    ),
)
"""The quarantine as a table without a key. `line` is the line's number in what the tap printed, `stream` is null unless
it is a record of one, `text` is the line; `_sdc_received_at` tells when it came."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Refusals on their way to the quarantine, with the sequence number of each; `received` in microseconds since
    1970."""

    refusals: Sequence[Refusal]
    sequences: Sequence[int]
    received: int


def in_quarantine(refused: Refused, *, flow: str, run: int, scrub: Callable[[str], str]) -> Batch:
    """The refusals of a run as rows; `scrub` takes secrets out of what a tap said."""
    refusals, count = refused.refusals, len(refused.refusals)
    received = pa.repeat(scalar(refused.received, INSTANT), count)
    columns: dict[str, Iterable[object]] = {
        "flow": [flow] * count,
        "run": [run] * count,
        "line": [refusal.line for refusal in refusals],
        "stream": [refusal.stream for refusal in refusals],
        "reason": [scrub(refusal.reason) for refusal in refusals],
        "text": [scrub(_readable(refusal.text)) for refusal in refusals],
        "_sdc_received_at": received,
        "_sdc_extracted_at": received,
        "_sdc_batched_at": received,
        SEQUENCE: refused.sequences,
    }
    nothing = [None] * count
    names = [column.name for column in (*QUARANTINE.columns, *OUR_COLUMNS)]
    return Batch(QUARANTINE, pa.table([columns.get(name, nothing) for name in names], schema=QUARANTINE.arrow_schema()))


def _readable(line: bytes) -> str:
    """The line as text; a byte that is no UTF-8 as `\\xff`."""
    return line.decode("utf-8", "backslashreplace")
