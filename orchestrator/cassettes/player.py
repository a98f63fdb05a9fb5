"""Plays a cassette: a tap that says what another tap said once, without the source. It needs nothing but Python.

It offers the catalog that was recorded, leaves out what is not selected, and started from a state that was recorded
it goes on from there. This file goes into each cassette, beside

    cassette.json     which tap was recorded, when, and what it was told, without its secrets
    catalog.json      what it offered; absent for a tap without discovery
    messages.jsonl    what it said
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Set

HERE = Path(__file__).resolve().parent
LeftOut = Dict[str, Optional[Set[str]]]
"""By stream: its columns that are not selected, or None when all of it is not."""


def main() -> None:
    parser = argparse.ArgumentParser(description="A tap that says what another one said once.")
    parser.add_argument("--config", help="is read, and counts nothing")
    parser.add_argument("--catalog", help="which streams and columns to say")
    parser.add_argument("--state", help="where to go on")
    parser.add_argument("--discover", action="store_true", help="print the catalog that was recorded")
    options = parser.parse_args()
    if options.config:
        _read(options.config)
    if options.discover:
        _discover()
        return
    lines = (HERE / "messages.jsonl").read_text(encoding="utf-8").split("\n")[:-1]
    left_out = _left_out(_read(options.catalog)) if options.catalog else {}
    for line in _going_on(lines, _read(options.state) if options.state else None):
        said = _selected(line, left_out)
        if said is not None:
            print(said)


def _discover() -> None:
    catalog = HERE / "catalog.json"
    if not catalog.exists():
        sys.exit("the tap that was recorded has no discovery")
    sys.stdout.write(catalog.read_text(encoding="utf-8"))


def _going_on(lines: List[str], state: Any) -> Iterator[str]:
    """The lines from the last STATE of this value on, after the SCHEMAs from before it. All, where there is none."""
    messages = [_message(line) for line in lines]
    places = [place for place, message in enumerate(messages) if _is(message, "STATE") and message["value"] == state]
    begin = places[-1] if state and places else 0
    announced = {message["stream"]: line for message, line in zip(messages[:begin], lines) if _is(message, "SCHEMA")}
    yield from announced.values()
    yield from lines[begin:]


def _left_out(catalog: Any) -> LeftOut:
    left_out: LeftOut = {}
    for entry in catalog["streams"]:
        said = {tuple(each["breadcrumb"]): each["metadata"] for each in entry.get("metadata") or ()}
        columns = {place[1] for place, offer in said.items() if len(place) == 2 and not _is_taken(offer)}
        for name in (entry["tap_stream_id"], entry.get("stream")):
            left_out[name] = columns if _is_taken({**said.get((), {}), "inclusion": "available"}) else None
    return left_out


def _is_taken(offer: Dict[str, Any]) -> bool:
    inclusion = offer.get("inclusion", "available")
    if inclusion != "available":
        return bool(inclusion == "automatic")
    return bool(offer.get("selected", offer.get("selected-by-default", True)))


def _selected(line: str, left_out: LeftOut) -> Optional[str]:
    """A line without the columns that are left out; None for one of a stream that is."""
    message = _message(line)
    columns = left_out.get(message.get("stream", ""), set())
    if columns is None:
        return None
    if not columns:
        return line
    for members in (message.get("record"), (message.get("schema") or {}).get("properties")):
        for column in columns:
            if members:
                members.pop(column, None)
    return json.dumps(message)


def _read(path: str) -> Any:
    return json.loads(Path(path).read_text(encoding="utf-8"))


def _message(line: str) -> Dict[str, Any]:
    """What a line says; nothing where it is no message, as with a tap that logs to stdout."""
    try:
        message = json.loads(line)
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}


def _is(message: Dict[str, Any], type: str) -> bool:
    return bool(message.get("type") == type)


if __name__ == "__main__":
    main()
