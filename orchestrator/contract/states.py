"""What a tap remembers, and how it goes on from there."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from orchestrator.contract.evidence import Asked, Evidence, Sync
from orchestrator.contract.point import NotTried, heard_out, point
from orchestrator.protocol.bookmarks import bookmarks

RHYTHM = 10_000
"""Records after which a STATE should have come."""


def _incremental(evidence: Evidence) -> list[Asked]:
    """Those that follow a bookmark and of which rows came."""
    found = [each for each in evidence.asked if each.is_incremental and any(evidence.first.of("RECORD", each))]
    if not found:
        raise NotTried("no rows came of a stream that follows a bookmark")
    return found


def _last_state(sync: Sync) -> Any:
    if not sync.states:
        raise NotTried("it sent no STATE")
    return sync.states[-1]


def _positions(state: Any) -> dict[str, str]:
    return bookmarks(msgspec.json.encode(state))


@point(
    "state.sent",
    "sends a STATE",
    means="without one the next run begins at the beginning",
    mend="write the state at the end of each stream at least: singer.write_state",
)
def sent(evidence: Evidence) -> str | None:
    heard_out(evidence.first)
    return None if evidence.first.states else "it sent none"


@point(
    "state.bookmarks",
    "remembers each stream that is read on from a bookmark",
    means="a stream that the state does not name is read anew in each run",
    mend="write a bookmark for each stream: singer.write_bookmark; a replication_key in the Singer SDK",
)
def remembers(evidence: Evidence) -> str | None:
    heard_out(evidence.first)
    streams = _incremental(evidence)
    said = str(_last_state(evidence.first))
    forgotten = [stream.id for stream in streams if not any(alias in said for alias in stream.aliases)]
    return f"the last one does not name {', '.join(forgotten)}" if forgotten else None


@point(
    "state.covers",
    "promises in a STATE only what was sent before it",
    means="rows that come after a STATE which is ahead of them are lost when the run breaks off there",
    mend="send rows in the order of the bookmark, or keep the bookmark back until the stream is read to its end",
)
def covers(evidence: Evidence) -> str | None:
    for stream in _incremental(evidence):
        if stream.cursor and (found := _ahead(evidence.first, stream)):
            return found
    return None


def _ahead(sync: Sync, stream: Asked) -> str | None:
    """A row that comes after a STATE whose bookmark is beyond it already."""
    promised: tuple[str, Any] | None = None
    for message in sync.messages:
        if message["type"] == "STATE":
            position = next((at for name, at in _positions(message.get("value")).items() if name in stream.aliases), "")
            promised = (position, _comparable(position))
        elif promised and message["type"] == "RECORD" and message.get("stream") in stream.aliases:
            value = message["record"].get(stream.cursor)
            if _is_less(_comparable(value), promised[1]):
                return f"a row of {stream.id} at {value} came after a STATE at {promised[0]}"
    return None


@point(
    "state.last",
    "sends a STATE after the last row",
    means="rows after the last STATE are read again in the next run",
    mend="write the state once more at the end of the sync",
)
def last(evidence: Evidence) -> str | None:
    first = heard_out(evidence.first)
    _last_state(first)
    after = 0
    for message in first.messages:
        after = 0 if message["type"] == "STATE" else after + (message["type"] == "RECORD")
    return f"{after} rows came after it" if after else None


@point(
    "state.rhythm",
    f"sends a STATE at least every {RHYTHM} records",
    means="only at a STATE can rows settle: a run that breaks off loses what came since",
    mend="write the state every so many records, where the source gives rows in the order of the bookmark",
)
def rhythm(evidence: Evidence) -> str | None:
    since = longest = 0
    for message in evidence.first.messages:
        since = 0 if message["type"] == "STATE" else since + (message["type"] == "RECORD")
        longest = max(longest, since)
    if sum(1 for _ in evidence.first.of("RECORD")) < RHYTHM:
        raise NotTried(f"fewer than {RHYTHM} records were heard")
    return f"{longest} came without one" if longest > RHYTHM else None


@point(
    "resume.ends-well",
    "starts from its own last STATE, and ends with exit code 0",
    means="the second run of each flow would fail",
    mend="read the state as it was written; streams that it does not know begin at their beginning",
)
def resumes(evidence: Evidence) -> str | None:
    resumed = evidence.resumed
    if resumed is None:
        raise NotTried("the sync before did not come to its end, or sent no STATE")
    return None if resumed.cut or not resumed.exit_code else f"it ended with exit code {resumed.exit_code}"


@point(
    "resume.only-new",
    "sends nothing that is older than its bookmark",
    means="each run reads again what is there already: slow, and rows without a key are doubled",
    mend="ask the source for what is new: get_starting_timestamp of the Singer SDK, singer.get_bookmark",
)
def only_new(evidence: Evidence) -> str | None:
    resumed = heard_out(evidence.resumed)
    for stream in _incremental(evidence):
        cursor = stream.cursor or ""
        newest = _newest([_comparable(row.get(cursor)) for row in evidence.first.rows(stream)])
        older = [row for row in resumed.rows(stream) if _is_less(_comparable(row.get(cursor)), newest)]
        if older:
            return f"{len(older)} rows of {stream.id} came again, such as one at {older[0].get(cursor)}"
    return None


@point(
    "resume.onwards",
    "moves no bookmark backwards",
    means="the run after it reads again what was read",
    mend="keep the bookmark that it began with where nothing new came",
)
def onwards(evidence: Evidence) -> str | None:
    resumed = heard_out(evidence.resumed)
    if not resumed.states:
        return "it sent no STATE when it was started from one"
    before, after = _positions(_last_state(evidence.first)), _positions(resumed.states[-1])
    for stream, position in before.items():
        if stream not in after:
            return f"the bookmark of {stream} is gone"
        if _is_less(_comparable(after[stream]), _comparable(position)):
            return f"{stream} was at {position}, and is at {after[stream]}"
    return None


@point(
    "resume.announced",
    "announces its streams when nothing is new, too",
    means="a run in which a selected stream is missing has failed",
    mend="write the SCHEMA before the source is asked",
)
def announced_again(evidence: Evidence) -> str | None:
    resumed = heard_out(evidence.resumed)
    missing = [
        stream.id
        for stream in evidence.asked
        if stream.selected and any(evidence.first.of("SCHEMA", stream)) and not any(resumed.of("SCHEMA", stream))
    ]
    return f"there was no SCHEMA for {', '.join(missing)}" if missing else None


# ── what can be told to be earlier ───────────────────────────────────────────────────────────────


def _comparable(value: Any) -> Any:
    """A number or a moment; None for what nobody can put in an order."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    if not isinstance(value, str):
        return None
    for read in (float, _moment):
        try:
            return read(value)
        except ValueError:
            continue
    return None


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _is_less(one: Any, other: Any) -> bool:
    return one is not None and type(one) is type(other) and bool(one < other)


def _newest(values: list[Any]) -> Any:
    known: Iterator[Any] = (value for value in values if value is not None)
    newest = next(known, None)
    for value in known:
        newest = value if _is_less(newest, value) else newest
    return newest
