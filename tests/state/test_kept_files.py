"""The files of BATCH messages stay as long as the archive that names them, whatever their tap does with its own."""

import os
import stat
from pathlib import Path

import pytest

from orchestrator.errors import DamagedFile
from orchestrator.state import FilesWriter, KeptFiles


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "files"


@pytest.fixture
def file(tmp_path):
    """A function that writes a file of a tap."""

    def write(name, content, at=tmp_path):
        path = Path(at, name)
        path.write_bytes(content)
        return path

    return write


def settled(folder, *paths):
    writer = FilesWriter(folder)
    kept = [writer.keep(path) for path in paths]
    writer.settle()
    return kept


def read_all(folder):
    files = KeptFiles(folder)
    return [path.read_bytes() for path in iter(files.next, None)]


def test_files_are_given_in_the_order_in_which_they_were_kept(folder, file):
    written = [file("b.jsonl.gz", b"1"), file("a.parquet", b"2"), file("b.jsonl.gz", b"1")]

    kept = settled(folder, *written)

    assert [path.name for path in kept] == ["000001.gz", "000002.parquet", "000003.gz"]
    for path in set(written):
        path.unlink()
    assert read_all(folder) == [b"1", b"2", b"1"]


def test_a_file_costs_no_room_while_the_tap_has_it_too(folder, file):
    written = file("a.jsonl", b"1")
    (written.parent / "link").symlink_to(written)

    kept = settled(folder, written, written.parent / "link")

    assert all(path.samefile(written) and not path.is_symlink() for path in kept)


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="there is no other file system to write to")
def test_a_file_on_another_file_system_is_copied(folder, file):
    written = file(f"orchestrator-{os.getpid()}", b"1", at="/dev/shm")

    (kept,) = settled(folder, written)
    written.unlink()

    assert read_all(folder) == [b"1"]
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_what_was_not_settled_was_not_kept(folder, file):
    writer = FilesWriter(folder)
    writer.keep(file("a", b"1"))
    writer.settle()
    writer.keep(file("b", b"2"))

    assert read_all(folder) == [b"1"]


@pytest.mark.parametrize("content", [b"other", b"12"])
def test_a_file_that_was_written_over_is_damaged(folder, file, content):
    settled(folder, file("a", b"1"))
    file("a", content)

    with pytest.raises(DamagedFile, match="is not the file that the tap wrote"):
        read_all(folder)


def test_a_file_that_was_written_over_with_as_much_is_damaged_too(folder, file):
    written = file("a", b"1")
    os.utime(written, ns=(0, 1_000_000_000))
    settled(folder, written)
    file("a", b"2")

    with pytest.raises(DamagedFile):
        read_all(folder)


def test_a_file_that_is_gone_is_told(folder, file):
    (kept,) = settled(folder, file("a", b"1"))
    kept.unlink()

    with pytest.raises(DamagedFile):
        read_all(folder)


def test_where_nothing_was_kept_there_is_nothing(folder):
    settled(folder)

    assert not folder.exists()
    assert KeptFiles(folder).next() is None


def test_there_has_to_be_a_file_to_keep(folder, tmp_path):
    with pytest.raises(FileNotFoundError):
        FilesWriter(folder).keep(tmp_path / "missing")
