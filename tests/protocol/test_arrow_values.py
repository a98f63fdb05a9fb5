"""Values that come as Arrow settle as the JSON does that says the same."""

import math
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.protocol.arrow_values import settle_arrow
from orchestrator.protocol.lines import mend
from orchestrator.protocol.schemas import (
    BOOLEAN,
    DATE,
    INTEGER,
    JSON,
    NOTHING,
    NUMBER,
    TEXT,
    TIME,
    TIMESTAMP,
    decimal,
    list_of,
)
from orchestrator.protocol.tokens import Misfit
from orchestrator.protocol.values import settle_tokens
from tests.load_path.columnar import EACH, NESTED, respelled_json, said_of
from tests.load_path.spelling import Manner
from tests.load_path.test_reference import normal

PROMISES = (
    NOTHING,
    BOOLEAN,
    INTEGER,
    NUMBER,
    decimal(0),
    decimal(2),
    decimal(19),
    DATE,
    TIME,
    TIMESTAMP,
    TEXT,
    JSON,
    list_of(TEXT),
)


@given(
    st.sampled_from(PROMISES),
    st.sampled_from((*EACH, *NESTED)).flatmap(
        lambda each: st.tuples(st.just(each), st.lists(st.none() | each.values, min_size=1, max_size=4))
    ),
    st.integers(0, 2),
)
@settings(max_examples=800, deadline=None, derandomize=True, database=None)
def test_a_column_of_arrow_settles_as_the_json_of_its_values(promise, column, cut):
    (each, values), manner = column, Manner(ascii=False)
    tokens = [mend(manner.json(said_of(each, value)).encode()) for value in values]
    array = pa.concat_arrays([each.array([values[0]] * cut), each.array(values)]).slice(cut)

    settled, asked = settling(settle_arrow, promise, array), settling(settle_tokens, promise, tokens)

    assert settled == asked


YEAR_10000 = 253_402_300_800
EXACTLY = Decimal("9.0000000000000001")
BEFORE_1970 = datetime(1969, 12, 31, 23, 59, 59, 999_998, UTC)


@pytest.mark.parametrize(
    ("promise", "values", "type", "held"),
    [
        (NUMBER, pa.array([1.5, math.inf, -math.inf]), NUMBER, [1.5, math.inf, -math.inf]),
        (INTEGER, pa.array([1.0, math.inf]), NUMBER, [1.0, math.inf]),
        (TEXT, pa.array([math.nan, -math.inf]), TEXT, ["NaN", "-Infinity"]),
        (JSON, pa.array([math.nan]), JSON, ['"NaN"']),
        (NUMBER, pa.array([0.1], pa.float32()), NUMBER, [0.10000000149011612]),
        (NUMBER, pa.array([2**53]), NUMBER, [2.0**53]),
        (NUMBER, pa.array([2**53 + 1]), decimal(0), [Decimal(2**53 + 1)]),
        (NUMBER, pa.array([Decimal("0.10")]), NUMBER, [0.1]),
        (NUMBER, pa.array([Decimal("-1.5"), 20, 0], pa.decimal128(38, 20)), NUMBER, [-1.5, 20.0, 0.0]),
        (NUMBER, pa.array([Decimal("123456789012.345")]), NUMBER, [123456789012.345]),
        (NUMBER, pa.array([EXACTLY], pa.decimal128(38, 20)), decimal(16), [EXACTLY]),
        (INTEGER, pa.array([2**64 - 1], pa.uint64()), decimal(0), [Decimal(2**64 - 1)]),
        (INTEGER, pa.array([Decimal("7.00")]), INTEGER, [7]),
        (INTEGER, pa.array([7.0, None]), INTEGER, [7, None]),
        (INTEGER, pa.array([7.5]), NUMBER, [7.5]),
        (decimal(2), pa.array([Decimal("1.5")]), decimal(2), [Decimal("1.50")]),
        (decimal(2), pa.array([Decimal("1.505")]), decimal(3), [Decimal("1.505")]),
        (TIMESTAMP, pa.array([-1001], pa.timestamp("ns")), TIMESTAMP, [BEFORE_1970]),
        (TIMESTAMP, pa.array([YEAR_10000], pa.timestamp("s", "UTC")), TEXT, ["10000-01-01T00:00:00Z"]),
        (TIMESTAMP, pa.array([2**62], pa.timestamp("us")), TEXT, ["148108-07-06T14:00:27.387904"]),
        (TIMESTAMP, pa.array([date(2024, 2, 29)]), TIMESTAMP, [datetime(2024, 2, 29, tzinfo=UTC)]),
        (DATE, pa.array([date(2024, 2, 29)]), DATE, [date(2024, 2, 29)]),
        (DATE, pa.array([0], pa.timestamp("ms")), TIMESTAMP, [datetime(1970, 1, 1, tzinfo=UTC)]),
        (DATE, pa.array([-800_000, 10**8], pa.int32()).cast(pa.date32()), TEXT, ["-0221-09-04", "275760-09-13"]),
        (TIME, pa.array([1000], pa.time64("ns")), TIME, [time(0, 0, 0, 1)]),
        (TIME, pa.array([1], pa.time64("ns")), TEXT, ["00:00:00.000000001"]),
        (TEXT, pa.array([b"\xff"]), TEXT, ["/w=="]),
        (TEXT, pa.array([7, None]), TEXT, ["7", None]),
        (TEXT, pa.array([7.0, 1e20]), TEXT, ["7.0", "1e+20"]),
        (TEXT, pa.array([[1, None]]), TEXT, ["[1,null]"]),
        (JSON, pa.array(['say "x"', None]), JSON, ['"say \\"x\\""', None]),
        (JSON, pa.array(["\n", "\x00é"]), JSON, ['"\\n"', '"\\u0000é"']),
        (JSON, pa.array(["[1.50,\n2]", " null ", "NaN"], pa.json_()), JSON, ["[1.50, 2]", None, '"NaN"']),
        (JSON, pa.array(['{"a"\n', ""], pa.json_()), JSON, ['"{\\"a\\"\\n"', '""']),
        (TEXT, pa.array(["1", "{\n"], pa.json_()), TEXT, ["1", "{\n"]),
        (JSON, pa.ListArray.from_arrays([0, 2], pa.array(["{}", "{"], pa.json_())), JSON, ['[{},"{"]']),
        (JSON, pa.array([[("a", 1), ("b", None)]], pa.map_(pa.string(), pa.int8())), JSON, ['{"a":1,"b":null}']),
        (JSON, pa.array([{"a": None}, None]), JSON, ['{"a":null}', None]),
        (INTEGER, pa.nulls(2), INTEGER, [None, None]),
        (NOTHING, pa.nulls(2), NOTHING, [None, None]),
        (NOTHING, pa.array(["a"]), TEXT, ["a"]),
        (BOOLEAN, pa.array([True]).dictionary_encode(), BOOLEAN, [True]),
    ],
)
def test_a_value_of_arrow_is_kept(promise, values, type, held):
    array, settled = settle_arrow(promise, values)

    assert (settled, array.to_pylist()) == (type, held)


def test_nan_of_arrow_is_nan():
    array, settled = settle_arrow(NUMBER, pa.array([math.nan, None]))

    assert (settled, array.null_count, math.isnan(array[0].as_py())) == (NUMBER, 1, True)


@pytest.mark.parametrize(
    ("promise", "values"),
    [
        (INTEGER, pa.array(["7", None])),
        (BOOLEAN, pa.array([1])),
        (NUMBER, pa.array([True])),
        (TIMESTAMP, pa.array([1])),
        (INTEGER, pa.array(["{"], pa.json_())),
    ],
)
def test_a_value_of_another_kind_is_told_by_its_place(promise, values):
    with pytest.raises(Misfit) as misfit:
        settle_arrow(promise, values)

    assert list(misfit.value.texts) == [len(values) - 1 if values.null_count == 0 else 0]


def settling(settle, promise, values):
    """The type, and what the values say; the places of those that do not fit."""
    try:
        array, type = settle(promise, values)
    except Misfit as misfit:
        return sorted(misfit.texts)
    return type, [normal(respelled_json(value), "JSON" if type == JSON else "") for value in array.to_pylist()]
