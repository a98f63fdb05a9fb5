"""Columns of parquet files made up by hypothesis, and their values as a tap would have said them in JSON."""

import base64
import contextlib
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from tests.load_path.faithful import read_json
from tests.load_path.spelling import Number
from tests.load_path.test_reference import in_order

EPOCH = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)


@dataclass(frozen=True, slots=True)
class Values:
    """The values of a type of Arrow as Python holds them, and what JSON says of one that is not null."""

    type: pa.DataType
    values: st.SearchStrategy[Any]
    said: Callable[[Any], Any]

    def array(self, values: list[Any]) -> pa.Array:
        type = self.type
        if pa.types.is_timestamp(type) or pa.types.is_time(type) or pa.types.is_duration(type):
            # Python knows no nanoseconds.
            return pa.array(values, pa.int64()).cast(pa.int32() if type.bit_width == 32 else pa.int64()).view(type)
        if pa.types.is_dictionary(type):
            return pa.array(values, type.value_type).dictionary_encode()
        return pa.array(values, type)


def number(value: Any) -> Number:
    return Number({"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(f"{value}", f"{value}"))


def instant(a_second: int, zone: str) -> Callable[[int], str]:
    def said(value: int) -> str:
        seconds, part = divmod(value, a_second)
        fraction = f".{part:0{len(str(a_second)) - 1}d}" if part else ""
        return f"{(EPOCH + timedelta(seconds=seconds)).isoformat()}{fraction}{zone}"

    return said


def time_of_day(a_second: int) -> Callable[[int], str]:
    return lambda value: instant(a_second, "")(value).partition("T")[2]


def lasting(a_second: int) -> Callable[[int], str]:
    def said(value: int) -> str:
        whole, part = divmod(abs(value), a_second)
        fraction = f".{part:0{len(str(a_second)) - 1}d}" if part else ""
        return f"{'-' if value < 0 else ''}PT{whole}{fraction}S"

    return said


def same(value: Any) -> Any:
    return value


def document(text: str) -> Any:
    return json.loads(text, parse_int=Number, parse_float=Number)


def base64_of(value: bytes) -> str:
    return base64.b64encode(value).decode()


def seconds(first: int, last: int) -> st.SearchStrategy[int]:
    return st.integers(first, last) | st.integers(-3, 3)


def integers(bits: int, *, signed: bool = True) -> st.SearchStrategy[int]:
    first, last = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    return st.integers(0, 5) | st.integers(first, last) | st.sampled_from([first, last])


texts = st.text(max_size=6) | st.sampled_from(["", "NaN", "null", "1", 'a"b\\', "\x00\n", "2024-01-01", "12:00:00"])
doubles = st.floats() | st.sampled_from([0.0, -0.0, 1.0, 7.5, 2.0**53, 1e17, 1e40, 0.1])
# The years 1 to 9999, and what lies around 1970.
FIRST, LAST = -62_135_596_800, 253_402_300_799
EACH: tuple[Values, ...] = (
    Values(pa.bool_(), st.booleans(), same),
    Values(pa.int8(), integers(8), number),
    Values(pa.int64(), integers(64) | st.sampled_from([2**53, 2**53 + 1]), number),
    Values(pa.uint64(), integers(64, signed=False), number),
    Values(pa.float16(), st.floats(width=16), number),
    Values(pa.float32(), st.floats(width=32), number),
    Values(pa.float64(), doubles, number),
    Values(pa.decimal128(6, 2), st.decimals(-9999, 9999, places=2), number),
    Values(pa.decimal128(38, 20), st.decimals(-(10**17), 10**17, places=20), number),
    Values(pa.decimal256(60, 1), st.decimals(-(10**50), 10**50, places=1), number),
    Values(pa.string(), texts, same),
    Values(pa.large_string(), texts, same),
    Values(pa.string_view(), texts, same),
    Values(pa.dictionary(pa.int32(), pa.string()), texts, same),
    Values(pa.binary(), st.binary(max_size=4), base64_of),
    Values(pa.binary(3), st.binary(min_size=3, max_size=3), base64_of),
    Values(pa.date32(), st.dates(), str),
    Values(pa.date64(), st.dates(), str),
    Values(pa.timestamp("s"), seconds(FIRST, LAST), instant(1, "")),
    Values(pa.timestamp("ms", "UTC"), seconds(FIRST * 10**3, LAST * 10**3), instant(10**3, "Z")),
    Values(pa.timestamp("us", "Asia/Kolkata"), seconds(FIRST * 10**6, LAST * 10**6), instant(10**6, "Z")),
    Values(pa.timestamp("ns"), integers(64), instant(10**9, "")),
    Values(pa.time32("s"), st.integers(0, 86_399), time_of_day(1)),
    Values(pa.time64("us"), st.integers(0, 86_399_999_999), time_of_day(10**6)),
    Values(pa.time64("ns"), st.integers(0, 86_399_999_999_999) | st.just(10**9), time_of_day(10**9)),
    Values(pa.duration("us"), seconds(-(10**15), 10**15), lasting(10**6)),
    Values(pa.uuid(), st.binary(min_size=16, max_size=16), lambda value: str(uuid.UUID(bytes=value))),
    Values(pa.json_(), st.sampled_from(['{"a": [1.50]}', " null ", "7", '"a"', "[\n1]"]), document),
    Values(pa.null(), st.none(), same),
)


def list_of(item: Values, form: Callable[[pa.DataType], pa.DataType]) -> Values:
    return Values(
        form(item.type),
        st.lists(st.none() | item.values, max_size=2),
        lambda items: [said_of(item, each) for each in items],
    )


def struct_of(**members: Values) -> Values:
    return Values(
        pa.struct([(name, member.type) for name, member in members.items()]),
        st.fixed_dictionaries({name: st.none() | member.values for name, member in members.items()}),
        lambda value: {name: said_of(member, value[name]) for name, member in members.items()},
    )


def map_of(key: Values, item: Values) -> Values:
    return Values(
        pa.map_(key.type, item.type),
        st.lists(st.tuples(key.values, st.none() | item.values), max_size=2, unique_by=lambda pair: pair[0]),
        lambda pairs: {f"{key.said(name)}": said_of(item, value) for name, value in pairs},
    )


def respelled_json(value: Any) -> Any:
    """A text that is an object or an array, written in one way: how else, whoever writes it decides."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        with contextlib.suppress(ValueError):
            return json.dumps(in_order(read_json(value)))
    return value


def said_of(values: Values, value: Any) -> Any:
    return None if value is None else values.said(value)


_BY_TYPE = {str(each.type): each for each in EACH}
_int, _double, _text = _BY_TYPE["int64"], _BY_TYPE["double"], _BY_TYPE["string"]
NESTED = (
    list_of(_int, pa.list_),
    list_of(_text, pa.large_list),
    list_of(_double, pa.list_view),
    struct_of(a=_int, b=struct_of(c=_text, d=_BY_TYPE["date32[day]"])),
    struct_of(a=list_of(struct_of(e=_BY_TYPE["decimal128(6, 2)"]), pa.list_)),
    map_of(_text, _double),
    map_of(_int, list_of(_text, pa.list_)),
)
