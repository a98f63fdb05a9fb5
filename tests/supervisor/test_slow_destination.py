"""A destination that stands still holds up its tap, and nothing piles up; `make faults` shows it with 5 GB."""

from tests.faults.slow import MOST_MEMORY, flooded, held_by_a_reader, prepared


def test_while_a_destination_stands_still_its_tap_waits_and_nothing_piles_up(tmp_path):
    with prepared(tmp_path / "shop", "duckdb", 200_000_000, rows_a_commit=10_000, idle=3.0) as workspace:
        outcome = flooded(workspace, held_by_a_reader, 4.0, patience=120)

    assert outcome.is_whole, outcome.said
    assert outcome.stood > 3.0
    assert outcome.peak < MOST_MEMORY
