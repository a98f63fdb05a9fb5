"""orchestrator.toml, read once into frozen values, or refused in sentences that help."""

import dataclasses
from pathlib import Path

import pytest

from orchestrator.config import (
    WHOLE,
    Destination,
    Flow,
    Limits,
    Mode,
    Nested,
    Nesting,
    Notify,
    Occasion,
    Reference,
    Retention,
    StreamSettings,
    read_config,
)
from orchestrator.errors import ConfigError, UnknownName

WAREHOUSE = """\
[destinations.warehouse]
type = "duckdb"
path = "data/warehouse.duckdb"
"""

SHOP = (
    WAREHOUSE
    + """
[taps.gitlab]
package = "tap-gitlab==0.5.1"
python  = "3.11"
with    = ["pytz"]
overrides = ["requests==2.31.0"]
exclude_newer = 2021-06-01
executable = "tap-gitlab"
select  = ["issues.*", "!issues.description"]

[taps.gitlab.config]
api_url = "https://gitlab.com/api/v4"
private_token = { env = "GITLAB_PRIVATE_TOKEN" }
start_date = 2021-01-01T00:00:00Z
accounts = [{ key = { file = ".keys/one" }, since = 2020-02-29 }]

[taps.gitlab.streams.issues]
replication = "incremental"
cursor = "updated_at"
key = ["id", "project_id"]

[taps.gitlab-eu]
inherit = "gitlab"

[[flows]]
name = "gitlab"
from = "gitlab"
to = "warehouse"
mode = "append"
commit_rows = 5_000
commit_seconds = 2.5

[[flows]]
name = "eu"
from = "gitlab-eu"
to = "warehouse"

[retention]
archives = 3
"""
)


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Reads a text as the orchestrator.toml of the current folder."""
    monkeypatch.chdir(tmp_path)

    def read_text(text, **environ):
        path = Path("orchestrator.toml").absolute()
        path.write_text(text)
        return read_config(path, environ=environ)

    return read_text


@pytest.fixture
def complaints(read):
    """The lines in which a text is refused."""

    def refused(text):
        with pytest.raises(ConfigError) as refusal:
            read(text)
        error = refusal.value
        return (
            [line.strip() for line in (error.cause or "").split("\n")]
            if "problems" in error.message
            else [error.message]
        )

    return refused


# What a file says


def test_an_empty_file_is_a_workspace_without_anything(read):
    config = read("")

    assert (config.taps, config.destinations, config.flows) == ({}, {}, {})


def test_a_tap_says_how_it_is_installed_and_what_is_taken_from_it(read):
    tap = read(SHOP).tap("gitlab")

    assert (tap.package, tap.python, tap.executable) == ("tap-gitlab==0.5.1", "3.11", "tap-gitlab")
    assert (tap.extras, tap.overrides) == (("pytz",), ("requests==2.31.0",))
    assert tap.exclude_newer == "2021-06-01"
    assert tap.select == ("issues.*", "!issues.description")
    assert tap.environment == "gitlab"
    assert tap.streams == {"issues": StreamSettings("incremental", "updated_at", ("id", "project_id"))}


def test_the_config_of_a_tap_is_free_and_its_secrets_stay_references(read):
    config = read(SHOP).tap("gitlab").config

    assert config == {
        "api_url": "https://gitlab.com/api/v4",
        "private_token": Reference("env", "GITLAB_PRIVATE_TOKEN"),
        "start_date": "2021-01-01T00:00:00Z",
        "accounts": [{"key": Reference("file", ".keys/one"), "since": "2020-02-29"}],
    }
    assert str(config["private_token"]) == '{ env = "GITLAB_PRIVATE_TOKEN" }'


def test_a_table_with_more_in_it_than_env_is_no_reference(read):
    tap = read('[taps.a]\npackage = "a"\n[taps.a.config.app]\nenv = "prod"\nregion = "eu"\n').tap("a")

    assert tap.config == {"app": {"env": "prod", "region": "eu"}}


def test_a_flow_carries_one_tap_to_one_destination(read):
    flows = read(SHOP).flows

    kept = Retention(archives=3)
    assert flows["gitlab"] == Flow(
        "gitlab", "gitlab", "warehouse", Mode.APPEND, commit_rows=5000, commit_seconds=2.5, retention=kept
    )
    assert flows["eu"] == Flow("eu", "gitlab-eu", "warehouse", Mode.AUTO, retention=kept)


def test_the_path_of_a_destination_starts_at_the_workspace(read, tmp_path):
    config = read(WAREHOUSE + '[destinations.lake]\ntype = "parquet"\npath = "/srv/lake"\nschema = "{tap}_raw"\n')

    assert config.destination("warehouse") == Destination("warehouse", "duckdb", tmp_path / "data/warehouse.duckdb")
    assert config.destination("lake") == Destination("lake", "parquet", Path("/srv/lake"), "{tap}_raw")


def test_the_path_of_a_destination_may_start_at_home(read, monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")

    assert read('[destinations.w]\ntype = "duckdb"\npath = "~/w.duckdb"\n').destination("w").path == Path(
        "/home/ada/w.duckdb"
    )


def test_retention_says_how_much_of_the_past_is_kept(read):
    own = SHOP.replace('name = "eu"', 'name = "eu"\nretention = { runs = 5, age = "90 days" }')

    assert read(own).flow("gitlab").retention == Retention(runs=1000, archives=3)
    assert read(own).flow("eu").retention == Retention(runs=5, archives=3, age=90 * 86400.0)


def test_values_are_frozen(read):
    with pytest.raises(dataclasses.FrozenInstanceError):
        read(SHOP).tap("gitlab").package = "another"


def test_a_byte_order_mark_in_front_of_the_file_is_no_part_of_it(read):
    assert "warehouse" in read("\ufeff" + WAREHOUSE).destinations


@pytest.mark.parametrize("moment", ['"2021-06-01"', '"2021-06-01T12:00:00Z"', "2021-06-01T12:00:00Z"])
def test_exclude_newer_is_a_date_or_a_moment_with_or_without_quotes(read, moment):
    tap = read(f'[taps.a]\npackage = "a"\nexclude_newer = {moment}\n').tap("a")

    assert tap.exclude_newer == moment.strip('"')


def test_a_tap_says_as_what_objects_and_arrays_land_and_a_stream_may_say_otherwise(read):
    config = read(
        """
[taps.a]
package = "a"
nested = "struct"
flatten = 2
streams = { issues = { flatten = 0 }, labels = { nested = "json" } }
[taps.b]
inherit = "a"
flatten = 1
[taps.c]
package = "c"
"""
    )

    assert config.tap("a").nesting == Nesting(Nested.STRUCT, 2)
    assert config.tap("b").nesting == Nesting(Nested.STRUCT, 1)
    assert config.tap("c").nesting == Nesting(Nested.JSON, 0) == WHOLE
    assert config.tap("a").streams == {
        "issues": StreamSettings(flatten=0),
        "labels": StreamSettings(nested=Nested.JSON),
    }


# Inheritance


def test_a_tap_that_inherits_runs_in_the_environment_of_its_ancestor(read):
    config = read(SHOP + '[taps.gitlab-us]\ninherit = "gitlab-eu"\n')

    for id in ("gitlab-eu", "gitlab-us"):
        tap = config.tap(id)
        assert (tap.id, tap.environment) == (id, "gitlab")
        assert (tap.package, tap.python, tap.extras) == ("tap-gitlab==0.5.1", "3.11", ("pytz",))


def test_config_and_streams_are_merged_over_those_of_the_parent(read):
    config = read(
        SHOP
        + """
[taps.gitlab-us]
inherit = "gitlab-eu"
[taps.gitlab-us.config]
api_url = "https://gitlab.us/api/v4"
private_token = { file = "us-token" }
[taps.gitlab-us.streams]
issues = { cursor = "created_at" }
labels = { key = ["id"] }
"""
    )

    child, parent = config.tap("gitlab-us"), config.tap("gitlab")
    assert child.config == {
        **parent.config,
        "api_url": "https://gitlab.us/api/v4",
        "private_token": Reference("file", "us-token"),
    }
    assert child.streams == {
        "issues": StreamSettings("incremental", "created_at", ("id", "project_id")),
        "labels": StreamSettings(key=("id",)),
    }


def test_tables_inside_the_config_are_merged_too(read):
    config = read(
        '[taps.a]\npackage = "a"\nconfig = { http = { retries = 3, agent = "x" } }\n'
        '[taps.b]\ninherit = "a"\nconfig = { http = { agent = "y" } }\n'
    )

    assert config.tap("b").config == {"http": {"retries": 3, "agent": "y"}}
    assert config.tap("a").config == {"http": {"retries": 3, "agent": "x"}}


def test_a_variable_is_for_the_tap_whose_name_it_begins_with_at_the_greatest_length(read):
    pg = "[taps.pg]\npackage = 'tap-x'\n"
    alone, beside = read(pg).tap("pg"), read(f"{pg}[taps.pg-eu]\npackage = 'tap-x'\n")

    assert alone.variable("eu_host") == "TAP_PG_EU_HOST"
    assert beside.tap("pg-eu").variable("host") == "TAP_PG_EU_HOST"
    assert beside.tap("pg").variable("eu_host") == "TAP_PG__EU_HOST"
    assert beside.tap("pg").variable("eu", "host") == "TAP_PG__EU_HOST"
    assert beside.tap("pg").variable("europe") == "TAP_PG_EUROPE"


def test_a_selection_replaces_that_of_the_parent(read):
    config = read(SHOP + '[taps.own]\ninherit = "gitlab"\nselect = ["projects"]\n')

    assert config.tap("own").select == ("projects",)
    assert config.tap("gitlab-eu").select == config.tap("gitlab").select


# Limits from the environment


def test_the_environment_overrules_the_limits_of_every_flow(read):
    flows = read(SHOP, ORCHESTRATOR_COMMIT_ROWS="7", ORCHESTRATOR_COMMIT_SECONDS="0.5").flows

    assert {(flow.commit_rows, flow.commit_seconds) for flow in flows.values()} == {(7, 0.5)}


def test_an_empty_variable_says_nothing(read):
    assert read(SHOP, ORCHESTRATOR_COMMIT_ROWS="").flow("gitlab").commit_rows == 5000


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ORCHESTRATOR_COMMIT_ROWS", "many"),
        ("ORCHESTRATOR_COMMIT_ROWS", "0"),
        ("ORCHESTRATOR_COMMIT_SECONDS", "-1"),
        ("ORCHESTRATOR_COMMIT_SECONDS", "nan"),
    ],
)
def test_a_limit_that_cannot_be_meant_is_refused_with_the_variable_that_says_it(read, variable, value):
    with pytest.raises(ConfigError) as refusal:
        read(SHOP, **{variable: value})

    assert f'{variable} is "{value}"; it must be' in refusal.value.message
    assert refusal.value.hint == f"unset {variable}"


# Asking by name


def test_an_unknown_name_is_answered_with_the_nearest_one(read):
    config = read(SHOP)

    with pytest.raises(UnknownName) as unknown:
        config.tap("Gitlb")

    assert unknown.value.message == 'there is no tap "Gitlb" in orchestrator.toml'
    assert unknown.value.hint == 'did you mean "gitlab"?'


def test_an_unknown_name_in_an_empty_file_says_that_there_is_none(read):
    with pytest.raises(UnknownName, match="it has no flow yet"):
        read("").flow("x")


# Refusals


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[tap.a]\n", "1: there is no section [tap]; did you mean [taps]?"),
        (
            "\n[pipelines]\n",
            "2: there is no section [pipelines]; there are taps, destinations, flows, retention, notify, hub",
        ),
        ("[[taps]]\n", "1: taps is a list; it must be tables, each written [taps.NAME]"),
        ("[flows]\n", "1: flows is a table; it must be a list of tables, each written [[flows]]"),
        ("retention = 3\n", "1: retention is 3; it must be a table, written [retention]"),
        ("[retention]\nruns = true\n", "2: retention: runs is true; it must be a whole number above 0"),
        (
            "[retention]\nage = 0\n",
            '2: retention: age is 0; it must be a number of seconds above 0, or a text such as "15 min"',
        ),
        ("[retention]\narchives = -1\n", "2: retention: archives is -1; it must be a whole number, 0 or above"),
    ],
)
def test_a_section_that_cannot_be_meant_is_refused(complaints, text, complaint):
    assert complaints(text) == [f"orchestrator.toml:{complaint}"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("name = 'a'", '1: notify "a": "to" is missing; it must be an address such as'),
        ("to = 'json://localhost'", '1: notify number 1: "name" is missing; it must be a name in quotes'),
        ("name = 'a'\nto = 'xoxb-1234'", '3: notify "a": to is no address; it must be an address such as "mailto://'),
        ("name = 'a'\nto = 3", '3: notify "a": to is 3; it must be an address such as'),
        ("name = 'a'\nto = { vault = 'X' }", '3: notify "a": to is a table; it must be an address such as'),
        (
            "name = 'a'\nto = { secret = '' }",
            '3: notify "a": to is { secret = "" }; secret must name a secret of the vault',
        ),
        (
            "name = 'a'\nto = 'json://x'\non = ['fail']",
            '4: notify "a": on is ["fail"]; it must be a list of failed, late,',
        ),
        (
            "name = 'a'\nto = 'json://x'\non = ['recovered']",
            '4: notify "a": on is ["recovered"], but only who was told',
        ),
        (
            "name = 'a'\nto = 'json://x'\nflows = ['gitlb']",
            '4: notify "a": it tells of flow "gitlb", but there is no such',
        ),
        ("name = 'a b'\nto = 'json://x'", '2: notify "a b": a name has 1 to 63 of a-z, 0-9, - and _'),
    ],
)
def test_a_notify_that_cannot_be_meant_is_refused(complaints, text, complaint):
    (found,) = complaints(f"[[notify]]\n{text}\n")

    assert found.startswith(f"orchestrator.toml:{complaint}")


@pytest.mark.parametrize(
    "address",
    [
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
        "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
        "tgram://123456789:ABCdefghijkl/12315544",
        "mailtos://ada:TIiajkdnlazkcOXrIdevi7FQ@example.com",
        "json://example.com/?+Authorization=TIiajkdnlazkcOXrIdevi7FQ",
        "mailto://example.com?user=ada&pass=TIiajkdnlazkcOXrIdevi7FQ",
    ],
)
def test_an_address_that_lets_somebody_in_is_refused_and_not_shown(complaints, address):
    (found,) = complaints(f'[[notify]]\nname = "team"\nto = "{address}"\n')

    assert found == (
        'orchestrator.toml:3: notify "team": to is an address that lets in whoever reads it; '
        'keep it with `orchestrator secret set notify.team`: to = { secret = "notify.team" }'
    )


def test_a_notify_says_who_is_told_of_what(read):
    text = (
        SHOP
        + """
[[notify]]
name = "team"
to = { secret = "notify.team" }
on = ["failed", "recovered"]
flows = ["git*"]

[[notify]]
name = "ada"
to = "mailto://localhost?to=ada@example.com"
"""
    )
    team, ada = read(text).notify

    assert team == Notify("team", Reference("secret", "notify.team"), (Occasion.FAILED, Occasion.RECOVERED), ("git*",))
    assert ada.to == "mailto://localhost?to=ada@example.com"
    assert [team.wants(Occasion.FAILED, flow) for flow in ("gitlab", "eu")] == [True, False]
    assert [each.wants(Occasion.LATE, "gitlab") for each in (team, ada)] == [False, True]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("pyton = '3.11'", 'there is no setting "pyton"; did you mean "python"?'),
        (
            "api_url = 'x'",
            'there is no setting "api_url"; what the tap itself understands belongs under [taps.a.config]',
        ),
        ("python = 3.11", 'python is 3.11; it must be a version in quotes, such as "3.11"'),
        ("with = 'pytz'", 'with is "pytz"; it must be a list of requirements, such as ["pytz"]'),
        (
            "select = ['a', 1]",
            'select is ["a", 1]; it must be a list of patterns, such as ["issues.*", "!issues.description"]',
        ),
        ("exclude_newer = '1 week'", 'exclude_newer is "1 week"; it must be a date such as 2021-06-01'),
        ("exclude_newer = 2021-06-01T12:00:00", "exclude_newer is 2021-06-01 12:00:00; it must be a date such as"),
        ("executable = ' '", 'executable is " "; it must be a name in quotes'),
        ("config = 'x'", 'config is "x"; it must be a table, written [taps.NAME.config]'),
        ("nested = 'structs'", 'nested is "structs"; it must be "json" or "struct"; did you mean "struct"?'),
        ("flatten = -1", "flatten is -1; it must be a whole number of levels, 0 or above"),
        ("flatten = true", "flatten is true; it must be a whole number of levels, 0 or above"),
        ("streams = { issues = 1 }", "streams is a table; it must be tables, each written [taps.NAME.streams.STREAM]"),
    ],
)
def test_a_setting_of_a_tap_that_cannot_be_meant_is_refused(complaints, line, complaint):
    (found,) = complaints(f'[taps.a]\npackage = "a"\n{line}\n')

    assert found.startswith(f'orchestrator.toml:3: tap "a": {complaint}')


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("t = '${TOKEN}'", '"${TOKEN}" in config.t is not filled in; make the whole value { env = "TOKEN" }'),
        ("t = ['a', 'x-${A}-y']", '"${A}" in config.t[1] is not filled in; make the whole value { env = "NAME" }'),
        ("t = { env = 3 }", "config.t is { env = 3 }; env must name an environment variable, in quotes"),
        ("t.file = ''", 'config.t is { file = "" }; file must name a file, in quotes'),
        (
            "t = { env = '$MY-T' }",
            'config.t refers to "$MY-T", which cannot be a variable; did you mean { env = "MY_T" }?',
        ),
        ("t = { x = inf }", "config.t.x is inf, which a tap cannot be told (its config is JSON)"),
    ],
)
def test_what_the_config_of_a_tap_cannot_hold_is_refused(complaints, line, complaint):
    assert complaints(f'[taps.a]\npackage = "a"\n[taps.a.config]\n{line}\n') == [
        f'orchestrator.toml:4: tap "a": {complaint}'
    ]


def test_the_settings_of_a_stream_are_checked_too(complaints):
    text = '[taps.a]\npackage = "a"\n[taps.a.streams.issues]\nreplication = "incremetal"\nkey = "id"\nkeys = ["id"]\n'

    assert complaints(text) == [
        'orchestrator.toml:4: stream "issues" of tap "a": replication is "incremetal"; '
        'it must be "incremental", "full_table" or "log_based"; did you mean "incremental"?',
        'orchestrator.toml:5: stream "issues" of tap "a": key is "id"; it must be a list of names, such as ["id"]',
        'orchestrator.toml:6: stream "issues" of tap "a": there is no setting "keys"; did you mean "key"?',
    ]


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ("type = 'duckdb'", '1: destination "w": "path" is missing; it must be a path in quotes, such as '),
        (
            "type = 'duckbd'\npath = 'x'",
            '2: destination "w": type is "duckbd"; it must be "duckdb" or "parquet"; did you mean "duckdb"?',
        ),
        ("type = 'bigquery'\npath = 'x'", '2: destination "w": type is "bigquery"; it must be "duckdb" or "parquet"'),
        (
            "type = 'duckdb'\npath = 'x'\nschema = '{flwo}'",
            '4: destination "w": schema is "{flwo}", but only {flow} and {tap} are filled in',
        ),
        ("type = 'duckdb'\npath = 'x'\nschema = 'a}'", '4: destination "w": schema is "a}", but only'),
        (
            "type = 'duckdb'\npath = 'x'\nschema = '_Orchestrator'",
            '4: destination "w": schema is "_Orchestrator", where our own tables are kept',
        ),
    ],
)
def test_a_destination_that_cannot_be_meant_is_refused(complaints, table, complaint):
    (found,) = complaints(f"[destinations.w]\n{table}\n")

    assert found.startswith(f"orchestrator.toml:{complaint}")


@pytest.mark.parametrize(
    ("setting", "value", "complaint"),
    [
        ("name", "'X Y'", 'flow "X Y": a name has 1 to 63 of a-z, 0-9, - and _, and starts with a letter or digit'),
        ("form", "'gitlab'", 'flow "x": there is no setting "form"; did you mean "from"?'),
        ("from", "'gitlb'", 'flow "x": it takes from "gitlb", but there is no such tap; did you mean "gitlab"?'),
        ("to", "'lake'", 'flow "x": it goes to "lake", but there is no such destination; there are warehouse'),
        ("priority", "'high'", 'flow "x": priority is "high"; it must be a whole number, such as 10'),
        ("after", "'y'", 'flow "x": after is "y"; it must be a list of flows, such as ["orders"]'),
        ("after", "['y']", 'flow "x": it comes after "y", but there is no such flow; there are x'),
        ("after", "['x']", 'flow "x": it comes after itself: x → x; take one of them out of after'),
        ("mode", "'merge'", 'flow "x": mode is "merge"; it must be "auto", "upsert", "append" or "replace"'),
        ("commit_rows", "0", 'flow "x": commit_rows is 0; it must be a whole number above 0'),
        ("commit_rows", "1e5", 'flow "x": commit_rows is 100000.0; it must be a whole number above 0'),
        ("commit_seconds", "'10s'", 'flow "x": commit_seconds is "10s"; it must be a number of seconds, such as 10'),
        ("commit_seconds", "inf", 'flow "x": commit_seconds is inf; it must be a number of seconds, such as 10 or 0.5'),
        ("commit_seconds", "-1", 'flow "x": commit_seconds is -1; it must be a number of seconds, such as 10 or 0.5'),
    ],
)
def test_a_flow_that_cannot_be_meant_is_refused(complaints, setting, value, complaint):
    settings = {setting: value} | {"name": "'x'", "from": "'gitlab'", "to": "'warehouse'"} | {setting: value}
    flow = "\n".join(f"{key} = {value}" for key, value in settings.items())

    (found,) = complaints(f"[[flows]]\n{flow}\n\n{WAREHOUSE}\n[taps.gitlab]\npackage = 'tap-gitlab'\n")

    assert found.startswith(f"orchestrator.toml:2: {complaint}")


def test_taps_that_the_same_variables_are_for_are_refused(complaints):
    assert complaints("[taps.pg-eu]\npackage = 'tap-x'\n[taps.pg_eu]\npackage = 'tap-x'\n") == [
        'orchestrator.toml:3: tap "pg_eu": the variables TAP_PG_EU_… are those of tap "pg-eu"; it needs another name'
    ]


def test_a_flow_without_a_name_is_spoken_of_by_its_number(complaints):
    assert complaints(SHOP + '[[flows]]\nfrom = "gitlab"\nto = "warehouse"\n') == [
        'orchestrator.toml:43: flow number 3: "name" is missing; it must be a name in quotes, such as "gitlab"'
    ]


def test_each_flow_needs_a_name_of_its_own(complaints):
    assert complaints(SHOP + '[[flows]]\nname = "eu"\nfrom = "gitlab"\nto = "warehouse"\n') == [
        'orchestrator.toml:44: flow "eu": another flow has the same name; each needs its own'
    ]


def test_flows_that_come_after_each_other_in_a_circle_are_one_problem(complaints):
    flows = "".join(
        f'[[flows]]\nname = "{name}"\nfrom = "gitlab"\nto = "warehouse"\nafter = {after}\n'
        for name, after in {"a": ["c", "d"], "b": ["a"], "c": ["b"], "d": []}.items()
    )

    assert complaints(flows + "[taps.gitlab]\npackage = 'x'\n" + WAREHOUSE) == [
        'orchestrator.toml:5: flow "a": it comes after itself: a → c → b → a; take one of them out of after'
    ]


@pytest.mark.parametrize("name", ["Gitlab", "-x", "a b", "ü", "x" * 64, "../up", ""])
def test_a_name_that_could_not_be_a_folder_everywhere_is_refused(complaints, name):
    (found,) = complaints(f'[taps."{name}"]\npackage = "a"\n')

    assert "a name has 1 to 63 of a-z, 0-9, - and _" in found


def test_a_parent_that_does_not_exist_is_refused(complaints):
    assert complaints('[taps.gitlab]\npackage = "a"\n[taps.us]\ninherit = "gitlb"\n') == [
        'orchestrator.toml:4: tap "us": it inherits from "gitlb", but there is no such tap; did you mean "gitlab"?'
    ]


def test_taps_that_inherit_in_a_circle_are_one_problem(complaints):
    assert complaints('[taps.b]\ninherit = "c"\n[taps.c]\ninherit = "a"\n[taps.a]\ninherit = "b"\n') == [
        'orchestrator.toml:6: tap "a": it inherits from itself: a → b → c → a'
    ]


@pytest.mark.parametrize("setting", ['package = "b"', 'python = "3.12"', 'with = ["x"]'])
def test_a_tap_that_inherits_cannot_have_an_environment_of_its_own(complaints, setting):
    key = setting.split()[0]

    assert complaints(f'[taps.a]\npackage = "a"\n[taps.b]\ninherit = "a"\n{setting}\n') == [
        f'orchestrator.toml:5: tap "b": it inherits from "a", so {key} can only be given there'
    ]


def test_all_problems_of_a_file_are_told_at_once_in_its_order(read):
    with pytest.raises(ConfigError) as refusal:
        read('[taps.gitlab]\npakage = "x"\npython = 3.11\n\n[destination.lake]\npath = "lake"\n')

    assert str(refusal.value) == (
        "orchestrator.toml has 3 problems\n"
        '  cause: orchestrator.toml:2: tap "gitlab": there is no setting "pakage"; did you mean "package"?\n'
        '         orchestrator.toml:3: tap "gitlab": python is 3.11; it must be a version in quotes, such as "3.11"\n'
        "         orchestrator.toml:5: there is no section [destination]; did you mean [destinations]?"
    )


# Not TOML at all


@pytest.mark.parametrize(
    ("text", "message", "cause", "hint"),
    [
        (
            "[taps.a]\npackage = tap-gitlab  # mine\n",
            "orchestrator.toml:2:11: this is not TOML: package = tap-gitlab  # mine",
            "invalid value",
            'text needs quotes: package = "tap-gitlab"',
        ),
        (
            "[taps.a.config]\nprivate_token = glpat-1\n",
            "orchestrator.toml:2:17: this is not TOML: private_token = ***",
            "invalid value",
            None,
        ),
        (
            'login = { user = "ada", password = hunter2, x = 1 }\n',
            'orchestrator.toml:1:36: this is not TOML: login = { user = "ada", password = ***',
            "invalid value",
            None,
        ),
        (
            'private_key = """-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg==\n',
            "orchestrator.toml:2: this is not TOML: ***",
            "a quote is not closed, at the end of the file",
            None,
        ),
        ('a = "x\nb = 1\n', 'orchestrator.toml:1:7: this is not TOML: a = "x', "a quote is not closed", None),
        ("[a]\n[a]\n", "orchestrator.toml:2:3: this is not TOML: [a]", "this header is in the file already", None),
        ("a = 1\na = 2\n", "orchestrator.toml:2:6: this is not TOML: a = 2", "this name has a value already", None),
        (
            "a = [1,\n\n",
            "orchestrator.toml:1: this is not TOML: a = [1,",
            "invalid value, at the end of the file",
            None,
        ),
    ],
)
def test_a_text_that_is_not_toml_is_shown_where_it_stops_being_that(read, text, message, cause, hint):
    with pytest.raises(ConfigError) as refusal:
        read(text)

    error = refusal.value
    assert error.message.startswith(message)
    since = "git diff orchestrator.toml        (shows what was changed since it was right)"
    assert (error.cause, error.hint) == (cause, hint or since)


def test_a_file_that_is_not_text_is_refused_with_the_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("orchestrator.toml").write_bytes(b"a = 1\nb = '\xff'\n")

    with pytest.raises(ConfigError, match=r"orchestrator\.toml:2: this is not UTF-8 text"):
        read_config(Path("orchestrator.toml"))


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read") as refusal:
        read_config(tmp_path / "orchestrator.toml")

    assert refusal.value.hint == "orchestrator init"


def test_a_moment_keeps_the_zone_it_was_written_with(read):
    config = read('[taps.a]\npackage = "a"\nconfig = { since = 2021-01-01T00:00:00+02:00 }\n').tap("a").config

    assert config == {"since": "2021-01-01T00:00:00+02:00"}


def test_a_tap_finds_its_config_in_memory_unless_it_or_its_parent_says_file(tmp_path):
    path = tmp_path / "orchestrator.toml"
    path.write_text(
        '[taps.plain]\npackage = "tap-plain"\n'
        '[taps.rotating]\npackage = "tap-rotating"\nconfig_in = "file"\n'
        '[taps.heir]\ninherit = "rotating"\n'
    )

    taps = read_config(path).taps

    assert {id: tap.config_in for id, tap in taps.items()} == {"plain": "memory", "rotating": "file", "heir": "file"}


def test_limits_are_written_as_people_write_them_and_are_inherited_one_by_one(read):
    config = read(
        '[taps.big]\npackage = "tap-big"\n'
        'limits = { memory = "1.5 GB", timeout = "2 h", idle_timeout = 90.5, log_size = 1000 }\n'
        '[taps.heir]\ninherit = "big"\nlimits = { memory = "512MiB", processes = 4 }\n'
    )

    big = Limits(memory=1_500_000_000, timeout=7200, idle_timeout=90.5, log_size=1000)
    assert config.tap("big").limits == big
    assert config.tap("heir").limits == dataclasses.replace(big, memory=512 * 2**20, processes=4)


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ('memory = "1 gigabyte"', r'memory is "1 gigabyte"; it must be a number of bytes above 0, or a text such as'),
        ("memory = 1.5", r"memory is 1.5; it must be a number of bytes"),
        ('timeout = "0 s"', r'timeout is "0 s"; it must be a number of seconds above 0'),
        ("timeout = nan", r"timeout is nan; it must be"),
        ("processes = true", r"processes is true; it must be a whole number above 0"),
        ("ram = 1", r'there is no setting "ram"; there are timeout, idle_timeout, memory'),
    ],
)
def test_a_limit_that_cannot_be_meant_is_refused(read, written, complaint):
    with pytest.raises(ConfigError, match=f'orchestrator.toml:3: tap "a": {complaint}'):
        read(f'[taps.a]\npackage = "a"\nlimits = {{ {written} }}\n')
