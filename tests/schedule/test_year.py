"""Some days of `up` on a clock of its own, in which much happens; `make faults ARGS=year` has a whole year."""

import pytest

from tests.faults.year import Year


@pytest.mark.parametrize("seed", [3, 5])
def test_whatever_happens_each_flow_is_started_when_it_should_be_and_at_no_other_time(tmp_path, seed):
    days = Year(tmp_path, flows=12, days=10, quiet=0.1, seed=seed)

    days.run()

    assert days.wrong == []
    assert min(days.happened[kind] for kind in ("sleep", "set", "kill", "edit", "rest", "hand")) > 0
