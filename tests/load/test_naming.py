"""Any name a tap gives becomes one that SQL and file systems take, and no two meet."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.load.naming import name_for, path_of, said_of


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("orders", "orders"),
        ("Orders", "Orders"),
        ("_sdc_x", "_sdc_x"),
        ("merge-requests", "merge_requests"),
        ("a.b/c d", "a_b_c_d"),
        ('a"; DROP TABLE b; --', "a___DROP_TABLE_b____"),
        ("größe", "größe"),
        ("u\u0308ber", "über"),
        ("注文", "注文"),
        ("1st", "1st"),
        ("..", "__"),
        ("", "_"),
        ("\x00\ud800", "__"),
    ],
)
def test_letters_digits_and_underscores_stay_and_anything_else_becomes_an_underscore(said, name):
    assert name_for(said, ()) == name


def test_a_name_that_meets_another_gets_a_suffix_made_of_what_the_tap_said():
    assert name_for("a-b", ["a_b"]).startswith("a_b_")
    assert name_for("Orders", ["orders"]).startswith("Orders_")
    assert name_for("STRASSE", ["straße"]).startswith("STRASSE_")
    assert name_for("a-b", ["a_b"]) != name_for("a.b", ["a_b"])


def test_a_suffix_does_not_depend_on_who_was_there_before():
    assert name_for("a-b", ["a_b"]) == name_for("a-b", ["x", "A_B", "a_b"])


def test_a_suffix_grows_where_it_meets_another():
    first = name_for("a-b", ["a_b"])

    second = name_for("a-b", ["a_b", first.upper()])

    assert second.startswith(first)
    assert len(second) == len(first) + 1


@pytest.mark.parametrize("said", ["x" * 121, "x" * 1_000_000, "注" * 100, "😀" * 100, "\U00020000" * 60])
def test_a_long_name_is_cut_and_stays_distinct(said):
    name, other = name_for(said, ()), name_for(said + "y", ())

    assert len(name) <= 120
    assert len(name.encode()) <= 200
    assert name != other


def test_a_name_of_120_characters_stays_whole():
    assert name_for("x" * 120, ()) == "x" * 120


def test_a_name_is_the_same_in_every_process():
    program = "from orchestrator.load.naming import name_for; print(name_for('a-b', ['a_b']), end='')"

    named = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True).stdout

    assert named == name_for("a-b", ["a_b"])


@settings(max_examples=10)
@given(st.lists(st.text(st.sampled_from("aAäÄßsS -_./\\\"'\x00😀注İı"), max_size=6), min_size=1000, max_size=1000))
def test_a_thousand_names_make_a_thousand_that_differ_in_more_than_case_and_are_safe_in_a_path(names):
    said = list(dict.fromkeys(f"{name}{number % 7}" for number, name in enumerate(names)))
    taken: list[str] = []
    for each in said:
        taken.append(name_for(each, taken))

    assert len({name.casefold() for name in taken}) == len(said)
    assert all(name and not set(name) & set("/\\.\"'\x00 \n") for name in taken)


def test_members_of_members_have_columns_that_tell_the_way_to_them():
    said = said_of(("user", "team", "na me"))

    assert path_of(said) == ("user", "team", "na me")
    assert name_for(said, ()) == "user__team__na_me"
    assert name_for(said_of(("a", "b")), ["a__b"]).startswith("a__b_")
    assert name_for(said_of(("a", "b")), ["a__b"]) != name_for("a__b", ["A__B"])


@given(st.lists(st.text(), min_size=1))
def test_a_way_to_a_member_is_read_as_it_was_written(path):
    if len(path) > 1 or path_of(path[0]) == (path[0],):
        assert path_of(said_of(path)) == tuple(path)


@pytest.mark.parametrize("said", ["user", "", '["a"]', '["a",1]', '["a", ', '["a","b"]', '[["a", "b"], "c"]'])
def test_any_other_name_is_that_of_a_property(said):
    assert path_of(said) == (said,)
