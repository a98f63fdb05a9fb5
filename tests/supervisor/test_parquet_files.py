"""Parquet files of a BATCH are read a few megabytes at a time, and never as anything but what they hold."""

import datetime

import pyarrow as pa
import pyarrow.parquet
import pytest

from orchestrator.config import USUAL_LIMITS, Limits
from orchestrator.errors import BadBatch
from orchestrator.protocol.messages import BatchFiles
from orchestrator.supervisor.batch_files import batch_reader

MANY = 20_000


@pytest.fixture
def read(tmp_path):
    """A function that writes tables to files and reads them as those of a batch."""

    def rows(*tables, limits=USUAL_LIMITS, **options):
        reader = batch_reader((tmp_path,), tmp_path, limits=limits)
        for number, table in enumerate(tables):
            pa.parquet.write_table(table, tmp_path / f"{number}.parquet", **options)
        names = tuple(f"{number}.parquet" for number in range(len(tables)))
        return list(reader(BatchFiles("issues", "parquet", "none", names, 7)))

    return rows


@pytest.mark.parametrize("size", [1, 3, 100])
def test_files_are_read_in_order_whatever_their_row_groups(read, size):
    tables = [pa.table({"id": range(start, start + 10)}) for start in (0, 10)]

    found = read(*tables, row_group_size=size)

    assert pa.Table.from_batches(found)["id"].to_pylist() == list(range(20))


LONG = pa.repeat("x" * 3000, MANY)


@pytest.mark.parametrize(
    ("column", "options"),
    [
        (LONG, {"use_dictionary": False, "compression": "none"}),
        (LONG, {}),
        (pa.StructArray.from_arrays([pa.StructArray.from_arrays([LONG], names=["b"])], names=["a"]), {}),
        (pa.ExtensionArray.from_storage(pa.json_(), pa.repeat('"' + "x" * 3000 + '"', MANY)), {}),
        (pa.MapArray.from_arrays(pa.array(range(MANY + 1), pa.int32()), pa.repeat("k", MANY), LONG), {}),
        (pa.ListArray.from_arrays(pa.array(range(0, 400 * MANY + 1, 400), pa.int32()), pa.repeat(7, 400 * MANY)), {}),
    ],
    ids=[
        "as they are",
        "stored once",
        "stored once, inside of others",
        "documents stored once",
        "stored once in maps",
        "lists of one number",
    ],
)
def test_however_little_room_rows_take_in_the_file_a_few_megabytes_are_read_at_a_time(read, column, options):
    found = read(pa.table({"x": column}), **options)

    assert sum(map(len, found)) == len(column)
    assert max(rows.nbytes for rows in found) < 9_000_000


def test_rows_that_are_larger_than_others_come_fewer_at_a_time(read):
    texts = pa.array([""] * 90_000 + [f"{number:10000}" for number in range(10_000)])

    found = read(pa.table({"x": texts}), use_dictionary=False)

    assert pa.chunked_array([rows.column(0) for rows in found]).equals(pa.chunked_array([texts]))
    assert max(rows.nbytes for rows in found) < 30_000_000


def test_an_instant_of_96_bits_is_the_one_that_was_written(read):
    instants = [datetime.datetime(1, 1, 1), datetime.datetime(2900, 1, 1, 0, 0, 0, 1)]  # noqa: DTZ001

    (rows,) = read(pa.table({"at": pa.array(instants, pa.timestamp("us"))}), use_deprecated_int96_timestamps=True)

    assert rows.column(0).to_pylist() == instants


NO_TEXT = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe")])


@pytest.mark.parametrize(
    ("table", "cause"),
    [
        (pa.table([[1], [2]], names=["a", "a"]), "two of its columns are called 'a'"),
        (
            pa.table({"s": pa.StructArray.from_arrays([pa.array([1]), pa.array([2])], names=["b", "b"])}),
            "two of its columns are called 'b'",
        ),
        (pa.table({"a": NO_TEXT}), "Invalid UTF8"),
        (pa.table({"a": [["x"]], "b": pa.ListArray.from_arrays([0, 1], NO_TEXT)}), "Invalid UTF8"),
    ],
)
def test_a_file_that_says_no_records_is_refused(read, table, cause):
    with pytest.raises(BadBatch, match=r"the batch file 0\.parquet cannot be read") as refused:
        read(table)

    assert cause in str(refused.value.cause)


@pytest.mark.parametrize("content", [b"no parquet", b"PAR1", b"PAR1" + b"\xff" * 60 + b"PAR1"])
def test_a_file_that_is_no_parquet_is_named(tmp_path, content):
    (tmp_path / "a").write_bytes(content)

    with pytest.raises(BadBatch, match="the batch file a cannot be read"):
        list(batch_reader((tmp_path,), tmp_path)(BatchFiles("issues", "parquet", "none", ("a",), 7)))


def test_a_torn_file_is_refused(tmp_path, read):
    read(pa.table({"id": range(100_000)}), compression="none")
    whole = (tmp_path / "0.parquet").read_bytes()
    (tmp_path / "0.parquet").write_bytes(whole[:1000] + bytes(len(whole) - 2000) + whole[-1000:])

    with pytest.raises(BadBatch, match=r"the batch file 0\.parquet cannot be read"):
        list(batch_reader((tmp_path,), tmp_path)(BatchFiles("issues", "parquet", "none", ("0.parquet",), 7)))


def test_pages_that_unpack_to_many_times_the_file_are_refused_before_they_are_read(read):
    zeros = pa.table({"text": pa.repeat("0" * 5000, 22_000)})

    with pytest.raises(BadBatch) as refused:
        read(zeros, use_dictionary=False, compression="gzip", compression_level=1)

    assert refused.value.cause == "it unpacks to more than 200 times its size"


@pytest.mark.parametrize(
    "column",
    [pa.nulls(MANY), pa.repeat("x" * 3000, MANY), pa.repeat(7, MANY)],
    ids=["nothing", "a long text that is stored once", "a number that is stored once"],
)
def test_rows_without_end_in_a_small_file_are_refused(read, column):
    table = pa.table({"id": column})

    with pytest.raises(BadBatch) as refused:
        read(table, limits=Limits(batch_size=MANY - 1))

    assert "it holds more than" in str(refused.value.cause)
