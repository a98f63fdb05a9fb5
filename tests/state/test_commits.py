"""The commit log: what it keeps, what it survives, and how it gives way to the destination."""

import stat
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from orchestrator import durable
from orchestrator.errors import DamagedFile, UnknownName
from orchestrator.load.commit import Commit
from orchestrator.state import Break, CommitLog

STATE = b'{"bookmarks": {"issues": {"updated_at": "2024-05-01T00:00:00Z", "at": 1.10, "id": 12345678901234567890}} }'


def commit(number, *, run=1, state=STATE, at="2026-11-20T21:00:00.000Z"):
    return Commit("shop", number, run, at, state, {"issues": 2, "labels": 1}, number * 3, {"labels": 7})


@pytest.fixture
def log(paths):
    return CommitLog(paths, "shop")


@pytest.fixture
def log_of_five(log):
    for number in range(1, 6):
        log.record(commit(number))
    return log


def lines(paths):
    return paths.commit_log("shop").read_bytes().splitlines()


def test_a_commit_comes_back_as_it_was_recorded(log):
    log.record(commit(1))
    log.record(commit(2, state=None))

    assert log.commits() == [commit(1), commit(2, state=None)]
    assert log.last() == commit(2, state=None)


def test_a_state_keeps_its_digits_and_spacing_whatever_is_in_it(log):
    state = ' {"a":1.10,  "b": 1e5, "id": 123456789012345678901,\r\n "n": "\\u0000 \\ud83d ü 💶"}\n'.encode()

    log.record(commit(1, state=state))

    assert log.last().state == state


def test_only_the_owner_reads_the_log(log_of_five, paths):
    path = paths.commit_log("shop")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_an_empty_log_has_no_last_commit(log):
    assert log.last() is None
    assert log.commits() == []


def test_a_torn_last_line_is_left_out_and_written_over(log_of_five, paths):
    path = paths.commit_log("shop")
    path.write_bytes(path.read_bytes()[:-20])

    assert log_of_five.last() == commit(4)
    assert log_of_five.commits()[-1] == commit(4)

    log_of_five.record(commit(5))

    assert log_of_five.commits() == [commit(number) for number in range(1, 6)]


def test_a_log_of_nothing_but_a_torn_line_is_empty(log, paths):
    durable.write(paths.commit_log("shop"), b'{"line":"commit","numb')

    assert log.last() is None


def test_a_damaged_line_is_named_and_the_hint_mends_it(log_of_five, paths):
    path = paths.commit_log("shop")
    whole = lines(paths)
    path.write_bytes(b"\n".join([*whole[:2], b"\0\0\0", *whole[3:]]) + b"\n")

    with pytest.raises(DamagedFile, match=r"commits\.jsonl, line 3") as caught:
        log_of_five.commits()
    assert log_of_five.last() == commit(5)

    subprocess.run(str(caught.value.hint).partition("   ")[0], shell=True, check=True)

    assert [each.number for each in log_of_five.commits()] == [1, 2, 4, 5]


def test_a_damaged_last_line_is_named_too(log_of_five, paths):
    durable.append_lines(paths.commit_log("shop"), [b"[]"])

    with pytest.raises(DamagedFile, match="line 6"):
        log_of_five.last()


def test_a_commit_is_found_by_its_number(log_of_five):
    assert log_of_five.find(3) == commit(3)


@pytest.mark.parametrize("number", [0, 6])
def test_a_commit_that_does_not_exist_is_an_error_with_a_way_on(log_of_five, number):
    with pytest.raises(UnknownName, match=f'no commit {number} in the history of "shop"') as caught:
        log_of_five.find(number)

    assert caught.value.cause == "it goes from commit 1 to 5"
    assert caught.value.hint == "orchestrator state history shop"


def test_the_last_commit_of_a_long_log_is_read_from_its_end(log, paths):
    log.record(commit(1))
    line = paths.commit_log("shop").read_bytes()
    paths.commit_log("shop").write_bytes(line * 100_000)
    log.record(commit(2, state=b'"' + b"x" * 300_000 + b'"'))

    started = time.process_time()
    last = log.last()
    took = time.process_time() - started

    assert last.number == 2
    assert len(last.state) == 300_002
    assert took < 0.05


# ── the destination is the truth ──


def test_a_log_that_ends_where_the_destination_does_stays_as_it_is(log_of_five, paths):
    before = lines(paths)

    assert log_of_five.catch_up(replace(commit(5), publish={"labels": 7})) == []
    assert lines(paths) == before


def test_a_log_that_is_one_behind_takes_the_commit_of_the_destination(log_of_five):
    assert log_of_five.catch_up(commit(6)) == []
    assert log_of_five.last() == commit(6)
    assert log_of_five.find(2) == commit(2)


def test_the_first_commit_of_a_flow_may_be_the_one_that_the_log_missed(log):
    assert log.catch_up(commit(1)) == []
    assert log.commits() == [commit(1)]


def test_nothing_is_said_when_neither_remembers_anything(log, paths):
    assert log.catch_up(None) == []
    assert not paths.commit_log("shop").exists()


def test_after_state_was_deleted_the_history_begins_at_the_commit_of_the_destination(log):
    (said,) = log.catch_up(commit(37))

    assert "commit 37" in said
    assert log.commits() == [commit(37)]
    assert log.catch_up(commit(37)) == []


def test_a_destination_that_was_emptied_begins_a_history_of_its_own(log_of_five):
    (said,) = log_of_five.catch_up(None)

    assert said == "the destination holds no commit, and the history ended at commit 5: it begins anew"
    assert log_of_five.commits() == []
    assert log_of_five.last() is None
    assert log_of_five.catch_up(None) == []

    new = commit(1, run=2)
    log_of_five.record(new)

    assert log_of_five.commits() == [new]
    with pytest.raises(UnknownName):
        log_of_five.find(3)


def test_a_destination_that_was_put_back_keeps_the_history_up_to_there(log_of_five):
    (said,) = log_of_five.catch_up(commit(3))
    log_of_five.record(commit(4, run=9))

    assert said == "the destination went back to commit 3, and the history ended at commit 5"
    assert log_of_five.commits() == [commit(1), commit(2), commit(3), commit(4, run=9)]


@pytest.mark.parametrize("number", [3, 5, 9])
def test_nothing_of_the_history_counts_for_a_destination_that_it_does_not_know(log_of_five, number):
    other = commit(number, run=44, at="2026-11-21T00:00:00.000Z")

    assert len(log_of_five.catch_up(other)) == 1
    assert log_of_five.commits() == [other]
    assert log_of_five.last() == other


def test_what_was_written_before_a_break_can_still_be_read(log_of_five):
    (said,) = log_of_five.catch_up(commit(2))

    *before, break_ = log_of_five.entries()

    assert before == [commit(number) for number in range(1, 6)]
    assert isinstance(break_, Break)
    assert (break_.reason, break_.stands, break_.held) == (said, 1, commit(2))


# ── crashes and full disks ──

RECORDS_WITHOUT_END = """
import itertools, pathlib, sys
from orchestrator.load.commit import Commit
from orchestrator.paths import Paths
from orchestrator.state import CommitLog

log = CommitLog(Paths(pathlib.Path(sys.argv[1])), "shop")
for number in itertools.count(1):
    log.record(Commit("shop", number, 1, "", b'"' + b"x" * 100_000 + b'"', {}, number))
    print(number, flush=True)
"""


def test_a_writer_that_is_killed_leaves_every_commit_it_had_recorded(log, paths):
    command = [sys.executable, "-c", RECORDS_WITHOUT_END, str(paths.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        assert writer.stdout
        for _ in range(20):
            writer.stdout.readline()
        writer.kill()
        recorded = 20 + len(writer.stdout.readlines())

    numbers = [each.number for each in log.commits()]

    assert numbers == list(range(1, len(numbers) + 1))
    assert recorded <= len(numbers) <= recorded + 1
    assert log.last().number == numbers[-1]


def test_a_log_that_cannot_grow_is_named_and_what_it_holds_stays(paths):
    path = paths.commit_log("shop")
    durable.make_folder(path.parent)
    limited = f"""
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
{RECORDS_WITHOUT_END}"""

    ended = subprocess.run([sys.executable, "-c", limited, str(paths.root)], capture_output=True, text=True)

    assert "RunFailed: the commit log" in ended.stderr
    assert "data: what was committed stays" in ended.stderr
    assert [each.number for each in CommitLog(paths, "shop").commits()] == list(range(1, 10))
