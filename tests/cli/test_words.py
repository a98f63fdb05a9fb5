"""Values as people read them."""

import pytest

from orchestrator.cli.words import (
    Moment,
    Rate,
    Seconds,
    counted,
    document,
    duration,
    in_words,
    moment,
    number,
    raw,
    size,
)


@pytest.mark.parametrize(("value", "words"), [(0, "0"), (999, "999"), (39177, "39 177"), (-1234567, "-1 234 567")])
def test_thousands_stand_apart(value, words):
    assert number(value) == words


def test_one_is_singular():
    assert [counted(each, "row") for each in (0, 1, 39177)] == ["0 rows", "1 row", "39 177 rows"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.6, "1 min"),
        (72.4, "1 min 12 s"),
        (900, "15 min"),
        (7505, "2 h 5 min"),
        (86400, "1 day"),
        (3 * 86400 + 4 * 3600 + 59, "3 days 4 h"),
    ],
)
def test_a_duration_has_at_most_two_units(seconds, words):
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(999, "999 B"), (1500, "1.5 kB"), (999_600, "1.0 MB"), (64_000_000, "64 MB"), (12_345_678_901, "12 GB")],
)
def test_a_size_is_decimal(value, words):
    assert size(value) == words


def test_a_time_is_shown_where_we_are_and_written_where_it_is_the_same_for_all(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    import time

    time.tzset()
    try:
        assert moment("2026-11-20T21:02:10.123Z") == "2026-11-21 06:02:10 JST"
    finally:
        monkeypatch.undo()
        time.tzset()
    assert '"2026-11-20T21:02:10.123Z"' in document(at=Moment("2026-11-20T21:02:10.123Z"))


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "–"), ((), "–"), (True, "✓"), (False, "–"), (("a", "b"), "a, b"), (Rate(2140), "2 140/s"), (Rate(0), "–")],
)
def test_what_is_not_there_is_a_dash(value, words):
    assert in_words(value) == words


def test_a_document_tells_its_schema_and_holds_a_state_as_the_tap_wrote_it():
    written = document(state=raw(b'{"at": 1.10}'), took=Seconds(0.5), rows={"issues": 3})

    assert written.startswith('{"schema":1,')
    assert "\n" not in written
    assert '"at": 1.10' in written
    assert '"took":0.5' in written
