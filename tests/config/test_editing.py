"""What verbs change in orchestrator.toml, and how little else changes with it."""

import stat
import tomllib
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.config import Reference, editing, read_config
from orchestrator.config.splicing import put, rendered
from orchestrator.errors import ConfigError, UnknownName, UsageError

SHOP = """\
# The shop. This stays on top whatever goes.
[taps.gitlab]   # our own GitLab
package = "tap-gitlab==0.5.1"  # the last that honours api_url
python  = "3.11"

# What the tap is told.
[taps.gitlab.config]
api_url       = "https://gitlab.com/api/v4"
private_token = { env = "GITLAB_PRIVATE_TOKEN" }   # ask Ada
# projects = "shop/web"

# Europe has one of its own.
[taps.gitlab-eu]
inherit = "gitlab"

# ---- where rows land ----

[destinations.warehouse]
type = "duckdb"
path = "data/warehouse.duckdb"

# every morning
[[flows]]
name = "gitlab"
from = "gitlab"
to   = "warehouse"

# every evening
[[flows]]
name = "eu"
from = "gitlab-eu"
to   = "warehouse"
"""


@pytest.fixture
def shop(tmp_path):
    path = tmp_path / "orchestrator.toml"
    path.write_text(SHOP)
    return path


def lines_gone(path):
    return [line for line in SHOP.splitlines() if line and line not in path.read_text().splitlines()]


def lines_new(path):
    return [line for line in path.read_text().splitlines() if line and line not in SHOP.splitlines()]


# Adding


def test_a_new_tap_stands_after_the_other_taps_and_its_flow_after_the_other_flows(shop):
    fields = {"package": "tap-csv", "python": "3.12", "with": ["pytz"], "config": {"files": ["a.csv"]}}
    editing.add_tap(shop, "csv", fields, flow="csv", destination="warehouse")

    tap = '[taps.csv]\npackage = "tap-csv"\npython  = "3.12"\nwith    = ["pytz"]\n\n'
    config = '[taps.csv.config]\nfiles = ["a.csv"]\n'
    flow = '[[flows]]\nname = "csv"\nfrom = "csv"\nto   = "warehouse"\n'
    before, mark, after = SHOP.partition("# ---- where")
    assert shop.read_text() == f"{before}{tap}{config}\n{mark}{after}\n{flow}"
    assert read_config(shop).flow("csv").tap == "csv"


def test_the_first_tap_of_an_empty_file_needs_nothing_around_it(tmp_path):
    path = tmp_path / "orchestrator.toml"
    path.write_text("")
    editing.add_tap(path, "csv", {"package": "tap-csv"})

    assert path.read_text() == '[taps.csv]\npackage = "tap-csv"\n'


def test_a_long_list_gets_a_line_for_each_of_its_items(shop):
    patterns = [f"stream_{number}.*" for number in range(12)]
    editing.set_tap(shop, "gitlab", {"select": patterns})

    assert read_config(shop).tap("gitlab").select == tuple(patterns)
    assert '  "stream_11.*",' in shop.read_text().splitlines()


def test_a_second_tap_or_flow_of_the_same_name_is_refused(shop):
    with pytest.raises(UsageError, match='there is a tap "gitlab" already'):
        editing.add_tap(shop, "gitlab", {"package": "tap-gitlab"})
    with pytest.raises(UsageError, match='there is a flow "eu" already'):
        editing.add_tap(shop, "csv", {"package": "tap-csv"}, flow="eu", destination="warehouse")

    assert shop.read_text() == SHOP


def test_a_change_that_cannot_be_meant_is_refused_before_it_is_written(shop):
    with pytest.raises(ConfigError) as refusal:
        editing.add_tap(shop, "My CSV", {"package": "tap-csv"}, flow="csv", destination="warehous")

    assert 'did you mean "my-csv"?' in (refusal.value.cause or "")
    assert 'did you mean "warehouse"?' in (refusal.value.cause or "")
    assert (refusal.value.data or "").endswith("orchestrator.toml is as it was")
    assert shop.read_text() == SHOP


# Removing


def test_a_removed_tap_takes_its_tables_flows_and_their_comments_and_nothing_else(shop):
    editing.remove_tap(shop, "gitlab-eu")

    assert lines_new(shop) == []
    assert lines_gone(shop) == [
        "# Europe has one of its own.",
        "[taps.gitlab-eu]",
        'inherit = "gitlab"',
        "# every evening",
        'name = "eu"',
        'from = "gitlab-eu"',
    ]
    assert "\n\n\n" not in shop.read_text()


def test_all_flows_of_a_removed_tap_go_with_it(shop):
    shop.write_text(SHOP + '\n[[flows]]\nname = "eu-hourly"\nfrom = "gitlab-eu"\nto = "warehouse"\n')
    editing.remove_tap(shop, "gitlab-eu")

    assert list(read_config(shop).flows) == ["gitlab"]


def test_the_last_tap_leaves_what_was_never_about_it(shop):
    editing.remove_tap(shop, "gitlab-eu")
    editing.remove_tap(shop, "gitlab")

    assert shop.read_text() == (
        "# The shop. This stays on top whatever goes.\n\n# ---- where rows land ----\n\n"
        '[destinations.warehouse]\ntype = "duckdb"\npath = "data/warehouse.duckdb"\n'
    )


def test_a_tap_that_others_inherit_from_stays(shop):
    with pytest.raises(UsageError) as refusal:
        editing.remove_tap(shop, "gitlab")

    assert refusal.value.cause == "gitlab-eu inherits from it"
    assert refusal.value.hint == "orchestrator remove-tap gitlab-eu"
    assert shop.read_text() == SHOP


@pytest.mark.parametrize(
    "change",
    [
        lambda path: editing.remove_tap(path, "gitlb"),
        lambda path: editing.set_tap(path, "gitlb", {"python": "3.12"}),
        lambda path: editing.set_tap_config(path, "gitlb", {"a": 1}),
        lambda path: editing.unset_tap_config(path, "gitlb", [["a"]]),
    ],
)
def test_an_unknown_tap_cannot_be_changed(shop, change):
    with pytest.raises(UnknownName) as unknown:
        change(shop)

    assert unknown.value.hint == 'did you mean "gitlab"?'


# Settings


def test_a_changed_setting_keeps_its_line_and_its_comment(shop):
    editing.set_tap(shop, "gitlab", {"package": "tap-gitlab==1.0.1"})

    assert shop.read_text() == SHOP.replace("0.5.1", "1.0.1")


def test_a_new_setting_stands_under_the_others_in_their_column(shop):
    editing.set_tap(shop, "gitlab", {"with": ["pytz"], "select": ["issues"]})

    assert 'python  = "3.11"\nwith    = ["pytz"]\nselect  = ["issues"]\n\n# What' in shop.read_text()
    assert lines_gone(shop) == []


def test_none_takes_a_setting_out(shop):
    editing.set_tap(shop, "gitlab", {"python": None, "executable": None})

    assert shop.read_text() == SHOP.replace('python  = "3.11"\n', "")


def test_the_config_of_a_tap_holds_secrets_as_references(shop):
    values = {"api_url": Reference("file", ".url"), "private_token": Reference("env", "OTHER"), "groups": "shop"}
    editing.set_tap_config(shop, "gitlab", values)

    assert lines_new(shop) == [
        'api_url       = { file = ".url" }',
        'private_token = { env = "OTHER" }   # ask Ada',
        'groups        = "shop"',
    ]
    assert read_config(shop).tap("gitlab").config == values


def test_the_first_config_of_a_tap_gets_a_table_right_after_it(shop):
    editing.set_tap_config(shop, "gitlab-eu", {"api_url": "https://eu", "http": {"retries": 3}, "gone": None})

    expected = '[taps.gitlab-eu.config]\napi_url = "https://eu"\n\n[taps.gitlab-eu.config.http]\nretries = 3\n\n# ----'
    assert f'inherit = "gitlab"\n\n{expected}' in shop.read_text()


def test_a_table_that_only_holds_tables_needs_no_header(shop):
    editing.set_tap_config(shop, "gitlab-eu", {"http": {"retries": 3}})

    assert lines_new(shop) == ["[taps.gitlab-eu.config.http]", "retries = 3"]


def test_tables_in_the_config_are_merged(shop):
    editing.set_tap_config(shop, "gitlab", {"http": {"retries": 3, "agent": "x"}})
    editing.set_tap_config(
        shop, "gitlab", {"http": {"agent": "y", "retries": None, "proxy": Reference("env", "PROXY")}}
    )

    assert read_config(shop).tap("gitlab").config["http"] == {"agent": "y", "proxy": Reference("env", "PROXY")}


def test_a_setting_of_the_config_can_be_taken_out(shop):
    editing.unset_tap_config(shop, "gitlab", [["private_token"]])

    assert lines_gone(shop) == ['private_token = { env = "GITLAB_PRIVATE_TOKEN" }   # ask Ada']
    with pytest.raises(UnknownName) as unknown:
        editing.unset_tap_config(shop, "gitlab", [["api_ur"]])
    assert unknown.value.hint == 'did you mean "api_url"?'


def test_a_secret_cannot_be_set_as_a_variable_in_a_text(shop):
    with pytest.raises(ConfigError, match=r'make the whole value \{ env = "TOKEN" \}'):
        editing.set_tap_config(shop, "gitlab", {"private_token": "${TOKEN}"})

    assert shop.read_text() == SHOP


# Files as people write them


@pytest.mark.parametrize(
    "text",
    [
        'taps = { a = { package = "a", config = { b = 1, c = 3 } } }  # one line\n',
        '[taps]\na = { package = "a", config = { b = 1, c = 3 } }  # two lines\n',
        '[taps.a]\npackage = "a"\nconfig.b = 1  # dots\nconfig.c = 3\n',
        '[taps]\na.package = "a"\na.config.b = 1\na.config.c = 3\n[retention]\nruns = 1\n',
        '[taps.a.config]\nc = 3\nb = [\n  1,  # a list\n  2,\n]\n[retention]\nruns = 1\n[taps.a]\npackage = "a"\n',
        '[ taps . "a" ]\n  "package" = \'a\'\n  [taps.a.config]\n  b = """\nc = 4\n"""\n  c = 3\n',
    ],
)
def test_a_setting_is_changed_and_taken_out_however_it_is_written(tmp_path, text):
    path = tmp_path / "orchestrator.toml"
    path.write_text(text)
    editing.set_tap_config(path, "a", {"b": 2})

    expected = tomllib.loads(text)
    expected["taps"]["a"]["config"]["b"] = 2
    assert tomllib.loads(path.read_text()) == expected

    editing.unset_tap_config(path, "a", [["b"]])
    del expected["taps"]["a"]["config"]["b"]
    assert tomllib.loads(path.read_text()) == expected


def test_where_there_is_no_room_for_a_table_a_person_is_asked_to_make_it(tmp_path):
    path = tmp_path / "orchestrator.toml"
    path.write_text('taps = { a = { package = "a" } }\n')

    with pytest.raises(ConfigError, match="only a hand can change") as refusal:
        editing.add_tap(path, "b", {"package": "b"})

    assert "[taps.NAME]" in (refusal.value.hint or "")


def test_line_ends_of_another_system_are_kept(shop):
    shop.write_bytes(SHOP.replace("\n", "\r\n").encode())
    editing.add_tap(shop, "csv", {"package": "tap-csv"})

    content = shop.read_bytes()
    assert content.count(b"\r\n") == content.count(b"\n")


def test_a_broken_file_is_not_edited(shop):
    shop.write_text(SHOP + "[tap.x]\n")

    with pytest.raises(ConfigError, match=r"did you mean \[taps\]"):
        editing.set_tap(shop, "gitlab", {"python": "3.12"})


def test_the_file_can_be_read_by_the_people_one_shares_it_with(shop):
    editing.set_tap(shop, "gitlab", {"python": "3.12"})

    assert stat.S_IMODE(shop.stat().st_mode) == 0o644


def test_a_link_to_the_file_stays_a_link(shop, tmp_path):
    link = tmp_path / "elsewhere" / "orchestrator.toml"
    link.parent.mkdir()
    link.symlink_to(shop)
    editing.set_tap(link, "gitlab", {"python": "3.12"})

    assert link.is_symlink()
    assert read_config(shop).tap("gitlab").python == "3.12"


def test_of_many_changes_at_the_same_time_none_is_lost(shop):
    ids = [f"tap-{number}" for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda id: editing.add_tap(shop, id, {"package": id}), ids))

    assert set(ids) < set(read_config(shop).taps)


# Whatever can be said

VALUES = st.recursive(
    st.text() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(VALUES)
def test_every_value_reads_back_as_it_was_written(value):
    assert tomllib.loads(f"value = {rendered(value)}\n") == {"value": value}


@given(st.text(), VALUES, VALUES)
def test_every_setting_can_be_put_in_and_replaced_and_nothing_else_changes(key, first, second):
    place = ("taps", "gitlab", "config")
    document = tomllib.loads(SHOP)

    for value in (first, second):
        text = put(put(SHOP, place, key, first), place, key, value)
        document["taps"]["gitlab"]["config"][key] = value
        assert tomllib.loads(text) == document
