"""How a stream settles, and what its table is made of."""

import pytest

from orchestrator.config import Mode
from orchestrator.load.table import OUR_COLUMNS, settled, table_for
from orchestrator.protocol.messages import Schema
from orchestrator.protocol.schemas import INTEGER, TIMESTAMP, Column


@pytest.mark.parametrize(
    ("mode", "key", "replication", "expected"),
    [
        (Mode.AUTO, ("id",), "incremental", Mode.UPSERT),
        (Mode.AUTO, ("id",), "full_table", Mode.UPSERT),
        (Mode.AUTO, (), "full_table", Mode.REPLACE),
        (Mode.AUTO, (), "incremental", Mode.APPEND),
        (Mode.AUTO, (), None, Mode.APPEND),
        (Mode.UPSERT, ("id",), None, Mode.UPSERT),
        (Mode.UPSERT, (), None, Mode.APPEND),
        (Mode.APPEND, ("id",), None, Mode.APPEND),
        (Mode.REPLACE, ("id",), "incremental", Mode.REPLACE),
    ],
)
def test_how_a_stream_settles_follows_from_its_mode_key_and_replication(mode, key, replication, expected):
    assert settled(mode, key, replication) is expected


ORDERS = Schema("orders", (Column("id", INTEGER), Column("_sdc_deleted_at", TIMESTAMP)), ("id",), 1)


def test_a_table_has_the_columns_of_the_tap_and_ours_once():
    table = table_for(ORDERS, Mode.UPSERT, key=("id",), generation=None)

    assert table.arrow_schema().names == ["id", *(column.name for column in OUR_COLUMNS)]


def test_appending_keeps_every_row_so_the_table_has_no_key():
    assert table_for(ORDERS, Mode.APPEND, key=("id",), generation=None).key == ()
    assert table_for(ORDERS, Mode.REPLACE, key=("id",), generation=3).key == ("id",)
