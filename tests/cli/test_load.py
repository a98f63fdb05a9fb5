"""`orchestrator load` is a Singer target: what it prints is committed, and what is not printed is not."""

import json
import signal

import duckdb
import pytest

from tests.workspaces import wait_until

SCHEMA = {
    "type": "SCHEMA",
    "stream": "issues",
    "schema": {"type": "object", "properties": {"id": {"type": "integer"}}},
    "key_properties": ["id"],
}


def row(id):
    return {"type": "RECORD", "stream": "issues", "record": {"id": id}}


def state(id):
    return {"type": "STATE", "value": {"bookmarks": {"issues": id}}}


def lines(*messages):
    return "".join(json.dumps(message) + "\n" for message in messages)


@pytest.fixture
def loader(start):
    """A load that waits for messages."""
    return start("load", "--to", "duckdb:out.duckdb", "--commit-rows", "1")


def send(loader, *messages):
    loader.stdin.write(lines(*messages))
    loader.stdin.flush()


def ids(tmp_path):
    with duckdb.connect(str(tmp_path / "out.duckdb"), read_only=True) as connection:
        return [id for (id,) in connection.execute("SELECT id FROM issues ORDER BY id").fetchall()]


def test_each_state_is_printed_word_for_word_once_its_rows_are_committed(orchestrator, tmp_path):
    odd = '{"type": "STATE", "value": {"at":1.10,  "b":[]}}\n'

    said = orchestrator("load", "--to", "duckdb:out.duckdb", stdin=lines(SCHEMA, row(1), state(1), row(2)) + odd)

    assert (said.exit_code, said.out, said.err) == (0, '{"at":1.10,  "b":[]}\n', "")
    assert ids(tmp_path) == [1, 2]


@pytest.mark.parametrize(
    ("words", "environ"),
    [(["--commit-rows", "1"], {}), ([], {"ORCHESTRATOR_COMMIT_ROWS": "1"}), (["--commit-seconds", "0"], {})],
)
def test_a_commit_closes_at_the_first_state_after_so_many_rows_or_seconds(orchestrator, words, environ):
    messages = lines(SCHEMA, row(1), state(1), row(2), state(2))

    said = orchestrator("load", "--to", "duckdb:out.duckdb", *words, stdin=messages, **environ)

    assert said.out == '{"bookmarks": {"issues": 1}}\n{"bookmarks": {"issues": 2}}\n'


@pytest.mark.parametrize(
    ("words", "author"),
    [
        ([], ("JSON", "author->>'name'")),
        (["--nested", "struct"], ('STRUCT("name" VARCHAR)', "author.name")),
        (["--flatten", "1"], ("VARCHAR", "author__name")),
    ],
)
def test_objects_land_as_the_options_say(orchestrator, tmp_path, words, author):
    known = {"author": {"type": "object", "properties": {"name": {"type": "string"}}}}
    messages = lines(
        {"type": "SCHEMA", "stream": "issues", "schema": {"properties": known}},
        {"type": "RECORD", "stream": "issues", "record": {"author": {"name": "Ada"}}},
    )

    assert orchestrator("load", "--to", "duckdb:out.duckdb", *words, stdin=messages).exit_code == 0

    type, name = author
    with duckdb.connect(str(tmp_path / "out.duckdb"), read_only=True) as connection:
        columns = dict(connection.execute("SELECT name, type FROM pragma_table_info('issues')").fetchall())
        assert connection.execute(f"SELECT {name} FROM issues").fetchall() == [("Ada",)]
    assert columns.get("author", columns.get("author__name")) == type


@pytest.mark.parametrize("words", [["--nested", "table"], ["--flatten", "-1"], ["--flatten", "all"]])
def test_an_option_that_cannot_be_meant_is_refused(orchestrator, words):
    said = orchestrator("load", "--to", "duckdb:out.duckdb", *words, stdin="")

    assert said.exit_code == 2
    assert words[0] in said.err


def test_a_commit_that_is_due_does_not_wait_for_the_next_message(start):
    loader = start("load", "--to", "duckdb:out.duckdb", "--commit-seconds", "0.5")
    send(loader, SCHEMA, row(1), state(1))

    assert json.loads(loader.stdout.readline()) == {"bookmarks": {"issues": 1}}


def test_rows_land_in_a_folder_of_parquet_files_as_well(orchestrator, tmp_path):
    said = orchestrator("load", "--to", "parquet:lake", stdin=lines(SCHEMA, row(1), state(1)))

    assert said.exit_code == 0
    assert duckdb.sql(f"SELECT id FROM '{tmp_path}/lake/issues/*.parquet'").fetchall() == [(1,)]


def test_flows_in_one_file_keep_their_states_apart(orchestrator, tmp_path):
    orchestrator("load", "--to", "duckdb:out.duckdb", "--flow", "one", stdin=lines(SCHEMA, row(1), state(1)))
    orchestrator("load", "--to", "duckdb:out.duckdb", "--flow", "two", stdin=lines(state(2)))

    with duckdb.connect(str(tmp_path / "out.duckdb"), read_only=True) as connection:
        numbers = connection.execute("SELECT flow, number FROM _orchestrator.commits ORDER BY flow").fetchall()
    assert numbers == [("one", 1), ("two", 1)]


def test_deleted_rows_stay_when_asked_for(orchestrator, tmp_path):
    gone = row(1) | {"record": {"id": 1, "_sdc_deleted_at": "2026-01-01T00:00:00Z"}}

    orchestrator("load", "--to", "duckdb:out.duckdb", "--soft-delete", stdin=lines(SCHEMA, row(1), gone, row(2)))

    assert ids(tmp_path) == [1, 2]


@pytest.mark.parametrize(("words", "exit_code"), [([], 1), (["--batch-root", "elsewhere"], 0)])
def test_batch_files_come_from_this_folder_and_those_that_were_named(orchestrator, tmp_path, words, exit_code):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "rows.jsonl").write_text('{"id": 1}\n')
    (tmp_path / "here").mkdir()
    batch = {
        "type": "BATCH",
        "stream": "issues",
        "encoding": {"format": "jsonl", "compression": "none"},
        "manifest": [f"file://{tmp_path}/elsewhere/rows.jsonl"],
    }
    words = [word.replace("elsewhere", "../elsewhere") for word in words]

    said = orchestrator("load", "--to", "duckdb:out.duckdb", *words, stdin=lines(SCHEMA, batch), at=tmp_path / "here")

    assert said.exit_code == exit_code, said.err


def test_a_broken_message_ends_it_with_the_line_and_keeps_what_was_committed(orchestrator, tmp_path):
    messages = lines(SCHEMA, row(1), state(1), row(2)) + "Traceback (most recent call last):\n"

    said = orchestrator("load", "--to", "duckdb:out.duckdb", "--commit-rows", "1", stdin=messages)

    assert (said.exit_code, said.out) == (1, '{"bookmarks": {"issues": 1}}\n')
    assert said.err.startswith("error: ")
    assert "line 5" in said.err
    assert ids(tmp_path) == [1]


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_stops_it_and_nothing_open_is_committed(loader, tmp_path, number, exit_code):
    send(loader, SCHEMA, row(1), state(1))
    assert json.loads(loader.stdout.readline()) == {"bookmarks": {"issues": 1}}
    send(loader, row(2))

    loader.send_signal(number)
    out, err = loader.communicate(timeout=20)

    assert (loader.returncode, out) == (exit_code, "")
    assert err.startswith("error: stopped before the end of the messages\n  data: what was committed stays")
    assert ids(tmp_path) == [1]


def test_the_end_of_stdin_after_a_signal_is_no_clean_end(loader, tmp_path):
    send(loader, SCHEMA, row(1), state(1))
    loader.stdout.readline()
    send(loader, row(2))
    loader.send_signal(signal.SIGSTOP)

    # Both are there when it wakes up.
    loader.send_signal(signal.SIGTERM)
    loader.stdin.close()
    loader.send_signal(signal.SIGCONT)

    assert loader.wait(timeout=20) == 143
    assert ids(tmp_path) == [1]


def test_it_ends_when_nobody_reads_the_states(loader, tmp_path):
    loader.stdout.close()
    send(loader, SCHEMA, row(1), state(1))

    loader.wait(timeout=20)

    assert (loader.returncode, loader.stderr.read()) == (1, "")


def test_a_file_in_use_is_waited_for(loader, tmp_path):
    with duckdb.connect(str(tmp_path / "out.duckdb")):
        send(loader, SCHEMA, row(1), state(1))
        wait_until(lambda: "in use by another process" in loader.stderr.readline())

    assert json.loads(loader.stdout.readline()) == {"bookmarks": {"issues": 1}}


@pytest.mark.parametrize(
    ("words", "complaint", "hint"),
    [
        (["--to", "out.duckdb"], '"out.duckdb" is no destination', "duckdb:PATH or parquet:FOLDER"),
        (["--to", "duckdb:"], '"duckdb:" is no destination', "duckdb:PATH or parquet:FOLDER"),
        (["--to", "duck:out"], "there is no destination of type 'duck'", "one of: duckdb, parquet"),
        (["--to", "duckdb:x", "--flow", "A B"], '"A B" cannot be the name of a flow', "use 1 to 63 of a-z"),
        ([], "missing option '--to'", "orchestrator load --help"),
        (["--to", "duckdb:x", "--commit-rows", "0"], "'--commit-rows'", "orchestrator load --help"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_read(orchestrator, tmp_path, words, complaint, hint):
    said = orchestrator("load", *words, stdin=lines(SCHEMA, row(1)))

    assert said.exit_code == 2
    assert said.err.startswith("error: ")
    assert complaint in said.err
    assert f"hint: {hint}" in said.err
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_committed_once_nobody_reads_the_states_any_more(loader, tmp_path):
    send(loader, SCHEMA, row(1), state(1))
    assert json.loads(loader.stdout.readline()) == {"bookmarks": {"issues": 1}}

    loader.stdout.close()
    send(loader, row(2), state(2))
    loader.stdin.close()

    assert loader.wait(20) == 1
    assert ids(tmp_path) == [1]
