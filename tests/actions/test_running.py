"""A flow runs once at a time, whoever starts it; `make faults` shows the same with twenty runs."""

from tests.faults.together import at_once, in_turn, into_one_file, overlaps


def test_of_runs_of_a_flow_that_are_started_at_once_one_works_and_the_others_go(tmp_path):
    ends = at_once(tmp_path / "shop", 5)

    assert sorted(str(end.exit_code) for end in ends) == ["0", "5", "5", "5", "5"]


def test_runs_of_a_flow_that_wait_work_one_after_the_other(tmp_path):
    workspace, ends = in_turn(tmp_path / "shop", 4)

    assert [end.exit_code for end in ends] == [0, 0, 0, 0]
    assert overlaps(workspace) == 0
    assert workspace.numbers("issues") == [1, 2, 3]


def test_two_flows_into_one_file_both_finish(tmp_path):
    assert into_one_file(tmp_path / "shop", 600) == {"shop": 600, "other": 600}
