"""What is told of a flow, in words.

They leave this machine. So nothing of a record is in them, no text of a tap and no message of an error, which may quote
both: numbers, times, names of flows, streams and columns, and the command that tells more to who may see it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from orchestrator.cadence.incidents import Incident
from orchestrator.config import Occasion
from orchestrator.load.outline import Reshaped

_MOST_COLUMNS = 20
_ENDS = {
    1: "the run failed",
    2: "what orchestrator.toml says cannot be meant",
    4: "a secret is missing, or the source refused it",
    7: "the destination cannot be used",
    8: "the environment of the tap cannot be used",
    124: "the tap was not done in time",
    None: "its process is gone",
}
"""What exit codes of runs mean; docs/reference/errors.md has them all."""
_LASTING = {Occasion.FAILED: "failing"}


@dataclass(frozen=True, slots=True)
class Message:
    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a flow when something is told of it. `run` is its newest that ended, `committed` when it
    committed last."""

    place: str
    """Which workspace it is: its folder and the machine."""
    run: int | None = None
    exit_code: int | None = None
    in_a_row: int = 0
    committed: datetime | None = None
    why_paused: str | None = None


def message_of(incident: Incident, facts: Facts) -> Message:
    """A trouble of a flow, or its end."""
    flow = incident.flow
    words = {
        Occasion.FAILED: _failed,
        Occasion.LATE: _late,
        Occasion.PAUSED: _paused,
        Occasion.RECOVERED: _recovered,
    }[incident.occasion](incident, facts)
    head = {Occasion.LATE: "is late", Occasion.PAUSED: "is paused"}.get(incident.occasion, incident.occasion.value)
    return _message(f"{flow} {head}", facts.place, words)


def schema_change(flow: str, changes: Sequence[Reshaped], runs: tuple[int, int] | None, place: str) -> Message:
    """Columns that are others; `runs` are those that can be compared."""

    def words() -> Iterator[str]:
        for change in changes[:_MOST_COLUMNS]:
            what = f"{change.stream}.{change.column}" if change.column else f"the key of {change.stream}"
            yield f"{what}: {change.before or 'new'} → {change.after or 'gone'}"
        if len(changes) > _MOST_COLUMNS:
            yield f"and {len(changes) - _MOST_COLUMNS} more"
        if runs:
            yield f"orchestrator runs diff {flow} {runs[0]} {runs[1]}"

    return _message(f"{flow}: columns changed", place, words())


def trial(name: str, place: str) -> Message:
    """What is sent to see whether it arrives."""
    return _message(f"{name} can be told", place, ["This is a test: orchestrator notify test"])


def _failed(incident: Incident, facts: Facts) -> Iterator[str]:
    code = "" if facts.exit_code is None else f" ended with exit code {facts.exit_code}"
    yield f"Run {facts.run}{code}: {_ENDS.get(facts.exit_code, _ENDS[1])}."
    if facts.in_a_row > 1:
        yield f"It failed {facts.in_a_row} times in a row."
    yield f"orchestrator runs show {incident.flow} {facts.run}"


def _late(incident: Incident, facts: Facts) -> Iterator[str]:
    yield f"Its last commit is of {_shown(facts.committed)}." if facts.committed else "It has not committed yet."
    yield f"orchestrator status {incident.flow}"


def _paused(incident: Incident, facts: Facts) -> Iterator[str]:
    yield f"Its schedule rests: {facts.why_paused or 'somebody paused it'}."
    yield f"orchestrator resume {incident.flow}"


def _recovered(incident: Incident, facts: Facts) -> Iterator[str]:
    was = " and ".join(sorted(_LASTING.get(occasion, occasion.value) for occasion in incident.over))
    yield f"It was {was} since {_shown(incident.since)}."
    yield f"Its last commit is of {_shown(facts.committed)}." if facts.committed else "All is well again."
    yield f"orchestrator status {incident.flow}"


def _message(title: str, place: str, words: Iterator[str] | Sequence[str]) -> Message:
    return Message(_plain(f"{title} ({place})"), "\n".join(map(_plain, words)))


def _plain(text: str) -> str:
    """Names of streams and columns are a tap's words; what is not printable in them is written out."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def _shown(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
