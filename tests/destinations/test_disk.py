"""A full disk is named as one, whoever runs into it."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestrator.destinations.disk import full_disk
from orchestrator.errors import DestinationFull

FULL = "/dev/full"
ROWS = pa.table({"n": range(100_000)})


def write_with_python():
    with open(FULL, "wb", buffering=0) as file:
        file.write(b"x")


def write_with_arrow():
    pq.write_table(ROWS, pa.OSFile(FULL, "wb"))


def write_with_duckdb():
    duckdb.execute(f"COPY (SELECT * FROM range(100000)) TO '{FULL}' (FORMAT csv, USE_TMP_FILE false)")


@pytest.mark.skipif(not Path(FULL).exists(), reason="only Linux has a disk that is always full")
@pytest.mark.parametrize("write", [write_with_python, write_with_arrow, write_with_duckdb])
def test_a_full_disk_is_an_error_that_names_the_folder(tmp_path, write):
    with pytest.raises(DestinationFull, match="no space left in") as caught, full_disk(tmp_path):
        write()

    assert f"df -h {tmp_path}" in str(caught.value)


def test_any_other_failure_stays_what_it_is(tmp_path):
    with pytest.raises(FileNotFoundError), full_disk(tmp_path):
        (tmp_path / "missing").read_bytes()
