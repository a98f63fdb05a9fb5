"""The archive: all that was settled can be read, whatever happened to the writer."""

import io
import random
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pyarrow as pa
import pytest

from orchestrator.errors import DamagedFile, DestinationFull, TapFailed, UnknownName
from orchestrator.state import ArchiveWriter, archive, read_archive


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runs" / "000001" / "messages.zst"


@pytest.fixture
def small_frames(monkeypatch):
    monkeypatch.setattr(archive, "_BYTES_A_FRAME", 10_000)


def messages(count, start=0):
    lines = (b'{"type": "RECORD", "record": {"id": %d, "n": %d}}\n' % (n, n * 7919 % 1009) for n in range(count))
    return list(lines)[start:]


def settled(path, blocks):
    """An archive whose writer was never heard of again after it settled."""
    writer = ArchiveWriter(path)
    for block in blocks:
        writer.write(block)
    writer.settle()
    return writer


def test_what_was_written_is_read_back(path):
    blocks = [random.Random(1).randbytes(65536) for _ in range(200)]

    with ArchiveWriter(path) as writer:
        for block in blocks:
            writer.write(block)

    read = list(read_archive(path, whole=True))
    assert b"".join(read) == b"".join(blocks)
    assert max(map(len, read)) <= 1_000_000
    assert len(read) < 20


def test_an_archive_is_much_smaller_than_its_messages(path):
    blocks = messages(20_000)

    with ArchiveWriter(path) as writer:
        for block in blocks:
            writer.write(block)

    assert path.stat().st_size < sum(map(len, blocks)) / 8


def test_an_archive_is_a_zstd_file_like_any_other(path, small_frames):
    with ArchiveWriter(path) as writer:
        for block in messages(1000):
            writer.write(block)

    with pa.CompressedInputStream(io.BytesIO(path.read_bytes()), "zstd") as stream:
        assert stream.read() == b"".join(messages(1000))


def test_an_empty_archive_is_whole(path):
    with ArchiveWriter(path):
        pass

    assert list(read_archive(path, whole=True)) == []


def test_what_was_settled_can_be_read_while_the_run_goes_on(path):
    writer = settled(path, messages(10))
    writer.write(b"still on its way")

    assert b"".join(read_archive(path)) == b"".join(messages(10))
    writer.close()


def test_settling_nothing_adds_nothing(path):
    with ArchiveWriter(path) as writer:
        writer.write(b"one")
        writer.settle()
        size = path.stat().st_size
        writer.settle()
        assert path.stat().st_size == size


def test_a_torn_end_is_left_out_wherever_it_tears(path, small_frames):
    first, second = b"".join(messages(500)), b"".join(messages(1000, start=500))
    writer = settled(path, [first])
    kept = path.stat().st_size
    writer.write(second)
    writer.close()
    whole = path.read_bytes()

    for end in range(kept, len(whole) - 1, 97):
        path.write_bytes(whole[:end])
        read = b"".join(read_archive(path))
        assert read.startswith(first)
        assert (first + second).startswith(read)


def test_an_end_of_zeros_after_a_power_loss_is_a_torn_end(path):
    settled(path, messages(10)).close()
    path.write_bytes(path.read_bytes()[: -archive._MARK.size] + bytes(5000))

    assert b"".join(read_archive(path)) == b"".join(messages(10))


def test_a_missing_end_is_damage_to_whoever_needs_the_whole(path):
    writer = settled(path, messages(10))

    with pytest.raises(DamagedFile, match="cannot be read after byte") as caught:
        list(read_archive(path, whole=True))

    assert caught.value.cause == "its end is missing"
    writer.close()


def test_an_archive_that_was_changed_later_is_not_read_as_if_it_were_shorter(path, small_frames):
    with ArchiveWriter(path) as writer:
        for block in messages(2000):
            writer.write(block)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)

    read = read_archive(path)

    assert b"".join(messages(2000)).startswith(next(read))
    with pytest.raises(DamagedFile, match="cannot be read after byte"):
        list(read)


def test_an_archive_that_was_pruned_is_an_error_that_says_so(path):
    with pytest.raises(UnknownName, match="there is no archive"):
        list(read_archive(path))


def test_only_the_owner_reads_an_archive(path):
    with ArchiveWriter(path):
        pass

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_no_thread_stays_behind(path):
    before = threading.active_count()

    with ArchiveWriter(path) as writer:
        writer.write(b"x")

    assert threading.active_count() == before


# ── crashes and full disks ──

WRITES_WITHOUT_END = """
import itertools, pathlib, sys
from orchestrator.state import ArchiveWriter, archive

archive._BYTES_A_FRAME = 50_000
writer = ArchiveWriter(pathlib.Path(sys.argv[1]))
for number in itertools.count(1):
    writer.write(b"%09d\\n" % number * 1000)
    if number % 50 == 0:
        writer.settle()
        print(number, flush=True)
"""


def test_a_writer_that_is_killed_leaves_all_that_it_had_settled(path):
    with subprocess.Popen([sys.executable, "-c", WRITES_WITHOUT_END, str(path)], stdout=subprocess.PIPE) as writer:
        assert writer.stdout
        for _ in range(5):
            writer.stdout.readline()
        writer.kill()
        told = 250 + 50 * len(writer.stdout.readlines())

    read = b"".join(read_archive(path))

    assert read == b"".join(b"%09d\n" % number * 1000 for number in range(1, len(read) // 10_000 + 1))
    assert len(read) >= told * 10_000
    with pytest.raises(DamagedFile):
        list(read_archive(path, whole=True))


@pytest.fixture
def full_disk(path):
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    path.parent.mkdir(parents=True)
    path.symlink_to("/dev/full")


def test_a_full_disk_shows_when_the_archive_settles(path, full_disk):
    writer = ArchiveWriter(path)
    writer.write(b"x")

    with pytest.raises(DestinationFull, match="no space left on") as caught:
        writer.settle()
    with pytest.raises(DestinationFull):
        writer.close()

    assert caught.value.hint == "df -h /dev"
    assert caught.value.data == "what was committed stays; the next run goes on from there"


def test_a_full_disk_shows_in_a_later_write_and_never_makes_the_tap_wait(path, full_disk, small_frames):
    writer = ArchiveWriter(path)

    with pytest.raises(DestinationFull):
        write_a_hundred_frames(writer)

    with pytest.raises(DestinationFull):
        writer.close()


def write_a_hundred_frames(writer):
    for _ in range(100):
        writer.write(bytes(10_000))


def test_the_reason_of_a_run_that_fails_is_not_hidden_by_its_archive(path, full_disk):
    def fail(writer):
        writer.write(b"x")
        raise TapFailed("the tap ended with exit code 1")

    with pytest.raises(TapFailed), ArchiveWriter(path) as writer:
        fail(writer)
