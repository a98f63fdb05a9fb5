"""Which lines hold which setting."""

import pytest

from orchestrator.config.statements import line_of, statements

TEXT = """\
# A comment with a [header] and a setting = 1 in it

[taps.gitlab]   # another
package = "tap-gitlab"
select = [
  "issues",  # ] not the end

  "projects",
]
note = \"\"\"
[not.a.header]
python = "2"
\"\"\"

[taps.gitlab.config]
api.url = "https://gitlab.com"
token = { env = "TOKEN" }

[[flows]]
name = "one"

[[flows]]
name = "two"
"""


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("taps", "gitlab"), 3),
        (("taps", "gitlab", "package"), 4),
        (("taps", "gitlab", "select"), 5),
        (("taps", "gitlab", "select", 1), 5),
        (("taps", "gitlab", "note"), 10),
        (("taps", "gitlab", "config"), 15),
        (("taps", "gitlab", "config", "api", "url"), 16),
        (("taps", "gitlab", "config", "token", "env"), 17),
        (("flows",), 19),
        (("flows", 0, "name"), 20),
        (("flows", 1), 22),
        (("flows", 1, "name"), 23),
    ],
)
def test_every_place_is_found_in_its_line(place, line):
    assert line_of(statements(TEXT), place) == line


def test_a_place_that_is_not_written_is_found_at_the_table_that_should_have_it():
    assert line_of(statements(TEXT), ("flows", 1, "from")) == 22


def test_a_place_outside_of_every_table_has_no_line():
    assert line_of(statements(TEXT), ("destinations", "warehouse")) is None


def test_a_statement_is_as_long_as_its_list_or_text_is_open():
    spans = {statement.places[0][-1]: (statement.first, statement.end) for statement in statements(TEXT)}

    assert spans["select"] == (4, 9)
    assert spans["note"] == (9, 13)


def test_lists_of_tables_inside_a_list_of_tables_are_counted_apart():
    text = "[[a]]\n[[a.b]]\nx = 1\n[[a.b]]\n[[a]]\n[[a.b]]\nx = 2\n"

    assert line_of(statements(text), ("a", 0, "b", 0, "x")) == 3
    assert line_of(statements(text), ("a", 0, "b", 1)) == 4
    assert line_of(statements(text), ("a", 1, "b", 0, "x")) == 7


def test_line_ends_of_another_system_make_no_difference():
    assert line_of(statements(TEXT.replace("\n", "\r\n")), ("flows", 1, "name")) == 23
