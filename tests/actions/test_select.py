"""`select` writes a selection that the catalog can follow to orchestrator.toml, and shows what it comes to."""

import pytest

from orchestrator.actions.select_streams import select, selection
from orchestrator.catalogs import Method, keep, read_catalog
from orchestrator.config import read_config
from orchestrator.errors import UnknownName, UsageError
from orchestrator.paths import Paths
from tests.catalogs.examples import TRACKER, printed

CONFIG = """\
# Issues of the whole team.
[taps.tracker]
package = "tap-tracker"
select = ["projects"]  # to begin with

[taps.tracker.streams.projects]
replication = "full_table"
"""


@pytest.fixture
def paths(tmp_path):
    paths = Paths(tmp_path)
    paths.config.write_text(CONFIG)
    return paths


@pytest.fixture
def discovered(paths):
    keep(paths, "tracker", read_catalog(printed(TRACKER)))
    return paths


def test_a_selection_is_written_and_shown(discovered):
    choices = select(discovered, "tracker", ["issues", "projects", "!issues.description"])

    table = [
        (choice.stream.id, choice.selected, choice.replication.method, choice.key, choice.bookmark,
         len(choice.columns), len(choice.all_columns))
        for choice in choices
    ]  # fmt: skip
    assert table == [
        ("issues", True, Method.INCREMENTAL, ("id", "project_id"), "updated_at", 6, 7),
        ("projects", True, Method.FULL_TABLE, ("id",), None, 2, 3),
        ("audit_events", False, Method.FULL_TABLE, (), None, 2, 2),
    ]
    assert read_config(discovered.config).tap("tracker").select == ("issues", "projects", "!issues.description")
    assert selection(discovered, "tracker") == choices
    assert "# Issues of the whole team." in discovered.config.read_text()


def test_without_patterns_the_selection_is_that_of_the_tap(discovered):
    choices = select(discovered, "tracker", [])

    assert [choice.stream.id for choice in choices if choice.selected] == ["issues", "projects"]
    assert selection(discovered, "tracker") == choices


@pytest.mark.parametrize("patterns", [["isues"], ["issues.nothing"], ["!projects", "projects"]])
def test_a_selection_that_cannot_be_followed_is_not_written(discovered, patterns):
    with pytest.raises(UsageError):
        select(discovered, "tracker", patterns)

    assert discovered.config.read_text() == CONFIG


def test_a_selection_needs_a_catalog(paths):
    with pytest.raises(UsageError) as refused:
        select(paths, "tracker", ["issues"])

    assert refused.value.hint == "orchestrator discover tracker"


def test_a_selection_needs_a_tap_that_is_there(discovered):
    with pytest.raises(UnknownName) as refused:
        select(discovered, "traker", ["issues"])

    assert refused.value.hint == 'did you mean "tracker"?'
