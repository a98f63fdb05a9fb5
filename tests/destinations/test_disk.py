"""A disk that is full, or fails, is named as one, whoever runs into it."""

import errno
import os
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestrator.destinations.disk import refusals
from orchestrator.disk import volume
from orchestrator.errors import DestinationError, DestinationFull, DiskFailed

FULL = "/dev/full"
ROWS = pa.table({"n": range(100_000)})


def write_with_python():
    with open(FULL, "wb", buffering=0) as file:
        file.write(b"x")


def write_with_arrow():
    pq.write_table(ROWS, pa.OSFile(FULL, "wb"))


def write_with_duckdb():
    duckdb.execute(f"COPY (SELECT * FROM range(100000)) TO '{FULL}' (FORMAT csv, USE_TMP_FILE false)")


def spill_with_duckdb():
    # As it tells it where the disk has less room than it wants to spill.
    raise duckdb.OutOfMemoryException(
        "failed to offload data block of size 256.0 KiB (1.0 MiB/1.0 MiB used).\n"
        "This limit was set by the 'max_temp_directory_size' setting."
    )


@pytest.mark.skipif(not Path(FULL).exists(), reason="only Linux has a disk that is always full")
@pytest.mark.parametrize("write", [write_with_python, write_with_arrow, write_with_duckdb, spill_with_duckdb])
def test_a_full_disk_is_an_error_that_names_the_volume(tmp_path, write):
    with pytest.raises(DestinationFull) as caught, refusals(tmp_path, "it did not work"):
        write()

    assert caught.value.message == f"there is no space left on {volume(tmp_path)}"
    assert caught.value.hint == f"df -h {volume(tmp_path)}"


def sync_with_python():
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def sync_with_duckdb():
    # As it tells it: no error number, and words of its own.
    raise duckdb.FatalException("FATAL Error: fsync failed!")


@pytest.mark.parametrize("sync", [sync_with_python, sync_with_duckdb])
def test_a_disk_that_fails_is_an_error_that_names_the_volume(tmp_path, sync):
    with pytest.raises(DiskFailed, match="does not take what is written") as caught, refusals(tmp_path, "it failed"):
        sync()

    assert str(volume(tmp_path)) in caught.value.message


def test_any_other_failure_is_one_of_the_destination(tmp_path):
    with pytest.raises(DestinationError, match="it did not work"), refusals(tmp_path, "it did not work"):
        (tmp_path / "missing").read_bytes()
