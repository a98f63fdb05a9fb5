"""The values of a column settle in the narrowest type that holds them all, and none changes on the way."""

import json
import math
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import BadRecord
from orchestrator.protocol.arrays import arrow_type
from orchestrator.protocol.records import Records
from orchestrator.protocol.schemas import BOOLEAN, DATE, INTEGER, JSON, NOTHING, NUMBER, TEXT, TIME, TIMESTAMP, decimal
from orchestrator.protocol.values import comparable
from tests.protocol.saying import heard, record, rows_of, schema, settled

INTEGERS, NUMBERS, CENTS = {"type": "integer"}, {"type": "number"}, {"type": "number", "multipleOf": 0.01}
INSTANTS, DATES, TIMES = ({"type": "string", "format": format} for format in ("date-time", "date", "time"))
BIG = 2**63


def refusal(property, *values):
    with pytest.raises(BadRecord) as raised:
        settled(property, *values)
    return str(raised.value)


# ── integers ─────────────────────────────────────────────────────────────────────────────────────


def test_integers_of_64_bits_are_integers():
    assert settled(INTEGERS, "0", "-0", str(BIG - 1), str(-BIG), "null") == ("integer", [0, 0, BIG - 1, -BIG, None])


@pytest.mark.parametrize("value", [BIG, -BIG - 1, 10**37, 10**38 - 1])
def test_larger_integers_are_decimals_of_38_digits(value):
    assert settled(INTEGERS, "7", str(value)) == ("decimal(38,0)", [7, value])


@pytest.mark.parametrize("digits", [39, 400, 5000])
def test_integers_beyond_38_digits_are_text(digits):
    assert settled(INTEGERS, "7", "9" * digits) == ("text", ["7", "9" * digits])


@pytest.mark.parametrize(
    ("said", "value"),
    [("1e3", 1000), ("1E+3", 1000), ("1.0", 1), ("-20e-1", -2), ("1e25", 10**25), ("1" * 30 + ".0", int("1" * 30))],
)
def test_a_whole_number_is_an_integer_however_it_is_written(said, value):
    assert settled(INTEGERS, said) == ("integer" if value < BIG else "decimal(38,0)", [value])


def test_a_fraction_among_integers_makes_numbers_of_them():
    assert settled(INTEGERS, "1", "1.5", "null") == ("number", [1.0, 1.5, None])


def test_a_fraction_beside_an_integer_that_a_double_would_round_makes_decimals_of_them():
    assert settled(INTEGERS, "9007199254740993", "1.5") == ("decimal(38,1)", [2**53 + 1, Decimal("1.5")])


# ── numbers ──────────────────────────────────────────────────────────────────────────────────────


@given(st.lists(st.floats(), min_size=1))
def test_doubles_stay_what_they_are(values):
    type, found = settled(NUMBERS, *map(json.dumps, values))

    assert type == "number"
    assert all(
        one == other or (math.isnan(one) and math.isnan(other)) for one, other in zip(values, found, strict=True)
    )


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("0.123456789012345678", "decimal(38,18)"),
        ("-123456789.123456789012", "decimal(38,12)"),
        ("9007199254740993", "decimal(38,1)"),
        ("-12345678901234567890", "decimal(38,1)"),
    ],
)
def test_a_literal_with_more_digits_than_a_double_keeps_is_kept_exactly(said, expected):
    assert settled(NUMBERS, "1.5", said) == (expected, [Decimal("1.5"), Decimal(said)])


@pytest.mark.parametrize("said", ["1" * 50, "0." + "1" * 50])
def test_a_literal_with_more_than_38_digits_is_kept_as_text(said):
    assert settled(NUMBERS, "1.50", said) == ("text", ["1.50", said])


@pytest.mark.parametrize("said", ["9007199254740992", "1000000000000000000000", "0.100000000000000000", "1e300"])
def test_a_long_literal_that_is_a_double_stays_one(said):
    assert settled(NUMBERS, said) == ("number", [float(said)])


@pytest.mark.parametrize("beside", ["1", "NaN"])
def test_a_literal_of_17_digits_stands_for_the_double_next_to_it_whatever_else_is_there(beside):
    type, found = settled(NUMBERS, "0.10000000000000001", beside)

    assert (type, found[0]) == ("number", 0.1)


def test_white_space_before_a_long_literal_does_not_hide_it():
    assert settled(NUMBERS, "  \t 0.123456789012345678")[0] == "decimal(38,18)"


def test_large_integers_in_one_column_leave_the_doubles_of_another_alone():
    _, records = heard(schema("s", id=INTEGERS, x=NUMBERS), *(record("s", id=2**60 + n, x=0.1 + n) for n in range(3)))

    assert isinstance(records, Records)
    assert [str(column.type) for column, _ in records.columns()] == ["integer", "number"]
    assert [row[2] for row in rows_of(records)] == [{"id": 2**60 + n, "x": 0.1 + n} for n in range(3)]


@pytest.mark.parametrize("property", [INTEGERS, NUMBERS, CENTS])
@pytest.mark.parametrize("said", ["1e400", "-1e309", "1.8e308", "-0.18e309", "1e999999999", "1e99999999999999999999"])
def test_a_number_too_large_for_any_double_is_an_error(property, said):
    assert f"s, line 4: x is {said}" in refusal(property, "1", "null", said)


@pytest.mark.parametrize("property", [INTEGERS, NUMBERS, CENTS])
@pytest.mark.parametrize("said", ['"7"', '""', "true", "[]", '{"a": 1}'])
def test_a_column_of_numbers_takes_nothing_else(property, said):
    error = refusal(property, "1", said, "2")

    assert f"s, line 3: x is {said}" in error
    assert "its SCHEMA promises" in error


@pytest.mark.parametrize("property", [INTEGERS, NUMBERS, CENTS])
def test_what_is_not_a_number_to_json_is_one_in_a_column_of_numbers(property):
    type, (one, other, third, last) = settled(property, "1.5", "NaN", "Infinity", '"-Infinity"')

    assert (type, one, other != other, third, last) == ("number", 1.5, True, math.inf, -math.inf)


# ── decimals ─────────────────────────────────────────────────────────────────────────────────────


def test_decimals_are_exact():
    said = ["0.1", "1", "-12345678901234567890.25", "1e3", "2.50", "3.000", "null"]

    assert settled(CENTS, *said) == (
        "decimal(38,2)",
        [Decimal(value) if value != "null" else None for value in said],
    )


@given(st.lists(st.decimals(allow_nan=False, allow_infinity=False, places=6), min_size=1))
def test_decimals_with_more_digits_than_promised_get_them_and_are_text_beyond_38(values):
    type, found = settled(CENTS, *map(str, values))

    assert [Decimal(value) for value in found] == values
    assert type == "text" or "decimal(38,2)" <= type <= "decimal(38,6)"


@pytest.mark.parametrize(
    "said",
    ["1e-99", "-1.5e-40", "77798625978103411703", "9" * 37, "0." + "0" * 50 + "1", "1." + "0" * 60, "9" * 30 + ".75"],
)
def test_no_decimal_becomes_another_for_want_of_room(said):
    _, found = settled({"type": "number", "multipleOf": 1e-19}, "0.5", said)

    assert [Decimal(value) for value in found] == [Decimal("0.5"), Decimal(said)]


def test_a_number_of_no_more_digits_than_a_double_is_that_double_also_among_decimals():
    """So that it does not matter whether it came before them, and landed as a double, or with them."""
    long = "0.1234567890123456789"

    assert settled({"type": "number"}, "0.10000000000000001", long) == (
        "decimal(38,19)",
        [Decimal("0.1"), Decimal(long)],
    )


def test_an_integer_too_wide_for_any_decimal_is_text_whatever_stands_beside_it():
    assert settled({"type": "integer"}, "1e50", "0.5") == ("text", ["1e50", "0.5"])
    assert settled({"type": "number"}, "1e50", "0.5") == ("number", [1e50, 0.5])


def test_a_decimal_that_is_not_a_number_makes_numbers_of_them_and_text_where_those_would_round():
    assert settled(CENTS, "0.5", "Infinity") == ("number", [0.5, math.inf])
    assert settled(CENTS, "0.123456789012345678", "NaN") == ("text", ["0.123456789012345678", "NaN"])


# ── dates and times ──────────────────────────────────────────────────────────────────────────────


def utc(year, month, day, *clock):
    return datetime.combine(date(year, month, day), time(*clock), UTC)


@pytest.mark.parametrize(
    ("said", "instant"),
    [
        ("2024-02-29T12:30:00Z", utc(2024, 2, 29, 12, 30)),
        ("2024-02-29T12:30:00+02:00", utc(2024, 2, 29, 10, 30)),
        ("2024-02-29T12:30:00-0330", utc(2024, 2, 29, 16, 0)),
        ("2024-02-29T12:30:00+05", utc(2024, 2, 29, 7, 30)),
        ("2024-02-29T12:30:00", utc(2024, 2, 29, 12, 30)),
        ("2024-02-29 12:30", utc(2024, 2, 29, 12, 30)),
        ("2024-02-29", utc(2024, 2, 29)),
        ("2024-02-29t12:30:00.5z", utc(2024, 2, 29, 12, 30, 0, 500_000)),
        ("2024-02-29 12:30:00 UTC", utc(2024, 2, 29, 12, 30)),
        ("2024-02-29 12:30:00 +0100", utc(2024, 2, 29, 11, 30)),
        ("2024-02-29T12:30:00,25Z", utc(2024, 2, 29, 12, 30, 0, 250_000)),
        ("2024-02-29T12:30:00.123456Z", utc(2024, 2, 29, 12, 30, 0, 123_456)),
        ("2024-02-29T12:30:00.123456789Z", utc(2024, 2, 29, 12, 30, 0, 123_456)),
        ("1969-12-31T23:59:59.999999999", utc(1969, 12, 31, 23, 59, 59, 999_999)),
        ("0001-01-01T00:00:00Z", utc(1, 1, 1)),
        ("9999-12-31T23:59:59.999999Z", utc(9999, 12, 31, 23, 59, 59, 999_999)),
    ],
)
def test_a_date_time_is_the_right_instant(said, instant):
    for beside in (
        [],
        ["2024-01-01T00:00:00Z"],
        ["2024-01-01"],
        ["2024-01-01T00:00:00.000000001", "2024-01-01"],
    ):
        type, found = settled(INSTANTS, *(f'"{each}"' for each in [said, *beside]), "null")
        assert (type, found[0], found[-1]) == ("timestamp", instant, None)


@pytest.mark.parametrize(
    "said",
    [
        "0000-00-00 00:00:00",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "10000-01-01T00:00:00Z",
        "2024-02-30T00:00:00Z",
        "2023-02-29",
        "2024-13-01",
        "2024-01-01T24:00:00Z",
        "2024-01-01T23:59:60Z",
        "2024-01-01T12:60:00",
        "2024-01-01T00:00:00+24:00",
        "2024-01-01T00:00:00+01:60",
        "2024-01-01T00:00:00ZZ",
        "2024-01-01Z",
        "2024-01-01T10:00.5",
        "2024-01-01T00:00:00.",
        "2024-01-01T00:00:00.123456789garbage",
        "20240101",
        "2024-1-1",
        "01/02/2024",
        "٢٠٢٤-01-01",
        "tomorrow",
        "",
        " 2024-01-01",
    ],
)
@pytest.mark.parametrize("beside", [[], ["2024-01-01T00:00:00Z"], ["2024-01-01T00:00:00"]])
def test_what_is_no_instant_leaves_the_column_text(said, beside):
    assert settled(INSTANTS, *(f'"{each}"' for each in [*beside, said])) == ("text", [*beside, said])


ZONES = st.sampled_from(["", "Z", "+00:00", "-0130", "+14", " UTC"]) | st.integers(-1439, 1439).map(
    lambda minutes: timezone(timedelta(minutes=minutes)).tzname(None).removeprefix("UTC") or "+00:00"
)


@given(
    st.lists(
        st.tuples(
            st.datetimes(utc(1, 1, 2).replace(tzinfo=None), utc(9999, 12, 30).replace(tzinfo=None)),
            st.sampled_from("T "),
            st.text("09", max_size=4),
            ZONES,
        ),
        min_size=1,
        max_size=5,
    )
)
def test_instants_written_in_different_ways_stand_side_by_side(parts):
    said = [f"{moment.isoformat(sep, 'microseconds')}{digits}{zone}" for moment, sep, digits, zone in parts]
    expected = [
        datetime.fromisoformat(f"{moment.isoformat()}{zone.replace(' UTC', '') or '+00:00'}").astimezone(UTC)
        for moment, _, _, zone in parts
    ]

    assert settled(INSTANTS, *map(json.dumps, said)) == ("timestamp", expected)


def test_dates_are_dates():
    said = ['"2024-02-29"', '"0001-01-01"', '"9999-12-31"', "null"]

    assert settled(DATES, *said) == ("date", [date(2024, 2, 29), date(1, 1, 1), date(9999, 12, 31), None])


def test_a_date_time_among_dates_makes_instants_of_them():
    assert settled(DATES, '"2024-02-29"', '"2024-02-29T12:00:00+01:00"') == (
        "timestamp",
        [utc(2024, 2, 29), utc(2024, 2, 29, 11)],
    )


@pytest.mark.parametrize("said", ["2024-02-30", "0000-00-00", "0000-12-31", "2024-2-9", "29.02.2024", ""])
def test_what_is_no_date_leaves_the_column_text(said):
    assert settled(DATES, '"2024-02-29"', json.dumps(said)) == ("text", ["2024-02-29", said])


def test_times_are_times_of_day_to_the_microsecond():
    said = ['"12:30:00"', '"23:59:59.999999"', '"00:00"', "null"]

    assert settled(TIMES, *said) == ("time", [time(12, 30), time(23, 59, 59, 999_999), time(0), None])


@pytest.mark.parametrize(
    "said", ["24:00:00", "23:59:60", "12", "12:00Z", "12:00+01:00", "12:00:00.1234567", "noon", ""]
)
def test_what_is_no_time_of_day_leaves_the_column_text(said):
    assert settled(TIMES, '"12:30:00"', json.dumps(said)) == ("text", ["12:30:00", said])


@pytest.mark.parametrize("property", [INSTANTS, DATES, TIMES])
@pytest.mark.parametrize("said", ["1709208000", "true", "{}", "1e400"])
def test_a_date_or_time_that_is_no_text_is_an_error(property, said):
    assert f"s, line 3: x is {said}" in refusal(property, "null", said)


# ── everything else ──────────────────────────────────────────────────────────────────────────────


@given(st.lists(st.text() | st.none(), min_size=1))
def test_text_keeps_every_character(values):
    assert settled({"type": ["null", "string"]}, *map(json.dumps, values)) == ("text", values)


def test_what_a_text_column_is_given_beside_text_is_kept_as_its_json():
    said = ['"a"', "1.50", "true", '{"b": [1]}', "null", '"null"', '""', "1e400"]

    assert settled({"type": "string"}, *said) == (
        "text",
        ["a", "1.50", "true", '{"b": [1]}', None, "null", "", "1e400"],
    )


def test_json_is_kept_as_the_tap_wrote_it():
    deep = "[" * 100 + "]" * 100
    said = ["{}", "[]", '""', '{"a":  1.10, "a": 12345678901234567890123}', deep, "0", "1e400", '"null"', " null "]

    assert settled({}, *said) == ("json", [*said[:-1], None])


def test_booleans_are_booleans_and_nothing_else():
    assert settled({"type": "boolean"}, "true", "false", "null") == ("boolean", [True, False, None])
    for said in ("0", '"true"', "1e400", "{}"):
        assert f"s, line 3: x is {said}" in refusal({"type": "boolean"}, "true", said)


def test_a_column_that_is_only_null_is_nothing_until_a_value_comes():
    assert settled({"type": "null"}, "null", "null") == ("nothing", [None, None])
    assert settled({"type": "null"}, "null", '{"a": 1}') == ("json", [None, '{"a": 1}'])


def test_a_column_keeps_its_type_when_a_member_beside_it_is_not_declared():
    types = {"nothing": "null", "integer": "integer", "number": "number", "text": "string", "boolean": "boolean"}
    described = schema("s", **types, timestamp=INSTANTS, date=DATES, time=TIMES, json={})

    for record_said in (record("s"), record("s", new=1)):
        _, records = heard(described, record_said)
        assert isinstance(records, Records)
        assert all(column.name in (str(column.type), "new") for column, _ in records.columns())


@pytest.mark.parametrize(
    "property", [INTEGERS, NUMBERS, CENTS, INSTANTS, DATES, TIMES, {"type": "string"}, {"type": "boolean"}]
)
def test_a_column_of_nulls_keeps_the_type_it_was_promised(property):
    type, found = settled(property, "null", "null")

    assert found == [None, None]
    assert type == settled(property, "null")[0] != "nothing"


def test_a_column_of_nothing_takes_text_as_text_and_anything_else_as_json():
    assert settled({"type": "null"}, '"a"', "null", '""') == ("text", ["a", None, ""])
    assert settled({"type": "null"}, '"a"', "1") == ("json", ['"a"', "1"])


@pytest.mark.parametrize(
    "texts",
    [
        ["1", "1.0", "1e0", "10E-1", "1.000"],
        ["0", "-0", "0.0", "-0.0", "0e5"],
        ["0.1", "1e-1", "0.10"],
        ['{"a": 1, "b": [2.0]}', '{"b":[2],"a":1.0}'],
        ['"\\u00e9"', '"é"'],
        ["1e300", "1" + "0" * 300],
        ["1e400", "1.0e400"],
        ["9" * 5000],
        ["[" * 100 + "]" * 100],
    ],
)
def test_json_of_the_same_value_compares_as_one_text(texts):
    assert len(set(comparable(pa.array(texts)).to_pylist())) == 1


def test_json_of_different_values_stays_apart():
    texts = [
        "1",
        '"1"',
        "1.5",
        "true",
        "[]",
        "{}",
        '""',
        "10000000000000001",
        "10000000000000002",
        "1e400",
        "null",
        "[1]",
    ]

    assert len(set(comparable(pa.array(texts)).to_pylist())) == len(texts)
    assert comparable(pa.array([None], pa.string())).to_pylist() == [None]


@pytest.mark.parametrize(
    "type", [NOTHING, BOOLEAN, INTEGER, NUMBER, DATE, TIME, TIMESTAMP, TEXT, JSON, decimal(0), decimal(38)]
)
def test_every_type_has_an_arrow_type(type):
    assert pa.array([None], arrow_type(type)).null_count == 1
