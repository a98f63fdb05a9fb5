"""How a tap ends when somebody asks it to, and what is left then."""

import json
from collections.abc import Mapping
from typing import Any

from orchestrator.contract.evidence import Asked, Evidence, Sync
from orchestrator.contract.point import NotTried, heard_out, point, shortened, tried

NEVER = "it had said all before it could be stopped"


@point(
    "stop.soon",
    "ends soon after SIGTERM",
    means="a run that is stopped, by a person or a machine that shuts down, has to kill it",
    mend="let the signal end it; after retries and long requests look whether it came",
)
def soon(evidence: Evidence) -> str | None:
    stopped = tried(evidence.stopped, NEVER)
    return stopped.cut


@point(
    "stop.whole-lines",
    "leaves no half of a message behind",
    means="what came before it cannot be told from a broken tap",
    mend="write each message in one piece; in a handler of the signal only note that it came",
)
def whole_lines(evidence: Evidence) -> str | None:
    stopped = tried(evidence.stopped, NEVER)
    # Who is killed in the middle of a write cannot help it.
    if stopped.exit_code == -15 or not stopped.torn:
        return None
    return f"its last line is {shortened(stopped.torn)!r}"


@point(
    "stop.loses-nothing",
    "loses no row when it goes on from its last STATE",
    means="every run that breaks off would leave rows out for good",
    mend="write a STATE only after the rows that it stands for; at a signal, write the last one that was true",
)
def loses_nothing(evidence: Evidence) -> str | None:
    stopped = tried(evidence.stopped, NEVER)
    first, mended = heard_out(evidence.first), heard_out(evidence.mended, NEVER)
    if not any(first.of("RECORD")):
        raise NotTried("the source has no rows")
    for stream in evidence.asked:
        there = _ids(_before_its_last_state(stopped), stream).keys() | _ids(mended, stream).keys()
        lost = _ids(first, stream).keys() - there
        if lost:
            return f"{len(lost)} rows of {stream.id} were missing in the end, such as {_ids(first, stream)[min(lost)]}"
    return None


def _before_its_last_state(sync: Sync) -> Sync:
    places = [place for place, message in enumerate(sync.messages) if message["type"] == "STATE"]
    return Sync(sync.messages[: places[-1]] if places else ())


def _ids(sync: Sync, stream: Asked) -> Mapping[str, Any]:
    """What tells the rows of a stream apart, as text, with words for people."""
    rows = sync.rows(stream)
    if stream.key:
        keys = [{name: row.get(name) for name in stream.key} for row in rows]
        return {json.dumps(key, default=str): key for key in keys}
    return {json.dumps(row, sort_keys=True, default=str): shortened(str(row), 60) for row in rows}
