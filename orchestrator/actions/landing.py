"""Rows on their way from messages to commits: the part that `run`, `load` and `replay` share."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from orchestrator.actions.rules import Rules
from orchestrator.clock import rfc3339
from orchestrator.config import USUAL_SCRUTINY, Mode, Scrutiny
from orchestrator.destinations import Destination
from orchestrator.events import Listener, Note
from orchestrator.failpoints import Step, doing
from orchestrator.load.batch import Batch
from orchestrator.load.commit import Checkpoint, Commit, Counted, Rewind, Settling, commit_after, is_empty
from orchestrator.load.generations import Generations
from orchestrator.load.outline import Outline
from orchestrator.load.quarantine import Refused, in_quarantine
from orchestrator.load.table import Table, table_for
from orchestrator.protocol.messages import Schema, Unknown


@dataclass(frozen=True, slots=True)
class Intent:
    """What is decided about a load before its first message.

    `state` is what the messages go on from. `gathering` names the streams whose rows wait unseen already, `afresh`
    those that begin to gather anew (None: all of them). `rewind` goes with the first commit. `keep_state` leaves the
    bookmark as it is, whatever the messages say; `complete` is false for messages that are known to break off, so that
    what they gather is not published.
    """

    flow: str
    run: int
    state: bytes | None
    mode: Mode = Mode.AUTO
    rules: Rules = field(default_factory=Rules)
    gathering: Mapping[str, int] = field(default_factory=dict)
    afresh: frozenset[str] | None = frozenset()
    rewind: Rewind | None = None
    keep_state: bool = False
    complete: bool = True
    soft_delete: bool = False
    scrutiny: Scrutiny = USUAL_SCRUTINY


class Landing:
    """Stages batches and writes commits, and counts both.

    `last` is the last commit that the destination holds; `read`, `committed` and `quarantined` count records per
    stream, the last one also, under "", lines that are no record; `streams` are those whose SCHEMA came, and `outlines`
    what they look like; `heard_state` tells whether a STATE that remembers something came with a commit; `unsettled`
    whether anything was read that no commit holds yet. `scrub` takes secrets out of what goes to the quarantine.
    """

    def __init__(
        self,
        destination: Destination,
        intent: Intent,
        last: Commit | None,
        listen: Listener,
        scrub: Callable[[str], str] = str,
    ) -> None:
        self.last = last
        self.commits = 0
        self.read: Counter[str] = Counter()
        self.committed: Counter[str] = Counter()
        self.quarantined: Counter[str] = Counter()
        self.refused = False
        self.unsettled = False
        self.streams: set[str] = set()
        self.outlines: dict[str, Outline] = {}
        self.heard_state = False
        self._destination = destination
        self._intent = intent
        self._listen = listen
        self._scrub = scrub
        self._state = intent.state
        self._generations = Generations(intent.run, intent.gathering, intent.afresh, intent.rules.ids)
        self._noted: set[str] = set()

    @property
    def flow(self) -> str:
        return self._intent.flow

    @property
    def scrutiny(self) -> Scrutiny:
        return self._intent.scrutiny

    @property
    def sequence(self) -> int:
        """That of the last row so far. It follows the clock, and the rows that settled where the clock went back."""
        return max(self.last.sequence if self.last else 0, now() * 1000)

    def table_of(self, schema: Schema) -> Table:
        """How the rows of a stream settle."""
        rules = self._intent.rules
        mode, key = rules.settling(schema, self._intent.mode)
        generation = self._generations.announce(schema.stream, replaces=mode is Mode.REPLACE)
        nesting = rules.nesting_of(schema.stream)
        table = table_for(schema, mode, key=key, generation=generation, nesting=nesting)
        self.outlines[schema.stream] = Outline.of(table)
        return table

    def take(self, step: Settling, *, before_commit: Callable[[], None] = lambda: None) -> Commit | None:
        """Does what one step asks for. Gives the commit once the destination holds it."""
        match step:
            case Batch():
                self._stage(step)
            case Refused():
                intent = self._intent
                self.refused = True
                self._stage(in_quarantine(step, flow=intent.flow, run=intent.run, scrub=self._scrub))
            case Checkpoint() if step.state is not None or self.streams or step.activations or step.quarantined:
                before_commit()
                return self._commit(step)
            case Counted():
                self.read[step.stream] += step.rows
                self.unsettled = True
            case Schema():
                self.streams.add(step.stream)
            case Unknown() if step.type not in self._noted:
                self._noted.add(step.type)
                self._listen(Note(f"messages of type {step.type} are not understood and were skipped"))
        return None

    def _stage(self, batch: Batch) -> None:
        with doing(Step.BATCH_STAGE):
            self._destination.stage(batch)

    def _commit(self, checkpoint: Checkpoint) -> Commit:
        intent = self._intent
        if checkpoint.state is not None and is_empty(checkpoint.state):
            if self._state and not intent.keep_state:
                self._listen(Note("the tap sent an empty STATE; the bookmark it had before is kept"))
        elif checkpoint.state is not None:
            self.heard_state = True
        ended = checkpoint.ended and intent.complete
        commit = commit_after(
            self.last and replace(self.last, state=self._state),
            replace(checkpoint, ended=ended),
            flow=intent.flow,
            run=intent.run,
            at=rfc3339(),
            gathering=self._generations.announced(),
        )
        commit = replace(
            commit,
            state=self._state if intent.keep_state else commit.state,
            gathering={**self._generations.awaited(ended=ended), **commit.gathering},
            rewind=intent.rewind if self.commits == 0 else None,
            soft_delete=intent.soft_delete,
        )
        with doing(Step.COMMIT_WRITE):
            self._destination.commit(commit)
        self.last, self._state = commit, commit.state
        self.commits += 1
        self.committed.update(commit.rows)
        self.quarantined.update(commit.quarantined)
        self.unsettled = False
        return commit


def now() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1000
