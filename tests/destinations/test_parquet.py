"""What is particular to parquet folders: which files change, what readers meet meanwhile, and what a crash leaves."""

import json
import resource
import shutil
import threading
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from orchestrator.destinations import parquet
from orchestrator.destinations.parquet import Parquet
from orchestrator.durable import lock
from orchestrator.errors import DamagedFile, DestinationBusy, DestinationError
from orchestrator.events import Event, Waiting
from orchestrator.failpoints import arm
from orchestrator.load.table import OUR_NAMES
from tests.destinations.landing import (
    FLOW,
    OtherProcess,
    ParquetFolder,
    activate,
    land,
    record,
    rows,
    schema,
    stage,
    state,
    versioned,
)

USERS = schema("users", ["id"], id="integer", name="string")
EVENTS = schema("events", what="string")


@pytest.fixture
def place(tmp_path):
    return ParquetFolder(tmp_path)


@pytest.fixture
def lake(place):
    return place.root


@pytest.fixture
def destination(place):
    with place.open() as opened:
        yield opened


def user(id, name):
    return record("users", id=id, name=name)


def event(what):
    return record("events", what=what)


def files(folder):
    """The files of a table, and what tells whether one was written anew."""
    return {path.name: path.stat().st_ino for path in folder.glob("*.parquet")}


# ── files ────────────────────────────────────────────────────────────────────────────────────────


def test_appending_leaves_the_files_that_are_there_alone(destination, lake):
    land(destination, EVENTS, event("1"))
    before = files(lake / "events")
    land(destination, EVENTS, event("2"))

    after = files(lake / "events")
    assert before.items() < after.items()
    assert len(after) == 2


def test_an_upsert_writes_only_those_files_anew_that_hold_a_key_of_it(destination, lake, place):
    for id in (1, 2, 3):
        land(destination, USERS, user(id, "x"), user(id * 10, "x"))
    before = files(lake / "users")
    land(destination, USERS, user(2, "y"))

    after = files(lake / "users")
    assert len(before.items() & after.items()) == 2
    assert rows(place, "users", "id", "name") == [(1, "x"), (10, "x"), (20, "x"), (3, "x"), (30, "x"), (2, "y")]


def test_an_old_version_goes_without_writing_a_file(destination, lake):
    land(destination, EVENTS, versioned(1, event("old")))
    land(destination, EVENTS, versioned(2, event("new")), activate("events", 2))

    assert list(files(lake / "events")) == ["commit-00000002-1.parquet"]


def test_all_files_of_a_table_have_the_same_columns(destination, lake):
    land(destination, schema("t", a="integer"), record("t", a=1))
    land(destination, schema("t", b="object", a="number"), record("t", b={}, a=1.5))
    land(destination, schema("t", a="string"), record("t", a="x"))

    schemas = [pq.ParquetFile(path).schema_arrow for path in (lake / "t").iterdir()]
    columns = [sorted((field.name, str(field.type)) for field in each) for each in schemas]
    assert len(columns) > 1
    assert all(each == columns[0] for each in columns)


def test_files_say_what_their_columns_mean(destination, lake):
    described = schema(
        "t",
        at={"type": "string", "format": "date-time"},
        time={"type": "string", "format": "time"},
        d={"type": "number", "multipleOf": 0.01},
        o="object",
    )
    for name in ("first", "second"):
        land(destination, described, record("t", at="2026-01-01T00:00:00Z", time="01:02:03", d=1.5, o={"n": name}))
    land(destination, schema("t", new="string"), record("t", new="x"))

    for path in (lake / "t").iterdir():
        file = pq.ParquetFile(path).schema
        said = {file.column(i).name: file.column(i).logical_type.to_json() for i in range(len(file.names))}
        assert json.loads(said["at"]) | {"isAdjustedToUTC": True, "timeUnit": "microseconds"} == json.loads(said["at"])
        assert json.loads(said["time"])["timeUnit"] == "microseconds"
        assert json.loads(said["d"]) == {"Type": "Decimal", "precision": 38, "scale": 2}
        assert json.loads(said["o"]) == {"Type": "JSON"}


def test_an_empty_table_has_one_file_that_tells_its_columns(destination, lake, place):
    land(destination, USERS)
    land(destination, USERS)

    assert list(files(lake / "users")) == ["commit-00000001-1.parquet"]
    land(destination, USERS, user(1, "Ada"))
    assert list(files(lake / "users")) == ["commit-00000003-1.parquet"]


def test_many_small_files_are_joined(destination, lake, place, monkeypatch):
    monkeypatch.setattr(parquet, "SMALL_FILES", 5)
    for number in range(17):
        land(destination, EVENTS, event(str(number)))

    assert len(files(lake / "events")) <= 5
    assert rows(place, "events") == [(str(number),) for number in range(17)]


def test_a_folder_whose_name_looks_like_a_pattern_is_read_as_it_is(tmp_path):
    root, like_it = tmp_path / "year=2026" / "lake [a-z]*? 'x'", tmp_path / "year=2026" / "lake abc 'x'"
    for folder, name in ((root, "Ada"), (like_it, "Zoe")):
        with Parquet(folder) as destination:
            land(destination, USERS, user(1, name), user(2, name))
            land(destination, USERS, user(1, "Eve"), record("users", id=3, more=1))

    kept = [pq.ParquetFile(path).read() for path in (root / "users").iterdir()]
    read = [row for table in kept for row in table.to_pylist()]
    assert sorted((row["id"], row["name"]) for row in read) == [(1, "Eve"), (2, "Ada"), (3, None)]
    assert all(set(table.column_names) == {"id", "name", "more", *OUR_NAMES} for table in kept)


def test_more_streams_settle_together_than_a_process_may_have_files_open(destination, place):
    streams = [f"stream_{number}" for number in range(200)]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (180, hard))
    try:
        land(destination, *(schema(stream, n="integer") for stream in streams), *(record(s, n=1) for s in streams * 2))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert place.tables() == sorted(streams)
    assert rows(place, "stream_0") == [(1,), (1,)]


# ── what else is in the folder ───────────────────────────────────────────────────────────────────


def test_what_others_put_into_the_folder_stays(destination, lake, place):
    (lake / "users").mkdir(parents=True)
    (lake / "users" / "theirs.parquet").write_text("theirs")
    (lake / "events").mkdir()
    land(destination, USERS, EVENTS, user(1, "Ada"), event("x"))
    (lake / "events" / "notes.parquet").write_text("theirs")
    land(destination, EVENTS, event("y"))
    land(destination, EVENTS, gathering=("events",))

    assert [path.name for path in (lake / "users").iterdir()] == ["theirs.parquet"]
    assert (lake / "events" / "notes.parquet").read_text() == "theirs"
    (named,) = lake.glob("users_*")
    assert rows(place, named.name) == [(1, "Ada")]


def test_a_table_that_was_taken_away_by_hand_starts_anew(destination, lake, place):
    land(destination, USERS, user(1, "Ada"))
    shutil.rmtree(lake / "users")
    land(destination, USERS, user(2, "Bob"))

    assert rows(place, "users") == [(2, "Bob")]


def test_what_was_staged_leaves_nothing_behind(destination, lake):
    land(destination, USERS, user(1, "Ada"))
    before = sorted(lake.rglob("*"))
    stage(destination, USERS, user(2, "Bob"))
    assert sorted(lake.rglob("*")) != before
    destination.close()

    assert sorted(lake.rglob("*")) == before


STAGES_AND_WAITS = """
import sys, time
from pathlib import Path
from tests.destinations.landing import ParquetFolder, record, schema, stage

with ParquetFolder(Path(sys.argv[1])).open() as destination:
    stage(destination, schema("users", ["id"], id="integer"), record("users", id=1))
    print("staged", flush=True)
    time.sleep(60)
"""


def test_what_a_living_process_staged_stays_and_what_a_dead_one_staged_goes(place, lake, tmp_path):
    with OtherProcess(STAGES_AND_WAITS, tmp_path) as process:
        process.line()
        with place.open() as destination:
            destination.last_commit(FLOW)
        assert len(list(lake.rglob("*/.processes/*"))) == 1
        process.kill()

    with place.open() as destination:
        destination.last_commit(FLOW)
    assert list(lake.rglob("*/.processes/*")) == []


def test_a_generation_that_is_given_up_leaves_no_file(destination, lake):
    land(destination, EVENTS, event("lost"), gathering=("events",), run=1, complete=False)
    land(destination, EVENTS, event("new"), gathering=("events",), run=2)

    assert [path.parent.name for path in lake.rglob("*.parquet")] == ["events"]


# ── readers ──────────────────────────────────────────────────────────────────────────────────────


def test_a_reader_never_meets_a_key_twice_nor_a_row_before_its_commit(destination, lake, place):
    land(destination, USERS, *(user(id, "0") for id in range(100)))
    done = threading.Event()
    seen = []

    def read():
        while not done.is_set():
            try:
                seen.append(place.query("users", "SELECT count(*), count(DISTINCT id), max(name::INTEGER)")[0])
            except duckdb.IOException:
                # A file went between the listing and the reading: the one thing a plain reader may meet.
                continue

    reader = threading.Thread(target=read)
    reader.start()
    committed = []
    for number in range(1, 30):
        land(destination, USERS, *(user(id, str(number)) for id in range(100)))
        committed.append(len(seen))
    done.set()
    reader.join()

    assert len(seen) > 10
    assert all(count == distinct for count, distinct, _ in seen)
    for number, before in enumerate(committed, 1):
        assert all((name or 0) <= number for _, _, name in seen[:before])


# ── crashes ──────────────────────────────────────────────────────────────────────────────────────

# The process dies just before the n-th rename or removal of a commit that does all a commit can do.
DIES_BEFORE_EACH_STEP = """
import os, shutil, sys
from pathlib import Path
from tests.destinations.landing import ParquetFolder
from tests.destinations.test_parquet import everything_at_once

STEPS = {"os.rename", "os.remove", "os.mkdir", "shutil.rmtree"}
base, copies = map(Path, sys.argv[1:])
for step in range(1, 1000):
    shutil.copytree(base, copies / str(step))
    child = os.fork()
    if not child:
        left = step
        def die(event, arguments):
            global left
            left -= event in STEPS
            if not left:
                os._exit(9)
        sys.addaudithook(die)
        everything_at_once(ParquetFolder(copies / str(step)))
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
print(step)
"""


def before_everything(place):
    with place.open() as destination:
        land(destination, USERS, *(user(id, "old") for id in range(3)))
        land(destination, USERS, EVENTS, user(3, "old"), event("old"), event("old"))
        land(destination, EVENTS, event("new"), state("before"), gathering=("events",), run=2, complete=False)


def everything_at_once(place):
    with place.open() as destination:
        wider = schema("users", ["id"], id="integer", name="string", age="integer")
        people = [record("users", id=id, name="new", age=1) for id in range(1, 5)]
        fresh = [schema("fresh", n="integer"), record("fresh", n=1)]
        land(destination, wider, *people, *fresh, EVENTS, event("newer"), state("after"), gathering=("events",), run=2)


def test_a_crash_before_any_step_of_a_commit_leaves_all_of_it_or_nothing(tmp_path):
    before_everything(ParquetFolder(tmp_path / "base"))
    with OtherProcess(DIES_BEFORE_EACH_STEP, tmp_path / "base", tmp_path / "copies") as process:
        steps = int(process.line())

    outcomes = set()
    for step in range(1, steps + 1):
        place = ParquetFolder(tmp_path / "copies" / str(step))
        if "users" in place.tables():
            ids = rows(place, "users", "id")
            assert len(ids) == len(set(ids))
        with place.open() as destination:
            outcome = last_state(destination)
        outcomes.add(outcome)
        if outcome == b'"before"':
            assert place.tables() == ["events", "users"]
            assert rows(place, "users") == [(id, "old") for id in range(4)]
            assert rows(place, "events") == [("old",), ("old",)]
        else:
            assert rows(place, "users", "id", "name", "age") == [
                (0, "old", None),
                *((id, "new", 1) for id in range(1, 5)),
            ]
            assert rows(place, "events") == [("new",), ("newer",)]
            assert rows(place, "fresh") == [(1,)]
        assert left_over(place.root) == []
    assert outcomes == {b'"before"', b'"after"'}
    assert steps > 15


@pytest.fixture
def steps():
    """The edges of all steps that are reached, in words."""
    reached: list[str] = []
    arm(lambda point: reached.append(str(point)))
    yield reached
    arm(None)


def test_what_a_manifest_names_is_on_the_disk_before_it(destination, steps):
    land(destination, USERS, user(1, "Ada"))

    order = [
        "after file.sync 1",
        "after file.rename commit-00000001-1.parquet",
        "after folder.sync files",
        "before file.write manifest-00000001.json",
        "after file.sync manifest-00000001.json",
        "before file.rename manifest-00000001.json",
    ]
    assert [step for step in steps if step in order][: len(order)] == order


def last_state(destination):
    return destination.last_commit(FLOW).state


def left_over(lake: Path) -> list[Path]:
    """Files that no manifest names."""
    newest = max((lake / "_orchestrator" / FLOW).glob("manifest-*.json"))
    named = {file["name"] for table in json.loads(newest.read_bytes())["tables"] for file in table["files"]}
    known = {newest.name, f"manifest-{int(newest.stem[-8:]) - 1:08}.json", ".lock"}
    return [path for path in lake.rglob("*") if path.is_file() and path.name not in named | known]


def test_a_damaged_manifest_is_named_with_the_way_out(destination, lake, place):
    land(destination, USERS, user(1, "Ada"))
    manifest = lake / "_orchestrator" / FLOW / "manifest-00000001.json"
    manifest.write_bytes(manifest.read_bytes()[:100])

    with pytest.raises(DamagedFile, match=r"manifest-00000001\.json is not what was written") as caught:
        destination.last_commit(FLOW)
    assert "backup" in str(caught.value)
    assert rows(place, "users") == [(1, "Ada")]


def test_the_last_two_manifests_are_kept(destination, lake):
    for number in range(4):
        land(destination, USERS, state(number))

    kept = sorted(path.name for path in (lake / "_orchestrator" / FLOW).glob("*.json"))
    assert kept == ["manifest-00000003.json", "manifest-00000004.json"]


# ── others ───────────────────────────────────────────────────────────────────────────────────────


def test_a_commit_waits_for_another_that_is_being_written(lake):
    told: list[Event] = []
    with Parquet(lake) as destination:
        land(destination, USERS, user(1, "Ada"))
    with (
        lock(lake / "_orchestrator" / ".lock", note="pid 7"),
        Parquet(lake, patience=0.2, listen=told.append) as destination,
        pytest.raises(DestinationBusy, match=r"in use by another process \(pid 7\)"),
    ):
        destination.last_commit(FLOW)

    assert told == [Waiting("lake is in use by another process (pid 7)")]


def test_flows_of_any_name_share_a_folder(destination, place, lake):
    flows = ["a", "A", "a/b", "a_b", "../x", ".lock", ".processes", "", "x" * 500]
    for number, flow in enumerate(flows):
        land(destination, USERS, user(1, flow), state(number), flow=flow)

    assert [destination.last_commit(flow).state for flow in flows] == [str(n).encode() for n in range(len(flows))]
    assert len(place.tables()) == len(flows)
    assert sorted(rows(place, table)[0][1] for table in place.tables()) == sorted(flows)


def test_a_folder_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        Parquet(tmp_path / "file" / "lake") as destination,
        pytest.raises(DestinationError, match="lake cannot be used"),
    ):
        stage(destination, USERS, user(1, "Ada"))
