"""A power loss at any moment of a run; `make faults` tries more moments."""

import pytest

from examples.databases import NotProvided
from tests.disks.strace import strace
from tests.faults.power import recorded

STATES_A_RUN = 4


@pytest.mark.parametrize("destination", ["duckdb", "parquet"])
def test_after_a_power_loss_what_was_told_is_there_and_the_next_run_just_works(tmp_path, destination):
    try:
        program = strace(tmp_path / "debian")
    except NotProvided as reason:
        pytest.skip(f"no strace: {reason}")

    for run in recorded(tmp_path / destination, destination, program):
        for crash in run.crashes(STATES_A_RUN):
            assert run.violation(crash) is None
