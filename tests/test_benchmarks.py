"""The benchmarks work: their rows are what they seem to be, and both tables come out at the end."""

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from benchmarks.data import PIPELINEWISE, SINGER_PYTHON, SINGER_SDK, Data, Store, five, issues, narrow, wide
from benchmarks.measuring import CannotStart, Failed, Results, Trial, Usage, measure
from benchmarks.programs import bare, duckdb_alone, load, prepare
from benchmarks.table import Figure, figure_table, ratio, usage_table

NARROW = Data("narrow", 1000, Path(), Path(__file__), (narrow(),))


@pytest.mark.parametrize(
    ("stream", "dialect"),
    [(narrow(), SINGER_PYTHON), (narrow(), PIPELINEWISE), (wide(), SINGER_SDK), (issues(), SINGER_PYTHON)],
    ids=lambda each: each.name,
)
def test_the_rows_that_we_load_are_those_that_duckdb_reads(tmp_path, stream, dialect):
    store = Store(tmp_path / "data")
    data = store.one(stream, 300, dialect)
    store.fill()

    prepare(load("duckdb")(tmp_path), data.messages)
    prepare(duckdb_alone("read_json", *bare(data), tmp_path / "alone"))

    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{tmp_path / 'rows'}' AS ours; ATTACH '{tmp_path / 'alone'}' AS alone")
        # DuckDB writes JSON without spaces, we as it came.
        columns = ", ".join(f'json("{name}")' if type == "JSON" else f'"{name}"' for name, type in stream.types.items())
        ours, theirs = f"SELECT {columns} FROM ours.{stream.name}", f"SELECT {columns} FROM alone.rows"
        assert connection.execute(f"SELECT count(*) FROM ({ours})").fetchall() == [(300,)]
        assert connection.execute(f"SELECT count(*) FROM ({ours} EXCEPT ALL {theirs})").fetchall() == [(0,)]
        assert connection.execute(f"DESCRIBE {ours}").fetchall() == connection.execute(f"DESCRIBE {theirs}").fetchall()


def test_streams_that_take_turns_have_the_same_rows_as_streams_in_runs(tmp_path):
    store = Store(tmp_path)
    in_turns, in_runs = store.interleaved(five(), 500), store.in_runs(five(), 500)
    store.fill()

    assert sorted(in_turns.bare.read_text().splitlines()) == sorted(in_runs.bare.read_text().splitlines())
    assert in_turns.messages.read_text() != in_runs.messages.read_text()


def test_data_is_made_once_and_again_when_it_would_be_another(tmp_path):
    def made() -> int:
        store = Store(tmp_path / "data")
        data = store.one(narrow(), 10)
        store.fill()
        return data.messages.stat().st_mtime_ns

    first = made()
    assert made() == first
    (tmp_path / "data" / "version").write_text("an earlier one")
    assert made() != first


def test_every_question_but_that_of_peers_gets_an_answer(tmp_path):
    questions = ("append", "upsert", "streams", "memory", "commits", "run", "batch", "archive", "schedules")

    bench = [sys.executable, "-m", "benchmarks", "--rows=200", "--rounds=1", f"--cache={tmp_path}", *questions]
    done = subprocess.run(bench, capture_output=True, text=True, check=True)

    usages, _, figures = done.stdout.rpartition("\n\n")
    assert "narrow, singer-python" in usages
    assert "exit code" not in done.stdout
    *answers, archive, _, _, _, _, _ = [line.rsplit(maxsplit=1)[1] for line in figures.splitlines()[2:]]
    assert len(answers) == 16
    assert set(answers) <= {"ok", "missed"}
    # So few rows cost an archive nothing that could be measured.
    assert archive in ("ok", "start")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_what_a_program_and_its_children_take_is_counted(tmp_path):
    burn = "while time.process_time() < 0.3: pass"
    program = f"import subprocess, sys, time; subprocess.run([sys.executable, '-c', 'import time\\n{burn}'])\n{burn}"

    used = measure(Trial("burns", NARROW, lambda folder: [sys.executable, "-c", program]), tmp_path)

    assert isinstance(used, Usage)
    assert used.cpu > 0.6
    assert used.wall > 0.6
    assert used.peak > 5e6


def test_a_program_that_fails_or_is_not_there_is_shown_with_the_reason(tmp_path):
    def not_there(folder: Path) -> list[str]:
        raise CannotStart("does not install: no wheel")

    broken = Trial("broken", NARROW, lambda folder: [sys.executable, "-c", "raise OSError('no disk')"])
    missing = Trial("missing", NARROW, not_there)
    results = Results({trial: [measure(trial, tmp_path)] for trial in (broken, missing)})

    assert results.of(broken) == Failed("exit code 1: OSError: no disk")
    assert "does not install: no wheel" in usage_table([missing], results)
    assert "no disk" in figure_table([ratio("broken ÷ missing", 1, results, broken, missing)])


def test_of_several_runs_the_least_counts_less_what_the_program_needs_to_start(tmp_path):
    empty = Trial("loader", Data("narrow", 10, Path(), Path(__file__), ()), lambda folder: [])
    trial = Trial("loader", NARROW, lambda folder: [], empty=empty)
    results = Results({empty: [Usage(1, 2, 5e6)], trial: [Usage(4, 9, 7e6), Usage(3, 6, 8e6)]})

    assert results.net(trial) == Usage(2, 4, 8e6)
    assert "2000.00" in usage_table([empty, trial], results)
    assert isinstance(Results({empty: [Usage(3, 2, 5e6)], trial: [Usage(3, 6, 8e6)]}).net(trial), Failed)


def test_a_figure_is_ok_at_its_bar_and_missed_beyond_it():
    cells = [Figure("append", 2.0, reached).cells[-1] for reached in (1.9, 2.0, 2.1)]
    assert cells == ["ok", "ok", "missed"]
    assert Figure("peers", 10, 12.5, at_least=True).cells == ("peers", "12.50", "≥ 10", "ok")
    assert Figure("peers", 10, 9.9, at_least=True).cells[-1] == "missed"
    assert Figure("quarantine", 1.5, None, why="not there yet").cells == ("quarantine", "–", "≤ 1.5", "not there yet")
