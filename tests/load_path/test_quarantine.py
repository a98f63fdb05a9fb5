"""What cannot land ends the load, or is set aside with its line and its reason while all that is good lands."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator import load_messages
from orchestrator.errors import BadBatch, BrokenSchema, RunFailed
from tests.destinations.landing import record, schema, state, text_of
from tests.faults.garbage import USUAL, outcome
from tests.load_path.places import KINDS, Place

ASIDE = ("--on-bad-line", "quarantine")
ORDERS = schema("orders", ["id"], id="integer", amount={"type": "number", "multipleOf": 0.01}, note=["null", "string"])


def order(id, amount=1, **more):
    return record("orders", id=id, amount=amount, **more)


def said(*lines):
    return b"".join(line if isinstance(line, bytes) else text_of(line) for line in lines)


BAD = [
    (b"Traceback (most recent call last):\n", None, "not a Singer message"),
    (b'{"type": "RECORD", "stream": "orders", "rec\n', None, "not a Singer message"),
    (said(order(8)).strip() + said(order(9)), None, "not a Singer message"),
    (b'{"type": "RECORD", "record": {"id": 1}}\n', None, "a RECORD names no stream"),
    (b'{"type": "STATE"}\n', None, "a STATE has no value"),
    (b'\xff\xfe {"type": "STATE", "value": 7}\n', None, "not a Singer message"),
    (b'{"type": "RECORD", "stream": "orders", "record": 7}\n', "orders", "the record is not an object"),
    (b'{"type": "RECORD", "stream": "orders", "record": {"id": 1}, "version": "2"}\n', "orders", "version is '2'"),
    (said(record("unknown", id=1)), "unknown", "the record comes before its SCHEMA"),
    (said(order("x")), "orders", 'id is "x": its SCHEMA promises integer'),
    (said(order(3, "abc")), "orders", 'amount is "abc": its SCHEMA promises decimal(38,2)'),
    (said(order(3)).replace(b'"amount": 1', b'"amount": 1e400'), "orders", "amount is 1e400"),
    (said(order(None)), "orders", "a record has no id, which is part of the key"),
    (said(record("orders", amount=1)), "orders", "a record has no id, which is part of the key"),
]
"""A line, the stream whose record it is, and what is said of it."""


def test_what_cannot_land_is_set_aside_and_everything_around_it_lands(place):
    lines = [said(order(100)), *(each for number, (line, *_) in enumerate(BAD) for each in (line, said(order(number))))]

    ended = place.load(said(ORDERS, *lines, state(1)), *ASIDE)

    assert (ended.exit_code, ended.states) == (0, [b"1"]), ended.err
    assert f"{len(BAD)} lines could not land" in ended.err
    assert [row["id"] for row in place.tables()["orders"].rows] == [100, *range(len(BAD))]
    aside = place.quarantine()
    assert [row["line"] for row in aside] == [3 + 2 * number for number in range(len(BAD))]
    for row, (line, stream, reason) in zip(aside, BAD, strict=True):
        assert (row["flow"], row["run"], row["stream"]) == ("load", 1, stream)
        assert reason in row["reason"]
        assert row["text"] == line.rstrip(b"\n").decode("utf-8", "backslashreplace")
        assert row["_sdc_received_at"] is not None


@pytest.mark.parametrize("line", [line for line, *_ in BAD])
def test_without_the_setting_it_ends_the_load(place, line):
    ended = place.load(said(ORDERS, order(1), state(1), line, order(2), state(2)), "--commit-rows", "1")

    assert (ended.exit_code, ended.states) == (1, [b"1"])
    assert "line 4: " in ended.err
    assert [row["id"] for row in place.tables()["orders"].rows] == [1]
    assert place.quarantine() == []


def test_all_bad_values_of_a_record_and_of_many_are_found(place):
    lines = [order("x", "y") if number % 3 else order(number, note="good") for number in range(10_000)]

    ended = place.load(said(ORDERS, *lines), *ASIDE)

    assert ended.exit_code == 0, ended.err
    good = [number for number in range(10_000) if number % 3 == 0]
    assert [row["id"] for row in place.tables()["orders"].rows] == good
    assert [row["line"] for row in place.quarantine()] == [number + 2 for number in range(10_000) if number % 3]


def test_a_few_among_thousands_are_found_whatever_comes_between(place):
    lines = [order(number) for number in range(12_000)]
    bad = {1500: b"{torn\n", 4200: said(order("x")), 4201: said(state(7)), 9000: b"\xff\n", 11_999: said(order(None))}

    ended = place.load(said(ORDERS, *(bad.get(number, line) for number, line in enumerate(lines))), *ASIDE)

    assert ended.exit_code == 0, ended.err
    assert [row["id"] for row in place.tables()["orders"].rows] == [n for n in range(12_000) if n not in bad]
    assert [row["line"] for row in place.quarantine()] == [1502, 4202, 9002, 12_001]


def test_records_of_a_batch_are_set_aside_one_by_one(place):
    folder = place.folder / "files"
    folder.mkdir()
    lines = [b'{"id": 1, "amount": 1}', b"nonsense", b'{"id": "x"}', b"\xff", b'{"id": 2}{"id": 3}', b'{"id": 4}']
    (folder / "a.jsonl.gz").write_bytes(gzip.compress(b"\n".join(lines)))
    encoding = {"format": "jsonl", "compression": "gzip"}
    batch = {"type": "BATCH", "stream": "orders", "encoding": encoding, "manifest": [str(folder / "a.jsonl.gz")]}

    ended = place.load(said(ORDERS, batch, state(1)), *ASIDE)

    assert ended.exit_code == 0, ended.err
    assert [row["id"] for row in place.tables()["orders"].rows] == [1, 4]
    aside = sorted((row["text"], row["line"], row["stream"]) for row in place.quarantine())
    assert aside == sorted((text, 2, "orders") for text in ("nonsense", '{"id": "x"}', "\\xff", '{"id": 2}{"id": 3}'))


def test_rows_of_a_parquet_file_are_set_aside_one_by_one(place):
    place.folder.mkdir(exist_ok=True)
    rows = [{"id": 1, "note": None}, {"id": None, "note": None}, {"id": 3, "note": "a"}]
    pyarrow.parquet.write_table(pa.Table.from_pylist(rows), place.folder / "a.parquet")
    batch = {"type": "BATCH", "stream": "orders", "encoding": {"format": "parquet"}, "manifest": ["a.parquet"]}

    ended = place.load(said(ORDERS, batch, order(1, note="later"), state(1)), *ASIDE)

    assert ended.exit_code == 0, ended.err
    assert [(row["id"], row["note"]) for row in place.tables()["orders"].rows] == [(3, "a"), (1, "later")]
    (row,) = place.quarantine()
    assert (row["text"], row["line"], row["stream"]) == ('{"id":null,"note":null}', 2, "orders")
    assert row["reason"].startswith("a record has no id, which is part of the key")


@pytest.mark.parametrize(
    "line",
    [
        b'{"type": "SCHEMA", "stream": "orders", "schema": {"properties": 7}}\n',
        b'{"type": "SCHEMA", "schema": {}}\n',
        b'{"type": "BATCH", "stream": "orders", "encoding": {"format": "avro"}, "manifest": []}\n',
        b'{"type": "BATCH", "stream": "orders", "encoding": {"format": "jsonl"}, "manifest": ["missing"]}\n',
    ],
)
def test_what_stands_for_many_records_ends_the_load_all_the_same(place, line):
    ended = place.load(said(ORDERS, order(1), state(1), line, order(2)), *ASIDE, "--commit-rows", "1")

    assert (ended.exit_code, ended.states) == (1, [b"1"])
    assert "line 4: " in ended.err


def test_a_tap_of_which_nothing_can_land_is_set_aside_whole(place):
    ended = place.load(b"first\nsecond\n", *ASIDE)

    assert (ended.exit_code, ended.states) == (0, []), ended.err
    assert "2 lines could not land" in ended.err
    assert [row["text"] for row in place.quarantine()] == ["first", "second"]


def test_a_stream_of_which_no_record_can_land_has_a_table_without_rows(place):
    bad = [order("x") | {"time_extracted": "2024-01-01T00:00:00Z", "version": 1} for _ in range(3)]

    ended = place.load(said(ORDERS, *bad, state(1)), *ASIDE)

    assert (ended.exit_code, ended.states) == (0, [b"1"]), ended.err
    assert [row["line"] for row in place.quarantine()] == [2, 3, 4]
    assert place.tables()["orders"].rows == []


def test_nothing_is_set_aside_before_its_commit(place):
    ended = place.load(
        said(ORDERS, b"first\n", state(1), b"second\n", {"type": "SCHEMA"}), *ASIDE, "--commit-rows", "1"
    )

    assert (ended.exit_code, ended.states) == (1, [b"1"])
    assert [row["text"] for row in place.quarantine()] == ["first"]


def test_each_load_adds_its_own(place):
    for run in (1, 2):
        place.load(said(ORDERS, b"noise\n", state(run)), *ASIDE)

    assert [(row["run"], row["text"]) for row in place.quarantine()] == [(1, "noise"), (2, "noise")]


# ── the whole schema ─────────────────────────────────────────────────────────────────────────────


def test_records_that_break_their_schema_are_set_aside_where_all_of_it_counts(place):
    lines = (order(1, 0.07), order(2, 0.075), order(3, note="x"), record("orders", id=4))

    ended = place.load(said(ORDERS, *lines), *ASIDE, "--validate", "full")

    assert ended.exit_code == 0, ended.err
    assert [row["id"] for row in place.tables()["orders"].rows] == [1, 3, 4]
    (row,) = place.quarantine()
    assert (row["line"], row["reason"]) == (3, "amount of id 2 breaks multipleOf: 0.075 is not a multiple of 0.01")


# ── anything at all ──────────────────────────────────────────────────────────────────────────────

LINES = [
    ORDERS,
    *(order(number, number / 100, note="a{}[]") for number in range(6)),
    state({"n": 6}),
    *(order(number) for number in range(6, 12)),
    state({"n": 12}),
]
CLEAN = said(*LINES)
places_in = st.integers(0, len(CLEAN) - 1)
mangling = st.one_of(
    st.tuples(st.just("flip"), places_in, st.integers(1, 255)),
    st.tuples(st.just("cut"), places_in, st.integers(1, 200)),
    st.tuples(st.just("repeat"), places_in, st.integers(1, 200)),
    st.tuples(st.just("insert"), places_in, st.binary(min_size=1, max_size=6)),
    st.tuples(st.just("insert"), places_in, st.sampled_from([b"\n", b"}\n{", b"{", b'"', b"\r", b"\x00", b"null\n"])),
)


def mangled(manglings):
    text = bytearray(CLEAN)
    for way, at, how in manglings:
        match way:
            case "flip" if at < len(text):
                text[at] ^= how
            case "cut":
                del text[at : at + how]
            case "repeat":
                text[at:at] = text[at : at + how]
            case "insert":
                text[at:at] = how
    return bytes(text)


def blocks(text, size):
    return (text[start : start + size] for start in range(0, len(text), size))


@pytest.mark.parametrize("kind", KINDS)
@given(manglings=st.lists(mangling, min_size=1, max_size=4), size=st.sampled_from([60, 700, 1 << 20]))
@settings(max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
def test_of_a_mangled_stream_each_line_lands_is_skipped_with_a_note_or_is_set_aside(
    kind, manglings, size, tmp_path_factory
):
    text = mangled(manglings)
    place, strict = (Place(kind, tmp_path_factory.mktemp("place")) for _ in range(2))
    notes: list[str] = []
    try:
        loaded = load_messages(
            blocks(text, size), place.to, on_bad_line="quarantine", listen=lambda event: notes.append(str(event))
        )
    except (BrokenSchema, BadBatch):
        return

    aside = place.quarantine()
    bad = {row["line"] for row in aside}
    assert sum(loaded.quarantined.values()) == len(aside) == len(bad)
    assert loaded.committed == {
        stream: count - loaded.quarantined.get(stream, 0)
        for stream, count in loaded.read.items()
        if count > loaded.quarantined.get(stream, 0)
    }
    for number, line in enumerate(text.split(b"\n"), 1):
        if number not in bad and line.strip(b" \t\r"):
            message = json.loads(line)
            assert message["type"].upper() in ("RECORD", "SCHEMA", "STATE", "ACTIVATE_VERSION", "BATCH") or notes

    states: list[bytes] = []
    try:
        strict.load_here(blocks(text, size), states, commit_rows=1)
        assert not bad
    except RunFailed:
        assert bad
    whole = strict.state()
    assert whole == (states[-1] if states else None)


@pytest.mark.parametrize("first", range(0, 100, 20))
def test_of_recorded_streams_that_are_mangled_nothing_is_lost_silently(first, tmp_path):
    """`make faults` tries two thousand."""
    outcomes = {outcome(seed, tmp_path) for seed in range(first, first + 20)}

    assert outcomes <= set(USUAL)
