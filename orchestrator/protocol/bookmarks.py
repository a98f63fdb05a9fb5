"""Bookmarks inside a state, for people to see and to take out. To the run a state is opaque."""

import json
import re
from collections.abc import Container
from typing import Any

import msgspec

_NOT_POSITIONS = frozenset(
    {"version", "replication_key", "log_file", "starting_replication_value", "currently_syncing"}
)


def bookmarks(state: bytes | None) -> dict[str, str]:
    """The position of each stream, as text to show. Empty for a state of another form.

    Understood are `{"bookmarks": {stream: {…}}}` of singer-python and the Singer SDK, and flat states of one
    value a stream.
    """
    value = _decoded(state)
    nested = value.get("bookmarks")
    places: dict[str, Any] = nested if isinstance(nested, dict) else value
    shown = {stream: _position(place) for stream, place in places.items() if stream not in _NOT_POSITIONS}
    return {stream: position for stream, position in shown.items() if position}


def without_stream(state: bytes, stream: str) -> bytes | None:
    """The state with all that is remembered of `stream` taken out; None where it cannot be told what that is.

    A flat state names a stream alone or with ids (`issues`, `issues_42`, `project_42_issues`), and other words beside
    it make it another one (`issues_deleted`, `project_issues`); one that names it nowhere may remember it in a way of
    its own.
    """
    members = _members(state)
    if members is None:
        return None
    places = _members(members.get("bookmarks", b""))
    if places is not None:
        places.pop(stream, None)
        return msgspec.json.encode({**members, "bookmarks": places})
    kept = {name: place for name, place in members.items() if not _names(name, stream)}
    return msgspec.json.encode(kept) if len(kept) < len(members) or not members else None


def midway(state: bytes | None) -> frozenset[str]:
    """The streams whose bookmark keeps a version. A tap that gives a table's rows a version (ACTIVATE_VERSION) keeps
    it while it reads, and goes on where it was; of any other full table it starts over."""
    places = _decoded(state).get("bookmarks")
    if not isinstance(places, dict):
        return frozenset()
    return frozenset(stream for stream, place in places.items() if isinstance(place, dict) and "version" in place)


def remembered(state: bytes | None) -> frozenset[str]:
    """The streams that have a bookmark which tells something."""
    places = _decoded(state).get("bookmarks")
    if not isinstance(places, dict):
        return frozenset()
    return frozenset(
        stream for stream, place in places.items() if isinstance(place, dict) and any(map(_tells, place.values()))
    )


def forgetful(state: bytes | None) -> frozenset[str]:
    """The streams whose bookmark is a row in the middle of a table, without the version that its rows were given.

    Taps of MySQL go on after that row, but with a new version, by which they take away the rows before it.
    https://github.com/singer-io/tap-mysql, sync_strategies/full_table.py
    """
    places = _decoded(state).get("bookmarks")
    if not isinstance(places, dict):
        return frozenset()
    return frozenset(
        stream
        for stream, place in places.items()
        if isinstance(place, dict) and place.get("last_pk_fetched") and place.get("version") is None
    )


def without_stale_mark(state: bytes, streams: Container[str]) -> bytes:
    """The state without the mark `currently_syncing`, where it names one of `streams` of which nothing is remembered.

    The mark is there so that a tap goes on with the stream in which it broke off. Of one that has no bookmark there is
    nothing to go on with; pipelinewise-tap-mysql leaves it out then.
    """
    members, value = _members(state), _decoded(state)
    match value:
        case {"currently_syncing": str(stream), "bookmarks": dict(places)} if members and stream in streams:
            if places.get(stream):
                return state
            del members["currently_syncing"]
            return msgspec.json.encode(members)
    return state


def _decoded(state: bytes | None) -> dict[str, Any]:
    """A state as an object, empty where it is none."""
    try:
        # Python reads numbers that no double holds.
        value = json.loads(state or b"null")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _members(text: bytes | msgspec.Raw) -> dict[str, msgspec.Raw] | None:
    """The members of an object, each still as it was written; None for anything else."""
    try:
        return msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except msgspec.DecodeError:
        return None


# Something else than letters is in it.
_ID = r"[^_]*[\d\W][^_]*"


def _names(name: str, stream: str) -> bool:
    return re.fullmatch(rf"(?:(?:.*_)?{_ID}_)?{re.escape(stream)}(?:_{_ID})*", name, re.DOTALL) is not None


def _position(place: Any) -> str:
    if isinstance(place, dict):
        if "replication_key_value" in place:
            return str(place["replication_key_value"])
        if isinstance(partitions := place.get("partitions"), list) and partitions:
            return f"{len(partitions)} partitions"
        values = [str(value) for name, value in place.items() if name not in _NOT_POSITIONS and _is_plain(value)]
        return ", ".join(values)
    return str(place) if _is_plain(place) else ""


def _tells(value: Any) -> bool:
    return value is not None and value != {} and value != []


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)
