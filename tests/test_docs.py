"""The documents say what is so: commands run as printed, tables are those of the code, links lead somewhere."""

import ast
import dataclasses
import json
import re
from collections.abc import Mapping
from typing import Any

import duckdb
import pytest

import orchestrator
from orchestrator import errors
from orchestrator.cli.program import COMMANDS
from orchestrator.config import (
    WHOLE,
    Destination,
    Flow,
    Hub,
    Limits,
    Mode,
    Nested,
    Nesting,
    Notify,
    Retention,
    Tap,
    read_config,
    shape,
)
from orchestrator.destinations import Destination as Contract
from orchestrator.destinations import duckdb_file, sql
from orchestrator.destinations.parquet import SMALL_FILES
from orchestrator.destinations.staging import BYTES_IN_MEMORY
from orchestrator.envs.lock import Lock, read_lock
from orchestrator.envs.recipe import recipe_of
from orchestrator.load.nesting import landing_columns
from orchestrator.load.table import OUR_COLUMNS
from orchestrator.paths import Paths
from orchestrator.protocol.arrays import arrow_type
from orchestrator.protocol.schemas import DEEPEST, MOST_MEMBERS, columns_of
from tests.docs import commands, taps
from tests.docs.markdown import ROOT, documents, headings, links, steps, steps_before, table
from tests.docs.shell import Shell, lasting
from tests.packages.installed import write_wheels

DOCS = ROOT / "docs"
WITHOUT_INDEX = ["docs/how-to/load-behind-any-tap.md", "docs/how-to/query-nested-data.md"]
WITH_THE_SDK = "docs/how-to/build-a-tap.md"


# What the examples say where a machine cannot have what they need.
NOT_PROVIDED = "not provided: "


def text_of(name: str) -> str:
    return (ROOT / name).read_text()


# ── what is printed is run ───────────────────────────────────────────────────────────────────────


TUTORIAL = "docs/tutorial.md"


def going_on_from_the_tutorial() -> list[str]:
    return [name for name in with_commands() if steps_before(text_of(name))]


def with_commands() -> list[str]:
    return [str(path.relative_to(ROOT)) for path in documents() if steps(path.read_text())]


def standing_alone() -> list[Any]:
    elsewhere = (TUTORIAL, WITH_THE_SDK, *going_on_from_the_tutorial())
    names = [name for name in with_commands() if name not in elsewhere]
    return [pytest.param(name, marks=() if name in WITHOUT_INDEX else pytest.mark.index) for name in names]


def check_commands(shell: Shell, name: str) -> None:
    for step in steps(text_of(name)):
        printed, code = shell.run(step.command)
        if printed.startswith(NOT_PROVIDED):
            pytest.skip(printed)

        assert lasting(printed) == lasting(step.output), f"{name}: $ {step.command}"
        assert code == 0 or "error: " in printed, f"{name}: $ {step.command} ended with exit code {code}"


@pytest.mark.parametrize("name", standing_alone())
def test_commands_run_as_printed_and_print_what_is_printed(name, tmp_path):
    with Shell(tmp_path) as shell:
        check_commands(shell, name)


def test_a_tap_is_built_as_it_is_printed(index, tmp_path):
    """What it installs, the development environment holds."""
    write_wheels(index.folder, ["singer-sdk", "hatchling", "editables", "pytest"])
    with Shell(tmp_path) as shell:
        check_commands(shell, WITH_THE_SDK)


@pytest.mark.index
def test_the_tutorial_and_what_goes_on_from_it_run_as_printed(tmp_path, subtests):
    with Shell(tmp_path) as shell:
        check_commands(shell, TUTORIAL)
        shell.run("cd ~/ && cp -a ~/shop ~/shop-at-the-end && export -p > ~/variables-at-the-end")
        for name in going_on_from_the_tutorial():
            shell.run(
                "cd ~/ && rm -r ~/shop && cp -a ~/shop-at-the-end ~/shop && cd ~/shop && . ~/variables-at-the-end"
            )
            with subtests.test(name):
                check_commands(shell, name)


def test_what_goes_on_from_a_document_goes_on_from_the_tutorial():
    assert len(going_on_from_the_tutorial()) > 2
    for name in going_on_from_the_tutorial():
        assert steps_before(text_of(name)) == steps(text_of(TUTORIAL))


def test_the_readme_and_the_tutorial_have_commands_to_run():
    assert len(steps(text_of("README.md"))) > 5
    assert len(steps(text_of("docs/tutorial.md"))) > 10


# ── where it leads ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document):
    for link in links(document.read_text()):
        if link.startswith("https://"):
            continue
        name, _, heading = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        assert target.exists(), link
        assert not heading or heading in map(_anchor, headings(target.read_text())), link


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_files_of_the_repository_that_are_named_are_there(document):
    named = re.findall(r"`((?:orchestrator|tests|docs|examples|benchmarks)/[\w./-]+)`", document.read_text())

    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_document_is_listed():
    listed = {(DOCS / link).resolve() for link in links(text_of("docs/README.md"))}

    assert listed == {path for path in DOCS.glob("**/*.md") if path.name != "README.md"}


def _anchor(heading: str) -> str:
    """The name that a heading has in links."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


# ── the readme ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("map", ["README.md", "orchestrator/__init__.py"])
def test_the_map_shows_every_room_and_no_other(map):
    shown = set(re.findall(r"^ {4,6}(\w+(?:/|\.py)) ", text_of(map), re.MULTILINE))

    there = {f"{path.name}/" if path.is_dir() else path.name for path in (ROOT / "orchestrator").iterdir()}
    assert shown == there - {"__init__.py", "__main__.py", "__pycache__/", "py.typed"}


def test_the_targets_of_make_are_those_that_are_listed():
    targets = set(re.findall(r"^(\w+):.*## ", text_of("Makefile"), re.MULTILINE))

    for row in table(text_of("README.md"), "Working on it"):
        assert row["command"].removeprefix("make ") in targets


def test_nobody_is_told_to_install_the_package_of_somebody_else():
    for document in documents():
        assert not re.search(r"install (-\S+ )*orchestrator\b", document.read_text()), document


# ── the sample workspace ─────────────────────────────────────────────────────────────────────────


def sample_lock() -> Lock:
    lock = read_lock(Paths(ROOT).lock("gitlab"))
    assert lock is not None
    return lock


def test_the_sample_lock_is_what_its_orchestrator_toml_asks_for():
    tap = read_config(Paths(ROOT).config).tap("gitlab")

    assert sample_lock().departures(recipe_of(tap, ROOT)) == []


def test_the_sample_lock_says_nothing_about_the_machine_that_made_it():
    text = sample_lock().text

    assert "://" not in text
    assert not re.search(r"(^|\s)/(?!/)\w", text)
    assert sample_lock().without_hash() == []


# ── the reference ────────────────────────────────────────────────────────────────────────────────


def test_the_page_of_taps_counts_what_its_table_shows():
    rows = table(taps.PATH.read_text(), "Taps that were tried")
    started = [row for row in rows if "does not start" not in row["what it took"]]

    assert f": {len(started)} of {len(rows)}\nstart." in taps.PATH.read_text()
    assert {row["tap"].split()[0] for row in rows} >= {name.partition("==")[0] for name in taps.TAPS}
    assert "://" not in taps.PATH.read_text()


def test_the_commands_are_described_as_they_describe_themselves():
    written = commands.PATH.read_text()

    assert written == commands.as_markdown(), "python -m tests.docs.commands writes it down"


def test_the_list_of_commands_says_what_each_says_of_itself():
    described = dict(re.findall(r"^### orchestrator ([\w-]+).*\n\n(.*)$", commands.as_markdown(), re.MULTILINE))

    assert described == {name: line for section in COMMANDS.values() for name, line in section.items()}


SETTINGS: list[tuple[str, shape.Shape, type | None]] = [
    ("Sections", shape.SECTIONS, None),
    ("[taps.NAME]", shape.TAP, Tap),
    ("[taps.NAME.limits]", shape.LIMITS, Limits),
    ("[taps.NAME.streams.STREAM]", shape.STREAM, None),
    ("[destinations.NAME]", shape.DESTINATION, Destination),
    ("[[flows]]", shape.FLOW, Flow),
    ("[retention]", shape.RETENTION, Retention),
    ("[[notify]]", shape.NOTIFY, Notify),
    ("[hub]", shape.HUB, Hub),
]


@pytest.mark.parametrize(("heading", "settings", "values"), SETTINGS, ids=[heading for heading, _, _ in SETTINGS])
def test_the_settings_are_those_of_the_code(heading, settings, values):
    rows = table(text_of("docs/reference/settings.md"), heading)

    assert [next(iter(row.values())) for row in rows] == [*settings]
    if values is not None:
        defaults = _defaults(values)
        told = {row["setting"]: row["default"] for row in rows if row["setting"] in defaults}
        assert {name: _literal(default) for name, default in told.items()} == {name: defaults[name] for name in told}


def _defaults(values: type) -> dict[str, Any]:
    """The defaults that are plain values, by the names of the settings."""
    fields = {field.name: field.default for field in dataclasses.fields(values)}
    return {name: default for name, default in fields.items() if isinstance(default, str | int | float)}


_PYTHONS_OWN = {"true": "True", "false": "False"}


def _literal(default: str) -> Any:
    return default if default.startswith("{") else ast.literal_eval(_PYTHONS_OWN.get(default, default))


def test_the_errors_are_those_of_the_code():
    rows = table(text_of("docs/reference/errors.md"), "The tree")

    told = {row["error"].replace("&nbsp;", ""): (row["code"], row["when"]) for row in rows}
    assert told == {name: (_exit_code(kind), _words_of_the_tree()[name]) for name, kind in _errors().items()}


def test_every_exit_code_is_explained():
    rows = table(text_of("docs/reference/errors.md"), "Exit codes")

    told = {code for row in rows for code in row["code"].split(", ")}
    assert told == {"0", *(code for kind in _errors().values() for code in _exit_code(kind).split(" or "))}


def _errors() -> Mapping[str, type[errors.OrchestratorError]]:
    root = errors.OrchestratorError
    found = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, root)}
    return {name: kind for name, kind in found.items() if kind is not root}


def _exit_code(kind: type[errors.OrchestratorError]) -> str:
    return "130 or 143" if kind is errors.Stopped else str(kind.exit_code)


def _words_of_the_tree() -> dict[str, str]:
    """What the tree at the top of errors.py says of each error."""
    return dict(re.findall(r"[├└]── (\w+) +(?:130 or 143, |\d+ +)?(.+)", errors.__doc__ or ""))


@pytest.mark.parametrize(
    "row", table(text_of("docs/reference/types.md"), "Types: from JSON schema to columns"), ids=str
)
def test_a_schema_becomes_the_type_that_is_written(row):
    schema = json.loads(row["schema of a property"])

    (column,) = landing_columns(columns_of({"properties": {"x": schema}}), WHOLE, ())

    assert str(column.type) == row["type"]
    assert sql.type_name(column.type) == row["DuckDB"]
    assert str(arrow_type(column.type)) == row["parquet"]


@pytest.mark.parametrize("row", table(text_of("docs/reference/types.md"), "Structs and lists"), ids=str)
def test_a_schema_becomes_the_struct_or_list_that_is_written(row):
    schema = json.loads(row["schema of a property"])

    (column,) = landing_columns(columns_of({"properties": {"x": schema}}), Nesting(Nested.STRUCT), ())

    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE s (x {sql.type_name(column.type)})")
        assert connection.execute("SELECT type FROM pragma_table_info('s')").fetchall() == [(row["DuckDB"],)]
    assert str(arrow_type(column.type)) == row["parquet"]


def land(row, folder, **options):
    """What stands in the columns of a row whose property `x` is what is written: the type and the text of each."""
    record = f'{{"type": "RECORD", "stream": "s", "record": {{"x": {row["value"]}}}}}'
    return land_message(row, record, folder, **options)


def land_message(row, message, folder, **options):
    schema = f'{{"type": "SCHEMA", "stream": "s", "schema": {{"properties": {{"x": {row["schema"]}}}}}}}'
    orchestrator.load_messages([f"{schema}\n{message}\n".encode()], f"duckdb:{folder}/x.duckdb", **options)
    with duckdb.connect(f"{folder}/x.duckdb") as connection:
        connection.execute("SET TimeZone = 'UTC'")
        known = connection.execute("SELECT name, type FROM pragma_table_info('s') WHERE name LIKE 'x%'").fetchall()
        select = ", ".join(f'"{name}"::VARCHAR' for name, _ in known)
        (values,) = connection.execute(f"SELECT {select} FROM s").fetchall()
    return {name: (type, value) for (name, type), value in zip(known, values, strict=True)}


@pytest.mark.parametrize("row", table(text_of("docs/reference/types.md"), "Values"), ids=lambda row: row["what comes"])
def test_a_value_lands_as_it_is_written(row, tmp_path):
    if row["column"] == "an error":
        with pytest.raises(errors.BadRecord):
            land(row, tmp_path)
    else:
        assert land(row, tmp_path) == {"x": (row["column"], row["holds"])}


@pytest.mark.parametrize(
    "row",
    table(text_of("docs/reference/types.md"), "In the parquet files of a BATCH"),
    ids=lambda row: row["what a file holds"],
)
def test_a_value_of_a_parquet_file_lands_as_it_is_written(row, tmp_path):
    duckdb.sql(f"COPY (SELECT {row['value']} AS x) TO '{tmp_path}/x.parquet'")
    batch = {"type": "BATCH", "stream": "s", "encoding": {"format": "parquet"}, "manifest": [f"{tmp_path}/x.parquet"]}

    if row["column"] == "an error":
        with pytest.raises(errors.BadRecord):
            land_message(row, json.dumps(batch), tmp_path, batch_roots=[tmp_path])
    else:
        landed = land_message(row, json.dumps(batch), tmp_path, batch_roots=[tmp_path])
        assert landed == {"x": (row["column"], row["holds"])}


@pytest.mark.parametrize(
    "row", table(text_of("docs/reference/types.md"), "Values inside of them"), ids=lambda row: row["what comes"]
)
def test_a_value_of_a_struct_or_list_lands_as_it_is_written(row, tmp_path):
    assert land(row, tmp_path, nested="struct") == {"x": (row["column"], row["holds"])}


@pytest.mark.parametrize(
    "row", table(text_of("docs/reference/types.md"), "Columns for members"), ids=lambda row: row["what comes"]
)
def test_the_members_of_an_object_have_the_columns_that_are_written(row, tmp_path):
    landed = land(row, tmp_path, flatten=1)

    held = ", ".join(f"{name} = {value}" for name, (_, value) in landed.items() if value is not None)
    assert held == row["columns that hold something"].replace("–", "")


def test_our_columns_are_those_of_the_code():
    rows = table(text_of("docs/reference/destinations.md"), "Our own columns")

    assert [(row["column"], row["type"]) for row in rows] == [(column.name, str(column.type)) for column in OUR_COLUMNS]


def test_the_modes_are_those_of_the_code():
    rows = table(text_of("docs/reference/destinations.md"), "How rows settle")

    assert [row["mode"] for row in rows] == [mode.value for mode in Mode]


def test_the_verbs_of_a_destination_are_those_of_the_code():
    rows = table(text_of("docs/reference/destinations.md"), "Destinations")

    verbs = [name for name in vars(Contract) if not name.startswith("_")]
    assert [row["verb"].partition("(")[0] for row in rows] == verbs


def test_the_numbers_are_those_of_the_code():
    destinations = " ".join(text_of("docs/reference/destinations.md").split())

    assert f"beyond {BYTES_IN_MEMORY // 1_000_000} MB" in destinations
    assert f"more than {SMALL_FILES} of them" in destinations
    assert duckdb_file.PATIENCE == 10 * 60
    assert "up to ten minutes" in destinations
    types = " ".join(text_of("docs/reference/types.md").split())
    assert f"more than {DEEPEST} levels deep" in types
    assert f"more than {MOST_MEMBERS} members" in types


# ── the guarantees ───────────────────────────────────────────────────────────────────────────────


def guarantees() -> list[tuple[str, str]]:
    return re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text_of("docs/guarantees.md"))


@pytest.mark.parametrize(("file", "test"), guarantees())
def test_a_guarantee_names_a_test_that_there_is(file, test):
    tests = {node.name for node in ast.walk(ast.parse(text_of(file))) if isinstance(node, ast.FunctionDef)}

    assert test in tests


def test_every_guarantee_names_a_test():
    rows = [
        row for row in re.findall(r"^\| .* \|$", text_of("docs/guarantees.md"), re.MULTILINE) if "shown by" not in row
    ]

    assert len(rows) == len(guarantees())
    assert len(rows) > 20


def test_the_version_is_in_the_changelog_or_unreleased():
    assert re.search(
        rf"^## \[(Unreleased|{re.escape(orchestrator.__version__)})\]", text_of("CHANGELOG.md"), re.MULTILINE
    )
