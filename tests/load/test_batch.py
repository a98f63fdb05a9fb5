"""Records of one stream become rows, with our columns beside theirs."""

from datetime import UTC, datetime

import pytest

from orchestrator.errors import BadRecord
from tests.load.settling import RECEIVED, batches, rows, steps
from tests.protocol.saying import record, schema

ORDERS = schema("orders", ("id",), id=["null", "integer"], name=["null", "string"])
CAME = datetime.fromtimestamp(RECEIVED / 1e6, UTC)
DAY = datetime(2024, 2, 29, tzinfo=UTC)


def one_batch(*sayings):
    (batch,) = batches(steps(*sayings))
    return batch


def order(id, **more):
    return record("orders", id=id, **more)


def test_rows_carry_when_they_came_in_which_order_and_of_which_version():
    batch = one_batch(
        ORDERS,
        order(1) | {"version": 7, "time_extracted": "2024-02-29T00:00:00Z"},
        order(2) | {"time_extracted": "2024-02-29T01:00:00+01:00"},
        order(3) | {"time_extracted": "2024-02-29 00:00:00"},
        order(4),
    )

    assert rows(batch, "_sdc_extracted_at") == [DAY, DAY, DAY, CAME]
    assert rows(batch, "_sdc_received_at") == rows(batch, "_sdc_batched_at") == [CAME] * 4
    assert rows(batch, "_sdc_sequence") == [1, 2, 3, 4]
    assert rows(batch, "_sdc_table_version") == [7, None, None, None]
    assert rows(batch, "_sdc_deleted_at") == [None] * 4


def test_a_time_of_extraction_that_is_no_instant_is_not_guessed():
    batch = one_batch(ORDERS, order(1) | {"time_extracted": "yesterday"}, order(2))

    assert rows(batch, "_sdc_extracted_at") == [CAME, CAME]


@pytest.mark.parametrize("declared", [{}, {"_sdc_deleted_at": ["null", "string"]}])
def test_a_row_that_is_gone_at_the_source_is_marked_also_where_the_schema_does_not_say_so(declared):
    orders = schema("orders", ("id",), id="integer", **declared)

    batch = one_batch(orders, order(1, _sdc_deleted_at="2024-02-29"), order(2, _sdc_deleted_at=None), order(3))

    assert rows(batch, "_sdc_deleted_at") == [DAY, None, None]
    assert batch.rows.column_names.count("_sdc_deleted_at") == 1


@pytest.mark.parametrize("said", ["0000-00-00", "", "yes", True, 1577836800, 0.5, {"at": 1}])
@pytest.mark.parametrize("declared", [{}, {"_sdc_deleted_at": "string"}, {"_sdc_deleted_at": "integer"}])
def test_a_row_that_is_gone_at_a_time_nobody_can_read_is_gone_now(said, declared):
    orders = schema("orders", ("id",), id="integer", **declared)
    times = [said, None, "2024-02-29", said]

    batch = one_batch(orders, *(order(id, _sdc_deleted_at=time) for id, time in enumerate(times)))

    assert rows(batch, "_sdc_deleted_at") == [CAME, None, DAY, CAME]


@pytest.mark.parametrize("said", [{}, {"id": None}])
def test_a_record_without_its_key_is_an_error_that_names_its_line(said):
    with pytest.raises(BadRecord, match="orders, line 4: a record has no id, which is part of the key") as raised:
        list(steps(ORDERS, order(1), order(2), record("orders", **said)))

    assert "set key = []" in str(raised.value)


def test_a_value_that_breaks_its_schema_is_an_error_that_names_its_line_however_records_were_put_together():
    users = schema("users", id="integer")
    said = [order(1), record("users", id=1), order(2), record("users", id="x")]

    with pytest.raises(BadRecord, match='users, line 6: id is "x"'):
        list(steps(users, ORDERS, *said))


@pytest.mark.parametrize("key", [0, "", False])
def test_zero_nothing_and_false_are_keys(key):
    described = schema("odd", ("id",), id=["integer", "string", "boolean"])

    assert one_batch(described, record("odd", id=key)).rows.num_rows == 1


def test_a_column_is_as_wide_as_its_values_ask():
    batch = one_batch(ORDERS, order(1), order(2**70), order(3, name="a"))

    assert {column.name: str(column.type) for column in batch.table.columns} == {"id": "decimal(38,0)", "name": "text"}
    assert rows(batch, "id") == [1, 2**70, 3]


def test_a_column_of_the_tap_may_have_the_name_of_one_of_ours():
    batch = one_batch(schema("odd", _sdc_sequence="string", id="integer"), record("odd", _sdc_sequence="a", id=1))

    assert [batch.rows.column(place).to_pylist() for place in (0, 1)] == [["a"], [1]]
    assert batch.rows.column_names.count("_sdc_sequence") == 2
