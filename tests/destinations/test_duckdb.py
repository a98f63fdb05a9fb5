"""What is particular to DuckDB files: one process at a time has them open, and anybody may change them by hand."""

import os
import subprocess
import sys

import duckdb
import pytest

from orchestrator.destinations import duckdb_tables, staging
from orchestrator.destinations.duckdb import DuckDB
from orchestrator.destinations.duckdb_file import open_file, read_file
from orchestrator.destinations.duckdb_undo import Undo, put_back
from orchestrator.errors import DestinationBusy, DestinationError
from orchestrator.events import Event, Waiting
from tests.destinations.landing import FLOW, DuckDBFile, OtherProcess, land, record, rows, schema, stage, state

USERS = schema("users", ["id"], id="integer", name="string")


@pytest.fixture
def place(tmp_path):
    return DuckDBFile(tmp_path)


@pytest.fixture
def destination(place):
    with place.open() as opened:
        yield opened


def user(id, name):
    return record("users", id=id, name=name)


HOLDS = """
import sys, time, duckdb
connection = duckdb.connect(sys.argv[1])
print("holds", flush=True)
time.sleep(float(sys.argv[2]))
"""


def test_a_file_that_another_process_has_open_is_waited_for(place, destination):
    land(destination, USERS, user(1, "Ada"))
    told: list[Event] = []
    with (
        OtherProcess(HOLDS, place.path, 0.5) as process,
        DuckDB(place.path, FLOW, listen=told.append) as patient,
    ):
        process.line()
        land(patient, USERS, user(2, "Bob"))

    assert rows(place, "users") == [(1, "Ada"), (2, "Bob")]
    (waiting,) = told
    assert isinstance(waiting, Waiting)
    assert "in use by another process (pid " in waiting.reason


def test_a_file_that_is_never_let_go_is_an_error_that_names_the_process(place, destination):
    land(destination, USERS, user(1, "Ada"), state(1))
    with OtherProcess(HOLDS, place.path, 60) as process, DuckDB(place.path, FLOW, patience=0.2) as impatient:
        process.line()
        with pytest.raises(DestinationBusy, match=rf"warehouse\.duckdb is in use .*\(pid {process.pid}\)"):
            land(impatient, USERS, user(2, "Bob"))

    assert rows(place, "users") == [(1, "Ada")]


def test_readers_work_between_commits(place, destination):
    land(destination, USERS, user(1, "Ada"))
    stage(destination, USERS, user(2, "Bob"))
    with duckdb.connect(str(place.path), read_only=True) as reader:
        assert reader.execute("SELECT count(*) FROM shop.users").fetchall() == [(1,)]


def test_a_commit_waits_for_a_reader_to_finish(place, destination):
    land(destination, USERS, user(1, "Ada"))
    with OtherProcess(HOLDS.replace("[1])", "[1], read_only=True)"), place.path, 0.5) as reader:
        reader.line()
        land(destination, USERS, user(2, "Bob"))

    assert rows(place, "users") == [(1, "Ada"), (2, "Bob")]


def test_a_table_that_was_dropped_by_hand_starts_anew(place, destination):
    land(destination, USERS, user(1, "Ada"))
    with duckdb.connect(str(place.path)) as connection:
        connection.execute("DROP TABLE shop.users")
    land(destination, USERS, user(2, "Bob"))

    assert rows(place, "users") == [(2, "Bob")]


def test_a_table_of_somebody_else_keeps_its_name(place, destination):
    place.path.parent.mkdir()
    with duckdb.connect(str(place.path)) as connection:
        connection.execute("CREATE SCHEMA shop")
        connection.execute("CREATE TABLE shop.Users AS SELECT 'theirs' AS whose")
    land(destination, USERS, user(1, "Ada"))

    (ours,) = (table for table in place.tables() if table != "Users")
    assert place.query("Users", "SELECT *") == [("theirs",)]
    assert rows(place, ours) == [(1, "Ada")]


def test_a_generation_that_is_given_up_leaves_no_table(place, destination):
    events = schema("events", what="string")
    land(destination, events, record("events", what="lost"), gathering=("events",), run=1, complete=False)
    land(destination, events, record("events", what="new"), gathering=("events",), run=2)

    with duckdb.connect(str(place.path), read_only=True) as connection:
        tables = connection.execute("SELECT table_name FROM information_schema.tables ORDER BY 1").fetchall()
    assert tables == [("commits",), ("events",), ("quarantine",), ("tables",)]


def test_a_file_that_is_no_database_is_an_error_and_stays_as_it_is(place, destination):
    place.path.parent.mkdir()
    place.path.write_text("id,name\n1,Ada\n")

    with pytest.raises(DestinationError, match=r"warehouse\.duckdb cannot be opened"):
        land(destination, USERS, user(1, "Ada"))
    assert place.path.read_text() == "id,name\n1,Ada\n"


def test_rows_that_wait_beyond_memory_wait_on_disk_and_leave_no_file(place, destination, monkeypatch):
    monkeypatch.setattr(staging, "BYTES_IN_MEMORY", 1000)
    open_before = os.listdir("/dev/fd")
    other = schema("users", ["id"], id="integer", name="string", more="object")
    land(
        destination,
        USERS,
        *(user(id, "x" * 100) for id in range(1000)),
        other,
        *(record("users", id=id, more={"n": id}) for id in range(500, 1500)),
    )

    assert place.query("users", "SELECT count(*), count(name), count(more)") == [(1500, 500, 1000)]
    assert [path.name for path in place.path.parent.iterdir()] == ["warehouse.duckdb"]
    assert len(os.listdir("/dev/fd")) == len(open_before)


def test_what_a_killed_process_had_no_memory_for_is_swept(place, destination):
    left = place.path.parent / "warehouse.duckdb.tmp" / "duckdb_temp_storage_DEFAULT-0.tmp"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"rows")
    land(destination, USERS, user(1, "Ada"), state(1))

    assert [path.name for path in place.path.parent.iterdir()] == ["warehouse.duckdb"]


def test_a_commit_that_needs_more_memory_than_is_meant_for_it_gets_it(place, destination, monkeypatch):
    many = {f"n{number}": "string" for number in range(300)}
    messages = [schema("wide", **many), *(record("wide", **dict.fromkeys(many, f"{id}")) for id in range(3000))]
    monkeypatch.setattr(duckdb_tables, "_MEGABYTES", 20)
    monkeypatch.setattr(duckdb_tables, "_MEGABYTES_A_COLUMN", 0)
    land(destination, *messages)
    land(destination, *messages)

    assert place.query("wide", "SELECT count(*), count(n299)") == [(6000, 6000)]


def test_rows_of_one_key_in_several_batches_leave_the_last(place, destination, monkeypatch):
    monkeypatch.setattr(staging, "BYTES_IN_MEMORY", 1000)
    land(destination, USERS, user(1, "held"), user(2, "held"), state(1))
    rounds = (user(id, f"round {number}") for number in range(3) for id in range(2, 5000 + number))
    land(destination, USERS, *rounds, state(2))

    assert place.query("users", "SELECT count(*), count(DISTINCT id)") == [(5001, 5001)]
    assert place.query("users", "SELECT min(name), max(name), count(DISTINCT name)") == [("held", "round 2", 2)]


def test_a_key_may_be_called_like_a_column_of_ours_without_its_prefix(place, destination):
    shape = schema("users", ["last", "sequence"], last="string", sequence="integer", name="string")
    for name in ("first", "second"):
        land(destination, shape, *(record("users", last="x", sequence=1, name=name) for _ in range(2)))

    assert place.query("users", "SELECT name") == [("second",)]


def test_a_file_may_be_called_like_the_schema_of_its_tables(tmp_path):
    with DuckDB(tmp_path / "shop.duckdb", "shop") as destination:
        land(destination, USERS, user(1, "Ada"), state(1))
        land(destination, USERS, user(2, "Bob"), state(2))

    with duckdb.connect(str(tmp_path / "shop.duckdb"), read_only=True) as reader:
        assert reader.execute("SELECT count(*) FROM shop.shop.users").fetchone() == (2,)


def test_the_columns_of_the_tap_come_first_in_its_own_order(place, destination):
    land(destination, USERS, user(1, "Ada"))

    with duckdb.connect(str(place.path), read_only=True) as reader:
        names = [name for name, *_ in reader.execute("DESCRIBE shop.users").fetchall()]
    assert names[:3] == ["id", "name", "_sdc_extracted_at"]


TEARS = """
import os, sys, time
from pathlib import Path
from orchestrator.destinations.duckdb_file import open_file
from orchestrator.destinations.duckdb_undo import Undo
path = Path(sys.argv[1])
with Undo(path) as undo, open_file(path) as connection, undo.of(connection):
    ((number, size),) = connection.execute("SELECT block_id, block_size FROM pragma_metadata_info(), "
        "pragma_database_size() LIMIT 1").fetchall()
    os.pwrite(os.open(path, os.O_WRONLY), os.urandom(4096), 12288 + number * size)
    print("torn", flush=True)
    time.sleep(60)
"""


def test_a_block_that_a_power_loss_tore_while_a_commit_wrote_it_is_put_back(place):
    with place.open() as destination:
        land(destination, USERS, user(1, "Ada"), state(1))
    with OtherProcess(TEARS, place.path) as process:
        process.line()
    with pytest.raises(duckdb.Error, match="Corrupt database file"):
        duckdb.connect(place.path, read_only=True)

    with place.open() as destination:
        land(destination, USERS, user(2, "Bob"), state(2))

    assert rows(place, "users") == [(1, "Ada"), (2, "Bob")]
    assert os.listdir(place.path.parent) == [place.path.name]


def test_whoever_asks_first_after_a_power_loss_sees_the_last_commit(place):
    with place.open() as destination:
        land(destination, USERS, user(1, "Ada"), state(1))
    with OtherProcess(TEARS, place.path) as process:
        process.line()

    with read_file(place.path) as connection:
        assert connection.execute(f"SELECT name FROM {FLOW}.users").fetchall() == [("Ada",)]


def test_a_file_may_be_a_link_to_one_that_is_not_there_yet(place, destination, tmp_path):
    place.path.parent.mkdir()
    place.path.symlink_to(tmp_path / "elsewhere.duckdb")

    land(destination, USERS, user(1, "Ada"))

    assert place.path.is_symlink()
    assert rows(place, "users") == [(1, "Ada")]


def test_blocks_of_a_commit_that_is_still_being_written_are_left_alone(place, destination):
    land(destination, USERS, user(1, "Ada"), state(1))
    with OtherProcess(TEARS, place.path) as process:
        process.line()
        torn = place.path.read_bytes()

        put_back(place.path)

        assert place.path.read_bytes() == torn


def test_a_commit_keeps_its_file_whoever_of_its_process_looks_meanwhile(place, destination):
    land(destination, USERS, user(1, "Ada"), state(1))
    another = [sys.executable, "-c", "import duckdb, sys; duckdb.connect(sys.argv[1])", place.path]
    with Undo(place.path) as undo, open_file(place.path) as file, undo.of(file):
        put_back(place.path)

        refused = subprocess.run(another, capture_output=True, text=True).stderr

    assert "Conflicting lock" in refused


def test_a_file_that_a_crash_left_half_made_is_made_again(place, destination):
    place.path.parent.mkdir()
    (place.path.parent / ".warehouse.duckdb.new").write_bytes(bytes(4096))

    land(destination, USERS, user(1, "Ada"))

    assert os.listdir(place.path.parent) == [place.path.name]
