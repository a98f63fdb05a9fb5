"""The rows that are measured: made up, the same every time, as files of Singer messages and of bare JSON lines."""

import datetime
import hashlib
import json
import multiprocessing
import os
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path
from typing import Any

Json = dict[str, Any]

ROWS_A_STATE = 10_000
FEW = 10
"""Next to no rows, and still enough that every part of a program has to start."""
_SEED = 20_261_121
_AT_A_TIME = 4
_EPOCH = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream whose row number n follows from n and a source of chance. `types` are DuckDB's, by column."""

    name: str
    properties: Json
    types: dict[str, str]
    row: Callable[[int, random.Random], Json]
    key: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a family of taps writes its messages."""

    name: str
    separators: tuple[str, str]
    after_record: Json


@dataclass(frozen=True, slots=True)
class Data:
    """Rows on disk: `messages` as a tap prints them, `bare` the records alone, one a line."""

    name: str
    rows: int
    messages: Path
    bare: Path
    streams: tuple[Stream, ...]


# ── streams ──────────────────────────────────────────────────────────────────────────────────────

_WORDS = ("the", "quick", "brown", "fox", "jumps", "while", "Jürgen", "im", "Café", "zählt", "12", "große", "Bücher")
_TYPES = {
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "string": "VARCHAR",
    "date-time": "TIMESTAMPTZ",
}


def _property(said: str | Json) -> Json:
    """The schema of a nullable value of a type of JSON, of a `date-time`, or as it is given."""
    if isinstance(said, dict):
        return said
    return {"type": ["null", "string"], "format": said} if said == "date-time" else {"type": ["null", said]}


def _stream(
    name: str, columns: Mapping[str, str | Json], row: Callable[[int, random.Random], Json], key: tuple[str, ...] = ()
) -> Stream:
    properties = {column: _property(said) for column, said in columns.items()}
    types = {column: _TYPES[said] if isinstance(said, str) else "JSON" for column, said in columns.items()}
    return Stream(name, properties, types, row, key)


def _moment(n: int) -> str:
    return (_EPOCH + datetime.timedelta(seconds=37 * n)).isoformat().replace("+00:00", "Z")


def _words(chance: random.Random, count: int) -> str:
    return " ".join(chance.choices(_WORDS, k=count))


def _narrow_row(n: int, chance: random.Random) -> Json:
    return {
        "id": n,
        "name": f"customer {n * 7919 % 1_000_003}",
        "amount": round(chance.random() * 10_000, 2),
        "quantity": chance.randrange(1000),
        "paid": n % 3 > 0 if n % 10 else None,
        "updated_at": _moment(n),
    }


_NARROW = {
    "id": "integer",
    "name": "string",
    "amount": "number",
    "quantity": "integer",
    "paid": "boolean",
    "updated_at": "date-time",
}


def narrow(name: str = "narrow", key: tuple[str, ...] = ()) -> Stream:
    """Six columns, as of a table of orders."""
    return _stream(name, _NARROW, _narrow_row, key)


_WIDE = {"id": "integer"} | {
    f"{said.replace('-', '_')}_{n}": said
    for said, count in {"integer": 19, "number": 10, "string": 20, "boolean": 5, "date-time": 5}.items()
    for n in range(count)
}


def wide() -> Stream:
    """Sixty columns, as of a table of accounts in a CRM."""

    def value(said: str, n: int, chance: random.Random) -> Any:
        if chance.random() < 0.1:
            return None
        match said:
            case "integer":
                return chance.randrange(1_000_000)
            case "number":
                return round(chance.random() * 1000, 3)
            case "boolean":
                return chance.random() < 0.5
            case "date-time":
                return _moment(n + chance.randrange(1000))
            case _:
                return _words(chance, 3)

    def row(n: int, chance: random.Random) -> Json:
        return {"id": n} | {column: value(said, n, chance) for column, said in _WIDE.items() if column != "id"}

    return _stream("wide", _WIDE, row)


def _object(**members: str | Json) -> Json:
    return {"type": ["null", "object"], "properties": {name: _property(said) for name, said in members.items()}}


def _array(of: Json) -> Json:
    return {"type": ["null", "array"], "items": of}


_PERSON = _object(
    id="integer",
    username="string",
    name="string",
    state="string",
    locked="boolean",
    avatar_url="string",
    web_url="string",
)
_ISSUE: dict[str, str | Json] = {
    "_links": _object(
        self="string", notes="string", award_emoji="string", project="string", closed_as_duplicate_of="string"
    ),
    "assignee": _PERSON,
    "assignees": _array(_PERSON),
    "author": _PERSON,
    "blocking_issues_count": "integer",
    "closed_at": "date-time",
    "closed_by": _PERSON,
    "confidential": "boolean",
    "created_at": "date-time",
    "description": "string",
    "discussion_locked": "boolean",
    "downvotes": "integer",
    "due_date": "string",
    "has_tasks": "boolean",
    "id": "integer",
    "iid": "integer",
    "issue_type": "string",
    "labels": _array({"type": "string"}),
    "merge_requests_count": "integer",
    "milestone": _object(
        id="integer",
        iid="integer",
        group_id="integer",
        title="string",
        description="string",
        state="string",
        created_at="date-time",
        updated_at="date-time",
        due_date="string",
        start_date="string",
        expired="boolean",
        web_url="string",
    ),
    "moved_to_id": "integer",
    "project_id": "integer",
    "references": _object(short="string", relative="string", full="string"),
    "severity": "string",
    "state": "string",
    "task_completion_status": _object(count="integer", completed_count="integer"),
    "time_stats": _object(
        time_estimate="integer",
        total_time_spent="integer",
        human_time_estimate="string",
        human_total_time_spent="string",
    ),
    "title": "string",
    "updated_at": "date-time",
    "upvotes": "integer",
    "user_notes_count": "integer",
    "web_url": "string",
    "weight": "integer",
}
_HOST = "https://gitlab.example.com"


def _person(number: int) -> Json:
    return {
        "id": number,
        "username": f"user{number}",
        "name": f"User Number {number}",
        "state": "active",
        "locked": False,
        "avatar_url": f"{_HOST}/uploads/-/system/user/avatar/{number}/avatar.png",
        "web_url": f"{_HOST}/user{number}",
    }


def _milestone(number: int) -> Json:
    return {
        "id": 900 + number,
        "iid": number,
        "group_id": 7,
        "title": f"1.{number}",
        "description": "Everything that customers asked for",
        "state": "active",
        "created_at": _moment(number),
        "updated_at": _moment(number + 100),
        "due_date": "2026-12-24",
        "start_date": None,
        "expired": False,
        "web_url": f"{_HOST}/groups/shop/-/milestones/{number}",
    }


def _issue_row(n: int, chance: random.Random) -> Json:
    project, iid, closed = n % 40, n // 40, n % 3 == 0
    api, page = f"{_HOST}/api/v4/projects/{project}", f"{_HOST}/shop/project{project}"
    assignees = [_person(chance.randrange(300)) for _ in range(n % 3)]
    description = "\n\n".join(_words(chance, 40) for _ in range(1 + n % 7))
    return {
        "id": 1_000_000 + n,
        "iid": iid,
        "project_id": project,
        "title": _words(chance, 8),
        "description": description + '\n\n- [ ] one "quoted" thing\n- [x] another\n',
        "state": "closed" if closed else "opened",
        "created_at": _moment(n),
        "updated_at": _moment(n + 5000),
        "closed_at": _moment(n + 4000) if closed else None,
        "closed_by": _person(chance.randrange(300)) if closed else None,
        "labels": chance.sample(("bug", "feature", "ux", "security", "backend", "frontend"), k=n % 4),
        "milestone": _milestone(n % 9) if n % 2 else None,
        "assignees": assignees,
        "author": _person(chance.randrange(300)),
        "assignee": assignees[0] if assignees else None,
        "user_notes_count": chance.randrange(30),
        "merge_requests_count": n % 2,
        "upvotes": n % 5,
        "downvotes": 0,
        "due_date": "2026-12-24" if n % 5 == 0 else None,
        "confidential": n % 50 == 0,
        "discussion_locked": None,
        "issue_type": "issue",
        "web_url": f"{page}/-/issues/{iid}",
        "time_stats": {
            "time_estimate": 3600 * (n % 8),
            "total_time_spent": 0,
            "human_time_estimate": f"{n % 8}h",
            "human_total_time_spent": None,
        },
        "task_completion_status": {"count": 2, "completed_count": 1},
        "weight": n % 13 or None,
        "blocking_issues_count": 0,
        "has_tasks": True,
        "severity": "UNKNOWN",
        "moved_to_id": None,
        "_links": {
            "self": f"{api}/issues/{iid}",
            "notes": f"{api}/issues/{iid}/notes",
            "award_emoji": f"{api}/issues/{iid}/award_emoji",
            "project": api,
            "closed_as_duplicate_of": None,
        },
        "references": {"short": f"#{iid}", "relative": f"#{iid}", "full": f"shop/project{project}#{iid}"},
    }


def issues() -> Stream:
    """GitLab's issues as its API gives them: long text, objects and lists, in another order than the schema's."""
    return _stream("issues", _ISSUE, _issue_row)


def five() -> tuple[Stream, ...]:
    """Five streams of the narrow kind."""
    return tuple(narrow(name) for name in ("customers", "invoices", "orders", "payments", "shipments"))


# ── dialects ─────────────────────────────────────────────────────────────────────────────────────

SINGER_PYTHON = Dialect("singer-python", (", ", ": "), {})
PIPELINEWISE = Dialect(
    "pipelinewise", (",", ":"), {"version": 1_700_000_000_000, "time_extracted": "2026-11-21T03:18:25.123456Z"}
)
SINGER_SDK = Dialect("singer-sdk", (",", ":"), {"time_extracted": "2026-11-21T03:18:25.123456+00:00"})


class _Pen:
    """Writes messages the way a dialect does."""

    def __init__(self, dialect: Dialect) -> None:
        self._encode = json.JSONEncoder(separators=dialect.separators).encode
        _, self._separator = dialect.separators
        # Everything but the record is the same in each line, and a tap's own slowness is not what is measured.
        self._tail = self._encode(dialect.after_record)[1:] if dialect.after_record else "}"
        self._comma = dialect.separators[0] if dialect.after_record else ""

    def record(self, stream: str, record: str) -> str:
        head = self._encode({"type": "RECORD", "stream": stream, "record": 0})[:-2]
        return f"{head}{record}{self._comma}{self._tail}\n"

    def bare(self, record: Json) -> str:
        return self._encode(record)

    def schema(self, stream: Stream) -> str:
        schema = {"type": "object", "properties": stream.properties}
        message = {"type": "SCHEMA", "stream": stream.name, "schema": schema, "key_properties": list(stream.key)}
        return self._encode(message) + "\n"

    def state(self, rows: int) -> str:
        return self._encode({"type": "STATE", "value": {"bookmarks": {"rows": {"n": rows}}}}) + "\n"


# ── files ────────────────────────────────────────────────────────────────────────────────────────

Order = Callable[[], Iterable[tuple[Stream, int]]]
"""Which row of which stream comes next."""


class Store:
    """A folder of data. What was asked for is there once the store is filled; what is there is not made again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._asked: dict[Path, tuple[Data, Order, Dialect]] = {}

    def one(self, stream: Stream, rows: int, dialect: Dialect = SINGER_PYTHON) -> Data:
        """Rows of one stream, and nothing but a STATE now and then between them."""
        name = f"{stream.name}, {'keyed, ' if stream.key else ''}{dialect.name}"
        return self._ask(name, (stream,), rows, lambda: zip(repeat(stream), range(rows)), dialect)

    def changes(self, stream: Stream, rows: int, of: int) -> Data:
        """A row again for some of the numbers below `of`, in no order."""

        def order() -> Iterable[tuple[Stream, int]]:
            return zip(repeat(stream), random.Random(_SEED).sample(range(of), rows))

        return self._ask(f"{stream.name}, changed of {of}", (stream,), rows, order, SINGER_PYTHON)

    def in_runs(self, streams: tuple[Stream, ...], rows: int) -> Data:
        """`rows` in all, each stream from its beginning to its end before the next one."""

        def order() -> Iterable[tuple[Stream, int]]:
            return chain.from_iterable(zip(repeat(stream), range(rows // len(streams))) for stream in streams)

        return self._ask(f"{len(streams)} streams, in runs", streams, rows, order, SINGER_SDK)

    def interleaved(self, streams: tuple[Stream, ...], rows: int) -> Data:
        """The same rows, the streams in turns: with each record it may be another one."""

        def order() -> Iterable[tuple[Stream, int]]:
            turns = [stream for stream in streams for _ in range(rows // len(streams))]
            random.Random(_SEED).shuffle(turns)
            numbers = {stream.name: iter(range(rows)) for stream in streams}
            return ((stream, next(numbers[stream.name])) for stream in turns)

        return self._ask(f"{len(streams)} streams, interleaved", streams, rows, order, SINGER_SDK)

    def fill(self) -> None:
        """Makes what was asked for, several files at a time. What an earlier version of this file made goes."""
        version, stamp = hashlib.sha256(Path(__file__).read_bytes()).hexdigest(), self._folder / "version"
        self._folder.mkdir(parents=True, exist_ok=True)
        if not stamp.exists() or stamp.read_text() != version:
            for made in (*self._folder.glob("*.messages"), *self._folder.glob("*.jsonl")):
                made.unlink()
            stamp.write_text(version)
        missing = [asked for path, asked in self._asked.items() if not path.exists()]
        # Forked, because the streams are functions; nothing else runs here yet.
        context = multiprocessing.get_context("fork")
        writers = [context.Process(target=_write, args=asked) for asked in missing]
        for turn in range(0, len(writers), _AT_A_TIME):
            together = writers[turn : turn + _AT_A_TIME]
            for writer in together:
                writer.start()
            for writer in together:
                writer.join()
        if failed := [data.name for data, *_ in missing if not data.messages.exists()]:
            raise RuntimeError(f"could not be made: {', '.join(failed)}")

    def _ask(self, name: str, streams: tuple[Stream, ...], rows: int, order: Order, dialect: Dialect) -> Data:
        plain = f"{name.replace(', ', '-').replace(' ', '-')}-{rows}"
        data = Data(name, rows, self._folder / f"{plain}.messages", self._folder / f"{plain}.jsonl", streams)
        self._asked[data.messages] = (data, order, dialect)
        return data


def _write(data: Data, order: Order, dialect: Dialect) -> None:
    aside = data.messages.with_suffix(".aside")
    with aside.open("w") as messages, data.bare.open("w") as bare:
        for line, record in _lines(data.streams, order(), _Pen(dialect)):
            messages.write(line)
            bare.write(record)
    os.replace(aside, data.messages)


def _lines(streams: tuple[Stream, ...], order: Iterable[tuple[Stream, int]], pen: _Pen) -> Iterator[tuple[str, str]]:
    """Each line of messages, with the bare record in it, if it has one."""
    # Each stream has its own, so that its rows do not depend on the order in which streams take turns.
    chances = {stream.name: random.Random(_SEED) for stream in streams}
    for stream in streams:
        yield pen.schema(stream), ""
    count = 0
    for count, (stream, n) in enumerate(order, 1):
        record = pen.bare(stream.row(n, chances[stream.name]))
        yield pen.record(stream.name, record), record + "\n"
        if count % ROWS_A_STATE == 0:
            yield pen.state(count), ""
    yield pen.state(count), ""
