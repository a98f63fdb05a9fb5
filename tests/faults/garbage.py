"""Recorded streams of real taps with their bytes mangled: what cannot be a message is told, and the rest lands."""

import json
import multiprocessing
import random
import re
import signal
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path
from types import FrameType

from orchestrator import load_messages
from orchestrator.errors import OrchestratorError, RunFailed
from orchestrator.events import Note
from tests.faults.figures import Figure
from tests.load_path.places import KINDS, Place

STREAMS = 2000
PATIENCE = 60
"""Seconds for one stream; whoever takes longer hangs."""

RECORDED = [path.read_bytes() for path in sorted((Path(__file__).parents[1] / "recorded").glob("*.jsonl"))]
# Without keys nothing is matched, and each row that came must be there.
SOURCES = [*RECORDED, *(re.sub(rb'"key_properties": ?\[[^]]*\]', b'"key_properties":[]', each) for each in RECORDED)]

WHOLE, SET_ASIDE, REFUSED = USUAL = ("land whole", "land with lines set aside", "end with an error")
TYPES = ("RECORD", "SCHEMA", "STATE", "ACTIVATE_VERSION", "BATCH")


def figures(folder: Path) -> Iterator[Figure]:
    # Whoever hangs or crashes does so in a process of its own.
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("forkserver")) as pool:
        seen = Counter(pool.map(outcome, range(STREAMS), repeat(folder)))
    complaints = {what: seen.pop(what) for what in list(seen) if what not in USUAL}
    told = [f"{count} {what}" for what, count in sorted(seen.items())]
    yield Figure(
        f"garbage on stdout: {STREAMS} recorded streams, mangled byte by byte",
        "no crash, no hang, never silent: each line lands, is noted, set aside, or named by the error",
        ", ".join([*told, f"{len(complaints)} complaints", *list(complaints)[:5]]),
        not complaints,
    )


def outcome(seed: int, folder: Path) -> str:
    """What became of the stream of this number, in a word of `USUAL`; or a complaint."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        try:
            with _patience():
                return judged(mangled(seed), KINDS[seed % len(KINDS)], Path(place))
        except Exception as error:
            return f"stream {seed}: {type(error).__name__}: {str(error)!a}"[:300]


# ── mangling ─────────────────────────────────────────────────────────────────────────────────────


def mangled(seed: int) -> bytes:
    """A recorded stream after one to four mishaps."""
    chance = random.Random(seed)
    text = chance.choice(SOURCES)
    for _ in range(chance.choice([1, 1, 2, 4])):
        text = chance.choice(MISHAPS)(chance, text)
    return text


def _flip(chance: random.Random, text: bytes) -> bytes:
    mangled = bytearray(text)
    for _ in range(chance.choice([1, 5])):
        if mangled:
            mangled[chance.randrange(len(mangled))] ^= 1 << chance.randrange(8)
    return bytes(mangled)


def _drop(chance: random.Random, text: bytes) -> bytes:
    start, end = _part(chance, text)
    return text[:start] + text[end:]


def _duplicate(chance: random.Random, text: bytes) -> bytes:
    start, end = _part(chance, text)
    return text[:end] + text[start:]


def _truncate(chance: random.Random, text: bytes) -> bytes:
    return text[: chance.randint(0, len(text))]


def _insert(chance: random.Random, text: bytes) -> bytes:
    at = chance.randint(0, len(text))
    return text[:at] + chance.choice([chance.randbytes(chance.randint(1, 40)), *ODDITIES]) + text[at:]


def _insert_a_line(chance: random.Random, text: bytes) -> bytes:
    at = text.rfind(b"\n", 0, chance.randint(0, len(text))) + 1
    return text[:at] + chance.choice([*NOISE, *ODDITIES]) + b"\n" + text[at:]


def _splice(chance: random.Random, text: bytes) -> bytes:
    """As two processes that write to one pipe: amid a line the other one has its say."""
    other = chance.choice(SOURCES)
    at = chance.randint(0, len(text))
    start, end = _part(chance, other)
    return text[:at] + other[start:end] + text[at:]


def _other_value(chance: random.Random, text: bytes) -> bytes:
    """A value takes the place of another one, and the line stays JSON, most often."""
    values = list(re.finditer(rb'(?<=[:\[])\s*(?:-?\d[\d.]*|null|true|false|"[^"\\]*")', text))
    if not values:
        return text
    found = chance.choice(values)
    return text[: found.start()] + chance.choice(VALUES) + text[found.end() :]


def _part(chance: random.Random, text: bytes) -> tuple[int, int]:
    """A few bytes, or many."""
    start = chance.randint(0, len(text))
    return start, min(len(text), start + chance.choice([1, 3, 50, 2000]))


MISHAPS: list[Callable[[random.Random, bytes], bytes]] = [
    _flip,
    _drop,
    _duplicate,
    _truncate,
    _insert,
    _insert_a_line,
    _splice,
    _other_value,
    _other_value,
]
ODDITIES = [
    b"\n",
    b"\r\n",
    b"\r",
    b"\x00",
    b"\x00" * 5000,
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xc3",
    b"\xed\xa0\x80",
    "\u2028".encode(),
    b"\\ud800",
    b"\\u0000",
    b"}\n{",
    b"}{",
    b'"',
    b"[" * 100_000,
    b'{"a":' * 3000,
    b"x" * 3_000_000,
]
NOISE = [
    b"Traceback (most recent call last):",
    b"INFO starting sync",
    b"null",
    b"[]",
    b"{}",
    b"42",
    b'{"type": "RECORD"}',
    b'{"type": 7}',
    b'{"type": "HELLO", "value": 1}',
    b'{"type": "STATE", "value": {"a": [1, 2, {"b": "c"}]}}',
    b'{"type": "STATE", "value": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    b'{"type": "RECORD", "stream": "nobody", "record": {"id": 1}}',
    b'{"type": "RECORD", "stream": "\\u0000", "record": {}}',
    b'{"type": "SCHEMA", "stream": "later", "schema": {"properties": {"id": {"type": "integer"}}}}',
    b'{"type": "ACTIVATE_VERSION", "stream": "nobody", "version": 1}',
    b'{"type": "BATCH", "stream": "nobody", "manifest": []}',
]
VALUES = [
    b"null",
    b"{}",
    b"[]",
    b'""',
    b"true",
    b"-1",
    b"1e400",
    b"1e-400",
    b"NaN",
    b"-Infinity",
    b"9" * 40,
    b"9" * 20_000,
    b"0." + b"3" * 200,
    b"9223372036854775808",
    b'"\\ud800"',
    b'"\\u0000"',
    b'"' + b"y" * 1_000_000 + b'"',
    b"[" * 900 + b"]" * 900,
    b"[" * 50_000 + b"]" * 50_000,
    b'{"a":{"b":[1,"c",null]}}',
    b'"0000-00-00"',
    b'"9999-12-31T23:59:60+14:00"',
]


# ── judging ──────────────────────────────────────────────────────────────────────────────────────


def judged(text: bytes, kind: str, folder: Path) -> str:
    """What became of it, once as a run that sets bad lines aside and once as one that ends with the first. Raises
    AssertionError where something is not told, and whatever a crash raises."""
    lenient, strict = (Place(kind, folder / name) for name in ("lenient", "strict"))
    for place in (lenient, strict):
        place.folder.mkdir()
    states: list[bytes] = []
    try:
        strict.load_here(_blocks(text), states, commit_rows=1)
        first = None
    except RunFailed as error:
        first = _line_of(error)
    assert strict.state() == (states[-1] if states else None), "what was acknowledged is not what is kept"

    notes: list[str] = []
    loaded = None
    try:
        loaded = load_messages(
            _blocks(text),
            lenient.to,
            on_bad_line="quarantine",
            listen=lambda event: notes.append(event.text if isinstance(event, Note) else ""),
        )
    except RunFailed as error:
        _line_of(error)
    if loaded is None:
        assert first is not None, "only a run that sets lines aside fails"
        return REFUSED
    aside = {row["line"]: row for row in lenient.quarantine()}
    assert (first is None) == (not aside), f"line {first} ends one run, and another sets {sorted(aside)} aside"
    assert first is None or first in aside, f"line {first} ends one run, and another lets it land"
    lines = text.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    for number, row in aside.items():
        raw = lines[number - 1].decode("utf-8", "backslashreplace")
        kept = (row["run"], row["text"], bool(row["reason"]))
        assert kept == (1, raw, True), f"line {number} is set aside as another one"
    others = {n: line for n, line in enumerate(lines, 1) if n not in aside and line.strip(b" \t\r")}
    _check_landed(others, loaded.committed, notes, lenient)
    assert sum(loaded.quarantined.values()) == len(aside), "the summary counts other lines than are set aside"
    return SET_ASIDE if aside else WHOLE


def _line_of(error: OrchestratorError) -> int:
    """The line that it names."""
    found = re.search(r"line (\d+)", error.message)
    assert found, f"it names no line: {error}"
    return int(found[1])


def _check_landed(lines: Mapping[int, bytes], committed: Mapping[str, int], notes: Sequence[str], place: Place) -> None:
    """Each of the lines, by its number, is a message, and each record landed."""
    records: Counter[str] = Counter()
    keyed = set()
    for number, line in lines.items():
        # Of a number counts that it is one, however long.
        message = json.loads(line.decode(), parse_int=len, parse_constant=str)
        type_ = message["type"].upper()
        # Half a character is written as its number.
        shown = message["type"].encode("utf-8", "backslashreplace").decode()
        assert type_ in TYPES or any(shown in note for note in notes), f"line {number} is skipped silently"
        if type_ == "RECORD":
            records[message["stream"]] += 1
        elif type_ == "SCHEMA" and message.get("key_properties"):
            keyed.add(message["stream"])
    assert committed == records, "other rows are counted than came"
    if any(b"ACTIVATE_VERSION" in line or b"_sdc_deleted_at" in line for line in lines.values()):
        return
    landed = {stream: len(table.rows) for stream, table in place.tables().items()}
    assert {s: landed[s] for s in records.keys() - keyed} == {s: records[s] for s in records.keys() - keyed}
    assert all(0 < landed[stream] <= records[stream] for stream in records.keys() & keyed)


def _blocks(text: bytes, size: int = 7000) -> Iterator[bytes]:
    return (text[start : start + size] for start in range(0, len(text), size))


@contextmanager
def _patience() -> Iterator[None]:
    def lose(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"not done after {PATIENCE} s")

    before = signal.signal(signal.SIGALRM, lose)
    signal.alarm(PATIENCE)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
