"""`orchestrator query`: SQL over what is committed, whatever the destination."""

import json
from contextlib import contextmanager

import duckdb
import pyarrow.parquet
import pytest

from orchestrator.actions.query import query
from orchestrator.destinations.parquet import between_commits
from orchestrator.errors import UsageError
from tests.cli.terminal import on_a_terminal
from tests.workspaces import FakeWorkspace, wait_until

IDS = "select id from shop.issues order by id"


@pytest.fixture(params=["duckdb", "parquet"])
def either(request, tmp_path):
    """A workspace whose flow ran, once with each type of destination."""
    workspace = FakeWorkspace(tmp_path, request.param)
    workspace.source(issues={"rows": 3})
    workspace.run()
    return workspace


@pytest.fixture
def filled(shop):
    shop.run()
    return shop


@pytest.mark.usefixtures("either")
def test_a_stream_is_a_table_of_its_flow(orchestrator):
    assert orchestrator("query", IDS).out == "id\n 1\n 2\n 3\n"


@pytest.mark.usefixtures("either")
def test_the_other_destination_is_asked_by_name(orchestrator):
    orchestrator("replay", "shop", "--run", "1", "--to", "scratch")

    assert orchestrator("query", IDS, "--to", "scratch", "--format", "csv").out == "id\n1\n2\n3\n"


@pytest.mark.usefixtures("filled")
def test_every_format_says_the_same(orchestrator, tmp_path):
    columns = 'n, name, "at", null as nothing, [1, 2] as list, 1.1::decimal(4, 2) as price'
    sql = f"select {columns} from shop.issues where n = 1"

    assert orchestrator("query", sql, "--format", "csv").out.splitlines() == [
        "n,name,at,nothing,list,price",
        '1,issues 1,2024-01-01T00:00:01Z,,"[1, 2]",1.10',
    ]
    said = orchestrator("query", sql, "--json")
    assert [column["name"] for column in said.document["columns"]][:2] == ["n", "name"]
    row = {"n": 1, "name": "issues 1", "at": "2024-01-01T00:00:01Z", "nothing": None, "list": [1, 2], "price": 1.1}
    assert said.document["rows"] == [row]
    assert '"price":1.10' in said.out
    assert orchestrator("query", sql).out.splitlines()[1] == "1  issues 1  2024-01-01T00:00:01Z  NULL     [1, 2]  1.10"


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("name", ["ids.csv", "ids.json", "ids.parquet"])
def test_the_name_of_a_file_says_its_format(orchestrator, tmp_path, name):
    said = orchestrator("query", IDS, "--output", name)

    assert (said.out, said.err) == ("", f"✓ 3 rows in {name}\n")
    readers = {
        "ids.csv": lambda path: [{"id": int(line)} for line in path.read_text().split()[1:]],
        "ids.json": lambda path: json.loads(path.read_text())["rows"],
        "ids.parquet": lambda path: pyarrow.parquet.read_table(path).to_pylist(),
    }
    assert readers[name](tmp_path / name) == [{"id": 1}, {"id": 2}, {"id": 3}]


@pytest.mark.usefixtures("filled")
def test_a_terminal_shows_what_fits_and_says_what_it_left_out(tmp_path):
    screen = on_a_terminal("query", "from shop.issues, range(50)", at=tmp_path, COLUMNS="50")

    assert screen.splitlines()[0].split() == ["id", "n", "name", "at", "range"]
    assert screen.splitlines()[-1].startswith("40 of 150 rows and 5 of 11 columns shown; --format csv")


@pytest.mark.usefixtures("filled")
def test_columns_of_one_name_are_told_apart(orchestrator):
    assert orchestrator("query", "select 1 as a, 2 as a", "--json").document["rows"] == [{"a": 1, "a_2": 2}]


@pytest.mark.usefixtures("filled")
def test_times_are_those_of_utc_wherever_one_asks(orchestrator):
    sql = "select timestamptz '2026-01-01T03:00:00Z'::date::varchar as day"

    assert {orchestrator("query", sql, TZ=zone).out for zone in ("Asia/Tokyo", "America/Lima")} == {"day\n2026-01-01\n"}


@pytest.mark.parametrize(
    ("sql", "complaint", "hint"),
    [
        ("from shop.isues", "Table with name isues does not exist", "did you mean shop.issues?"),
        ("from shp.issues", 'Table with name "shp.issues" does not exist', "did you mean shop.issues?"),
        ("from issues", "Table with name issues does not exist", "did you mean shop.issues?"),
        ("from q", "Table with name q does not exist", "there are shop.issues"),
        ("select idd from shop.issues", 'Referenced column "idd" not found', 'Candidate bindings: "id"'),
        ("selec 1", 'syntax error at or near "selec"', None),
        ("/* nothing */", "there is nothing to answer", 'orchestrator query "show all tables"'),
    ],
)
def test_sql_that_cannot_be_meant_ends_with_2_and_what_was_meant(orchestrator, either, sql, complaint, hint):
    said = orchestrator("query", sql)

    assert (said.exit_code, said.out) == (2, "")
    assert f"error: {complaint}" in said.err
    assert hint is None or f"hint: {hint}" in said.err


ONLY_ASKS, NOTHING_ELSE, LOCKED = "a query only asks", "a query reads its destination and nothing", "the configuration"
REFUSED = {
    "delete from shop.issues": ONLY_ASKS,
    "copy (select 1) to '{place}/elsewhere.csv'": ONLY_ASKS,
    "copy shop.issues from '/etc/hostname'": ONLY_ASKS,
    "select 1; copy (select 1) to '{place}/shop/elsewhere.parquet'": ONLY_ASKS,
    "explain analyze copy (select 1) to '{place}/elsewhere.csv'": ONLY_ASKS,
    "explain (analyze) copy (select 1) to '{place}/elsewhere.csv'": ONLY_ASKS,
    "/**/ explain analyze copy (select 1) to '{place}/elsewhere'": ONLY_ASKS,
    "explain /**/ analyze copy (select 1) to '{place}/elsewhere'": "syntax error",
    "prepare p as copy (select 1) to '{place}/elsewhere'": ONLY_ASKS,
    "export database '{place}/elsewhere'": ONLY_ASKS,
    "attach '{place}/elsewhere.duckdb'": ONLY_ASKS,
    "install httpfs": ONLY_ASKS,
    "load httpfs": ONLY_ASKS,
    "from read_text('/etc/hostname')": NOTHING_ELSE,
    "from read_csv('/etc/passwd')": NOTHING_ELSE,
    "from glob('/etc/*')": NOTHING_ELSE,
    "from read_parquet('{place}/../state/*')": NOTHING_ELSE,
    "from 'https://rows.test/all.parquet'": NOTHING_ELSE,
    "set enable_external_access = true": LOCKED,
    "set TimeZone = 'Asia/Tokyo'": LOCKED,
    "pragma enable_profiling = 'json'": LOCKED,
}
"""What a query might be used for, and why it is not done."""


def test_a_query_changes_nothing_and_reads_nothing_else(either, tmp_path):
    place = either.config.destination("warehouse").path
    for question, complaint in REFUSED.items():
        with pytest.raises(UsageError) as refused:
            query(either.config, question.format(place=place))

        assert complaint in " ".join(map(str, (refused.value.message, refused.value.cause))), question
    assert not [*tmp_path.rglob("elsewhere*")]
    assert query(either.config, IDS).to_pylist() == [{"id": 1}, {"id": 2}, {"id": 3}]


@pytest.mark.usefixtures("filled")
def test_what_a_query_does_not_do_is_told_with_what_does_it(orchestrator):
    said = orchestrator("query", f"copy ({IDS}) to 'ids.csv'")

    assert (said.exit_code, said.out) == (2, "")
    assert said.err.startswith("error: a query only asks, and COPY does more\n")
    assert said.err.endswith('hint: orchestrator query "from FLOW.STREAM" --output FILE\n')


@pytest.mark.parametrize(
    "question",
    [
        "explain from shop.issues",
        "explain analyze select 1",
        "pivot shop.issues on n using count(*)",
        "create temp table t as from shop.issues; from t",
        "set variable x = 1; select getvariable('x')",
        "describe shop.issues",
        "show all tables",
    ],
)
def test_whatever_only_asks_is_answered(either, question):
    assert query(either.config, question).num_rows


def test_a_query_waits_while_a_commit_is_written(either, start):
    with writing(either) as place:
        asking = start("query", IDS)
        wait_until(lambda: f"waiting: {place} is in use by another process" in asking.stderr.readline())

    assert asking.stdout.read() == "id\n 1\n 2\n 3\n"


@contextmanager
def writing(workspace):
    """As a commit holds the warehouse. Yields the name of what is held."""
    data = workspace.paths.root / "data"
    if workspace.types["warehouse"] == "duckdb":
        with duckdb.connect(str(data / "warehouse.duckdb")):
            yield "warehouse.duckdb"
    else:
        with between_commits(data / "warehouse" / "shop"):
            yield "shop"


def test_a_query_is_answered_while_a_run_goes_on(orchestrator, shop, start):
    shop.source(issues={"endless": True})
    shop.behave(seconds_a_row=0.001, state_every=5)
    running = start("run", "shop", "--commit-rows", "1")
    wait_until(lambda: shop.commits)

    said = orchestrator("query", "select count(*) as n from shop.issues", "--json")

    assert running.poll() is None
    assert said.document["rows"][0]["n"] > 0


def test_before_the_first_commit_the_way_to_one_is_told(orchestrator, shop):
    said = orchestrator("query", IDS)

    assert said.exit_code == 7
    assert said.err.startswith('error: destination "warehouse" holds nothing yet')
    assert said.err.endswith("hint: orchestrator run shop\n")


def test_where_flows_go_to_several_destinations_one_has_to_be_named(orchestrator, filled):
    with filled.paths.config.open("a") as file:
        file.write('\n[[flows]]\nname = "other"\nfrom = "fake"\nto = "scratch"\n')

    said = orchestrator("query", IDS)

    assert said.exit_code == 2
    assert said.err.endswith(f"hint: orchestrator query --to warehouse '{IDS}'\n")


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("words", "complaint", "hint"),
    [
        (["--output", "no/where.csv"], "there is no folder no", "mkdir -p no"),
        (["--format", "xml"], "invalid value for '--format'", "orchestrator query --help"),
        (["--to", "nowhere"], 'there is no destination "nowhere"', "orchestrator doctor"),
    ],
)
def test_an_answer_that_can_go_nowhere_ends_with_2(orchestrator, words, complaint, hint):
    said = orchestrator("query", IDS, *words)

    assert said.exit_code == 2
    assert f"error: {complaint}" in said.err
    assert said.err.endswith(f"hint: {hint}\n")


@pytest.mark.usefixtures("filled")
def test_what_parquet_cannot_hold_is_told(orchestrator):
    said = orchestrator("query", "select interval 3 day as i", "--output", "days.parquet")

    assert said.exit_code == 2
    assert said.err.startswith("error: parquet cannot hold a column of the answer")
