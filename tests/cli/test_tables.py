"""Rows for people and for programs."""

import csv
import io

from orchestrator.cli.tables import Column, as_csv, grid, table


def test_numbers_stand_at_the_right_and_words_at_the_left():
    assert grid(["stream", "rows"], [["issues", 38963], ["projects", None]], indent="  ").split("\n") == [
        "  stream      rows",
        "  issues    38 963",
        "  projects       –",
    ]


def test_wide_letters_and_accents_take_the_room_that_a_terminal_gives_them():
    lines = grid(["name", "x"], [["日本", "1"], ["Zoë", "2"], ["e\u0301te\u0301", "3"]]).split("\n")

    assert lines == ["name  x", "日本  1", "Zoë   2", "e\u0301te\u0301   3"]


def test_nothing_in_a_cell_moves_the_cursor():
    assert grid(["text"], [["a\nb\t\x1b[31mred"]]).split("\n") == ["text", r"a\nb\t\x1b[31mred"]


def test_a_cell_is_cut_where_there_is_no_room():
    assert grid(["text"], [["0123456789"]], widest=5).split("\n") == ["text", "0123…"]


def test_a_table_without_rows_is_its_head():
    columns: list[Column[object]] = [Column("stream", str), Column("rows", str)]

    assert table(columns, []) == "stream  rows"


def test_csv_reads_back_whatever_is_in_it():
    values = [["a,b", 'say "x"'], ["two\nlines", "日本"]]

    assert [*csv.reader(io.StringIO(as_csv(["one", "other"], values)))] == [["one", "other"], *values]
