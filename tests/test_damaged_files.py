"""Files that somebody, or a disk, has damaged; `make faults` damages each file in every way."""

import re
from itertools import cycle

import pytest

from tests.faults.damage import DAMAGES, damaged_workspace
from tests.workspaces import FLOW


@pytest.mark.parametrize(("destination", "below"), [("duckdb", "."), ("parquet", "data")])
def test_each_kind_of_file_is_told_when_it_is_damaged_or_does_no_harm(tmp_path, destination, below):
    with damaged_workspace(tmp_path, destination) as shop:
        kinds = {re.sub(r"[0-9a-f]{16}|\d+|issues|events", "N", str(file)): file for file in shop.files(below)}

        for file, damage in zip(kinds.values(), cycle(DAMAGES)):
            assert shop.violations(file, damage, [("status",), ("taps",), ("logs", FLOW)]) == []
