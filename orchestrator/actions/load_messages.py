"""`load`: the load path as a Singer target. Messages come in, committed states go out."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from orchestrator.actions.landing import Intent, Landing, now
from orchestrator.actions.rules import Rules
from orchestrator.config import USUAL_SCRUTINY, WHOLE, Nesting, Scrutiny
from orchestrator.destinations import Destination
from orchestrator.events import Listener, nobody
from orchestrator.failpoints import Step, doing
from orchestrator.load.commit import Checkpoint, CommitPolicy, checkpoints
from orchestrator.protocol.reading import read_messages
from orchestrator.supervisor.batch_files import batch_reader


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did: records read, committed and put into quarantine per stream (under "" lines that are no record),
    and the number of its commits."""

    read: dict[str, int]
    committed: dict[str, int]
    quarantined: dict[str, int]
    commits: int


def load_messages(
    blocks: Iterable[bytes],
    destination: Destination,
    *,
    flow: str,
    policy: CommitPolicy,
    acknowledge: Callable[[bytes], None],
    before_commit: Callable[[], None] = lambda: None,
    batch_roots: tuple[Path, ...] = (),
    soft_delete: bool = False,
    nesting: Nesting = WHOLE,
    scrutiny: Scrutiny = USUAL_SCRUTINY,
    listen: Listener = nobody,
) -> Loaded:
    """Loads a stream of messages that ends with the tap. Each STATE goes to `acknowledge` once it is committed,
    word for word; `before_commit` may raise while nobody would hear of it. Raises RunFailed or DestinationError; what
    was acknowledged stays."""
    last = destination.last_commit(flow)
    state, run = (last.state, last.run + 1) if last else (None, 1)
    intent = Intent(flow, run, state, rules=Rules(nesting=nesting), soft_delete=soft_delete, scrutiny=scrutiny)
    landing = Landing(destination, intent, last, listen)
    steps = checkpoints(
        read_messages(blocks, batch_reader(batch_roots or (Path.cwd(),), Path.cwd()), scrutiny.validate),
        policy,
        table_of=landing.table_of,
        clock=time.monotonic,
        now=now,
        sequence=landing.sequence,
        on_bad_line=scrutiny.on_bad_line,
    )
    acknowledged = None
    for step in steps:
        landing.take(step, before_commit=before_commit)
        if isinstance(step, Checkpoint) and step.state is not None and step.state is not acknowledged:
            acknowledged = step.state
            with doing(Step.COMMIT_TELL):
                acknowledge(step.state)
    return Loaded(dict(landing.read), dict(landing.committed), dict(landing.quarantined), landing.commits)
