"""What is taken of a tap is listed, and marked in lists on a terminal."""

import json

import pytest

from tests.cli.terminal import CTRL_C, DOWN, ENTER, on_a_terminal

SPACE = " "


@pytest.fixture
def three(shop):
    """Three streams, of which the tap takes all."""
    shop.source(
        issues={"rows": 3}, projects={"rows": 1, "key": [], "method": "FULL_TABLE"}, labels={"rows": 1, "drifts": 5}
    )
    return shop


def test_the_columns_of_a_stream_are_listed_with_what_decides_about_them(orchestrator, three):
    orchestrator("select", "fake", "issues", "labels", "!issues.name")

    said = orchestrator("select", "fake", "--list", "issues", "proj*")

    assert [line.split("  ", 1)[0] for line in said.out.splitlines()] == ["stream"] + ["issues"] * 4 + ["projects"] * 4
    rows = [" ".join(line.split()) for line in said.out.splitlines()]
    assert rows[1:5] == [
        "issues id integer ✓ key",
        "issues n integer ✓ bookmark",
        "issues name string or null – –",
        "issues at string (date-time) or null ✓ –",
    ]
    assert rows[5] == "projects id integer – –"
    assert three.config.tap("fake").select == ("issues", "labels", "!issues.name")


def test_a_list_is_for_programs_too(orchestrator, three):
    (column, *_) = orchestrator("select", "fake", "--list", "issues", "--json").document["columns"]
    assert column == {"stream": "issues", "column": "id", "type": "integer", "selected": True, "settled_by": "key"}

    streams = orchestrator("select", "fake", "--list", "--json").document["streams"]
    assert [each["stream"] for each in streams] == ["issues", "projects", "labels"]


def test_a_stream_that_is_not_there_is_not_listed(orchestrator, three):
    said = orchestrator("select", "fake", "--list", "isues")

    assert (said.exit_code, said.err.splitlines()[-1]) == (2, '  hint: did you mean "issues"?')


def test_on_a_terminal_streams_and_columns_are_marked_in_lists(three, tmp_path):
    shown = on_a_terminal(
        *("select", "fake", "--interactive"),
        at=tmp_path,
        typed=[
            ("labels", DOWN + SPACE + ENTER),
            ("Choose columns of", SPACE + ENTER),
            ("date-time", DOWN + SPACE + ENTER),
        ],
    )

    assert "id    integer (key)" in shown
    assert three.config.tap("fake").select == ("issues", "!issues.at", "labels")
    assert shown.splitlines()[-1] == "Next  orchestrator run shop"


def test_the_lists_begin_with_what_is_taken_now(three, tmp_path, orchestrator):
    orchestrator("select", "fake", "issues", "!issues.at")

    on_a_terminal("select", "fake", "-i", at=tmp_path, typed=[("labels", ENTER), ("Choose columns of", ENTER)])

    assert three.config.tap("fake").select == ("issues", "!issues.at")


def test_letters_search(three, tmp_path):
    on_a_terminal(
        *("select", "fake", "-i"),
        at=tmp_path,
        typed=[("labels", "proj"), ("proj", SPACE + ENTER), ("Choose columns of", ENTER)],
    )

    assert three.config.tap("fake").select == ("issues", "labels")


def test_who_breaks_off_changes_nothing(three, tmp_path):
    shown = on_a_terminal("select", "fake", "-i", at=tmp_path, typed=[("labels", SPACE + CTRL_C)])

    assert "error: stopped" in shown
    assert three.config.tap("fake").select == ()


def test_without_a_terminal_nobody_is_asked(orchestrator, three):
    said = orchestrator("select", "fake", "--interactive")

    assert (said.exit_code, said.err.splitlines()[-1]) == (2, "  hint: orchestrator select fake --list")


@pytest.mark.parametrize("words", [["--list", "--default"], ["--interactive", "issues"], ["--default", "issues"]])
def test_what_contradicts_itself_changes_nothing(orchestrator, three, words):
    said = orchestrator("select", "fake", *words)

    assert said.exit_code == 2
    assert "contradict each other" in said.err
    assert three.config.tap("fake").select == ()


def test_what_is_chosen_in_lists_stays_readable_for_programs(three, tmp_path):
    shown = on_a_terminal(
        *("select", "fake", "-i", "--json"), at=tmp_path, typed=[("labels", ENTER), ("Choose columns of", ENTER)]
    )

    document = json.loads(shown[shown.index("{\n") : shown.rindex("}") + 1])
    assert [each["stream"] for each in document["streams"]] == ["issues", "projects", "labels"]
