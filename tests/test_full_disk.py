"""Runs on a disk that is full, or that fails; `make faults` tries more room, and more syncs."""

import pytest

from tests.disks.small import Unmountable
from tests.faults.full import full, unsynced_by_us


@pytest.mark.parametrize(
    ("destination", "place", "kilobytes"),
    [("duckdb", "data", [0, 500]), ("duckdb", "state", [12]), ("parquet", "data", [16]), ("parquet", "state", [0])],
)
def test_a_full_disk_is_told_by_its_name_and_once_there_is_room_nothing_is_missing(
    tmp_path, destination, place, kilobytes
):
    try:
        runs = list(full(tmp_path, {(destination, place): kilobytes}))
    except Unmountable as reason:
        pytest.skip(f"no disk can be mounted here: {reason}")

    assert [(run.met, run.violation) for run in runs] == [(True, None)] * len(kilobytes)


@pytest.mark.parametrize("destination", ["duckdb", "parquet"])
def test_a_sync_that_fails_ends_the_run_and_the_next_one_completes_it(tmp_path, destination):
    runs = list(unsynced_by_us(tmp_path, destination, 3))

    assert [(run.met, run.violation) for run in runs] == [(True, None)] * 3
