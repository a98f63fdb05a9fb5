"""A short while of `up` with kills of it and of its runs at random; `make faults` has longer ones."""

import pytest

from tests.faults.soak import Pace, Soak


@pytest.mark.timeout(240)
def test_whatever_is_killed_while_schedules_are_kept_no_row_is_lost_or_doubled(tmp_path):
    soak = Soak(tmp_path, Pace(6, every=1, between_kills=0.5, life=3))

    soak.run()

    assert [figure for figure in soak.figures() if not figure.held] == []
