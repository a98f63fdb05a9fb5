"""A run as it is watched."""

import pytest

from orchestrator.cli.watching import Rates, clock, streams, watched
from orchestrator.events import Note, Progress, RunStarted

STARTED = RunStarted("shop", 7, "tap-fake 1.0", "warehouse", 4711)


def progress(seconds, **read):
    return Progress("shop", 7, seconds, read=read)


def test_a_rate_is_that_of_the_last_few_seconds():
    rates = Rates()

    told = [rates.of(progress(seconds, issues=rows)) for seconds, rows in ((0, 0), (1, 100), (20, 100), (21, 600))]

    assert told == [{}, {"issues": 100}, {"issues": 0}, {"issues": 500}]


def test_each_stream_has_its_line():
    now = Progress(
        "shop", 7, 41.0, {"issues": 38963, "projects": 214}, {"issues": 38652}, {"issues": "2026-11-20T21:02:10Z"}
    )

    lines = streams(now, {"issues": 2140}).split("\n")

    assert lines[1:] == [
        "  issues    38 963     38 652  2 140/s  2026-11-20T21:02:10Z",
        "  projects     214          0        –  –",
    ]


@pytest.mark.parametrize(("seconds", "shown"), [(41.9, "00:41"), (3599, "59:59"), (3 * 3600 + 62, "3:01:02")])
def test_the_clock_shows_hours_when_there_are_any(seconds, shown):
    assert clock(seconds) == shown


def test_without_a_terminal_a_line_is_told_every_ten_seconds(capsys):
    with watched() as listen:
        listen(STARTED)
        for second in range(26):
            listen(progress(second, issues=second * 1000))
        listen(Note("careful"))
        listen(STARTED)
        listen(progress(11, issues=5))

    assert capsys.readouterr().err.splitlines() == [
        "shop  tap-fake 1.0 → warehouse  run 7",
        "shop  00:10  10 000 rows read, 0 committed, 1 000/s",
        "shop  00:20  20 000 rows read, 0 committed, 1 000/s",
        "note: careful",
        "shop  tap-fake 1.0 → warehouse  run 7",
        "shop  00:11  5 rows read, 0 committed, 0/s",
    ]
