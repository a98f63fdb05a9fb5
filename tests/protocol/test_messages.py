"""What a tap prints is understood line by line, or the line that is not is named."""

import json
from datetime import datetime
from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.config import Validate
from orchestrator.errors import BadBatch, BadRecord, BrokenMessage, BrokenSchema
from orchestrator.protocol.messages import ActivateVersion, BatchFiles, Message, Schema, Silence, State, Unknown
from orchestrator.protocol.reading import read_messages
from orchestrator.protocol.records import Records, UnfitRows, together
from orchestrator.protocol.refusals import Refusal
from tests.protocol.saying import (
    activate,
    heard,
    heard_until,
    record,
    rows_of,
    schema,
    state,
    strictly,
    text_of,
    understood,
)

ORDERS = schema("orders", key=("id",), id="integer", name=["null", "string"])
USERS = schema("users", id="integer")


def order(id, **more):
    return record("orders", id=id, **more)


def values(messages):
    """What the records say, in their order."""
    return [row[2] for message in messages if isinstance(message, Records) for row in rows_of(message)]


def lines(messages):
    return [row[1] for message in messages if isinstance(message, Records) for row in rows_of(message)]


def key(*sayings):
    (described,) = heard(*sayings)
    assert isinstance(described, Schema)
    return described.key


# ── lines and blocks ─────────────────────────────────────────────────────────────────────────────


def test_a_tap_says_schemas_records_and_states():
    described, records, remembered = heard(ORDERS, order(1, name="a"), order(2), state({"id": 2}))

    assert isinstance(described, Schema)
    assert (described.stream, described.key, described.line) == ("orders", ("id",), 1)
    assert [column.name for column in described.columns] == ["id", "name"]
    assert isinstance(records, Records)
    assert list(rows_of(records)) == [
        ("orders", 2, {"id": 1, "name": "a"}, None, None),
        ("orders", 3, {"id": 2}, None, None),
    ]
    assert remembered == State(b'{"id": 2}')


PLAIN = text_of(ORDERS, order(1), order(2))


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbf" + PLAIN,
        PLAIN.replace(b"\n", b"\r\n"),
        b"\n  \n" + PLAIN.replace(b"\n", b"\n\n \t\r\n"),
        PLAIN.removesuffix(b"\n"),
        PLAIN.replace(b"{", b" {\t").replace(b"}\n", b" } \n"),
    ],
    ids=["byte order mark", "CRLF", "blank lines", "no end of the last line", "white space"],
)
def test_lines_may_be_dressed_as_they_like(text):
    assert values(strictly([text])) == [{"id": 1}, {"id": 2}]


def test_text_without_a_word_has_no_messages():
    assert list(strictly([b"\xef\xbb\xbf\n \r\n", b" "])) == []


BROKEN = [
    "Traceback (most recent call last):",
    '{"type": "RECORD", "stream": "orders", "rec',
    json.dumps(order(2)) + json.dumps(order(3)),
    json.dumps(state(1)) + " " + json.dumps(state(2)),
    "[]",
    '"RECORD"',
    "null",
    "{}",
    '{"type": 7}',
    '{"type": "RECORD", "record": {"id": 2}}',
    '{"type": "RECORD", "stream": "", "record": {"id": 2}}',
    '{"type": "RECORD", "stream": 7, "record": {"id": 2}}',
    '{"type": "STATE"}',
    '{"type": "ACTIVATE_VERSION", "stream": "orders"}',
    '{"type": "ACTIVATE_VERSION", "version": 1}',
    '{"type": "ACTIVATE_VERSION", "stream": "orders", "version": true}',
    '{"type": "STATE", "value": 1,}',
    '{"type": "STATE", "value": 01}',
    '{"type": "STATE", "value": ' + "[" * 100_000 + "]" * 100_000 + "}",
    "\ufeff" + json.dumps(order(2)),
]


WITHOUT_WAY_ON = [
    ('{"type": "SCHEMA", "schema": {}}', BrokenSchema),
    ('{"type": "BATCH", "stream": "orders", "encoding": {"format": "jsonl"}}', BadBatch),
    ('{"type": "BATCH", "stream": "orders", "encoding": {"format": "avro"}, "manifest": []}', BadBatch),
    ('{"type": "BATCH", "stream": "orders", "encoding": {"compression": "lzma"}, "manifest": []}', BadBatch),
    ('{"type": "BATCH", "manifest": []}', BadBatch),
]
"""Lines without which what follows means nothing, or of which one stands for many records."""


@pytest.mark.parametrize(("line", "kind"), [*((line, BrokenMessage) for line in BROKEN), *WITHOUT_WAY_ON])
def test_a_line_that_is_no_message_is_named_and_nothing_after_it_is_said(line, kind):
    messages, error = heard_until(kind, ORDERS, order(1), state(1), line, state(4))

    assert "line 4" in error
    assert values(messages) == [{"id": 1}]
    assert messages[-1] == State(b"1")


def test_bytes_that_are_not_utf_8_are_a_broken_line_wherever_they_stand():
    free = schema("free", x={})
    for odd in (b"\xff", b"\xed\xa0\x80", b"\xc3"):
        text = text_of(free, record("free", x=1), record("free", x="?")).replace(b"?", odd)

        with pytest.raises(BrokenMessage, match="line 3"):
            list(strictly([text]))


def test_a_message_over_two_lines_is_broken_even_where_they_come_in_one_block():
    messages, error = heard_until(BrokenMessage, ORDERS, order(1), '{"type": "STATE",\n"value": 1}')

    assert "line 3" in error
    assert values(messages) == [{"id": 1}]


TORN_AND_GLUED = [
    json.dumps(order(2)) + json.dumps(order(3)) + "\n",
    json.dumps(order(2)) + json.dumps(order(3)) + "\n \r",
    json.dumps(order(2)) + "\t" + json.dumps(state(3)) + "\n",
    '{"type": "STATE",\n"value": 7}' + json.dumps(state(8)),
    '{"type": "STATE", "value": {"a": {}\n}}{"type": "LOG"}',
    '{"type": "LOG", "a": {}\n}{"type": "LOG", "a":\n{}}{"type": "LOG"}',
]
"""As many lines as messages, but not one message in each line."""


@pytest.mark.parametrize("said", TORN_AND_GLUED)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_two_messages_in_a_line_are_broken_even_where_a_torn_or_a_blank_line_makes_up_for_it(said, end):
    assert len(said.split("\n")) == said.count('"type"')
    text = text_of(ORDERS, order(1), state(1)) + f"{said}\n".encode() + text_of(state(9))

    for blocks in ([text.replace(b"\n", end.encode())], cut(text, 7)):
        messages: list[Message] = []
        with pytest.raises(BrokenMessage, match="line 4: not a"):
            messages.extend(strictly(blocks))
        assert messages[-1] == State(b"1")


@pytest.mark.parametrize("line", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\x00", "\ufeff"])
def test_a_line_that_only_python_takes_for_blank_is_broken(line):
    with pytest.raises(BrokenMessage, match="line 2"):
        heard(ORDERS, line, order(1))


def test_the_error_shows_the_line_the_reason_and_what_to_do():
    _, error = heard_until(BrokenMessage, "Collecting orders: 12 %" + "." * 100)

    assert "line 1: not a Singer message: b'Collecting orders: 12 %" in error
    assert "…" in error
    assert "cause: JSON is malformed" in error
    assert "logs belong on stderr" in error


@pytest.mark.parametrize("blank", [b"", b"\n", b"\r\n\n"])
def test_line_numbers_count_blank_lines_and_every_block(blank):
    text = text_of(ORDERS, *(order(id) for id in range(5))).replace(b"\n", b"\n" + blank)
    expected = [1 + step * (1 + blank.count(b"\n")) for step in range(1, 6)]

    for size in (1, 40, 1000):
        assert lines(strictly(cut(text, size))) == expected


def test_line_numbers_count_the_states_between_records():
    said = text_of(order(1), order(2), state(2), state(3), order(3), state(4), order(4))

    assert lines(strictly([text_of(ORDERS), said])) == [2, 3, 6, 8]


def cut(text, size):
    return [text[start : start + size] for start in range(0, len(text), size)]


SAID = text_of(
    ORDERS,
    order(1, name="a\u2028b\x85c"),
    order(2, undeclared={"x": [1]}),
    state({"x": 1}),
    USERS,
    '{"type": "record", "stream": "users", "record": {"id": 1.0}}',
    order(3, name="{}\n}"),
    "",
    activate("orders", 7),
    record("users", id=2**60) | {"version": 7, "time_extracted": "2024-02-29T00:00:00Z"},
    schema("orders", id="number"),
    '{"type": "RECORD", "stream": "orders", "record": {"id": NaN, "name": "\\ud800"}}',
    order(4.5),
    state(1),
    state(2),
    '{"type": "LOG", "stream": 1}',
    record("users"),
    state(3),
).removesuffix(b"\n")


@given(st.lists(st.integers(0, len(SAID)), max_size=30))
def test_any_block_size_gives_the_same_messages(cuts):
    marks = sorted({0, len(SAID), *cuts})
    blocks = [SAID[start:end] for start, end in pairwise(marks)]

    assert repr(understood(blocks)) == repr(understood([SAID]))


@pytest.mark.parametrize("line", BROKEN)
def test_any_block_size_finds_the_same_broken_line(line):
    text = text_of(ORDERS, order(1), line, order(2))
    for size in (7, 100, 1_000_000):
        with pytest.raises(BrokenMessage, match="line 3"):
            list(strictly(cut(text, size)))


def test_an_empty_block_is_a_silence():
    first, second = text_of(ORDERS), text_of(state(1))

    messages = list(strictly([b"", first + second[:5], b"", second[5:]]))

    assert [type(message) for message in messages] == [Silence, Schema, Silence, State]


def test_a_line_of_fifty_megabytes_is_a_message_like_any_other():
    long = "x" * 50_000_000

    _, records = strictly(cut(text_of(ORDERS, order(1, name=long)), 1 << 20))

    assert values([records]) == [{"id": 1, "name": long}]


# ── messages ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "value",
    [
        '{"a":1.10,  "b": 12345678901234567890123, "c": 1E5, "d": "\\u00e9"}',
        "{}",
        "0",
        "false",
        "null",
        "[]",
        '"a text"',
        "1e400",
        '{"bookmarks": {"a": {}, "a": {}}}',
        "NaN",
        '{"value": [{"at": -Infinity, "by": "\\ud800,}"}], "a": {"value": NaN} }',
    ],
)
def test_a_state_is_kept_word_for_word(value):
    said = f'{{"value":  {value} , "type": "STATE"}}'

    assert heard(said) == [State(value.encode())]
    # Also where it stands among records that are read in one call, or among members that nobody knows.
    assert heard(ORDERS, order(1), said, order(2))[2] == State(value.encode())
    odd = '"a": {"value": NaN}, "b": "value", "c": "NaN", "d": [":", {"value": 2}]'
    assert heard(f'{{{odd}, "type": "STATE", "value":{value}}}') == [State(value.encode())]


@pytest.mark.parametrize("spelling", [str.lower, str.title, str.upper])
def test_the_type_may_be_written_in_any_case(spelling):
    messages = heard(
        *(said | {"type": spelling(said["type"])} for said in (ORDERS, order(1), state(1), activate("orders", 2)))
    )

    assert [type(message) for message in messages] == [Schema, Records, State, ActivateVersion]


def test_a_message_of_an_unknown_type_is_said_to_be_one_whatever_it_holds():
    odd = '{"type": "Metric", "stream": {}, "version": "1.0", "record": 1, "value": [], "manifest": 1, "new": null}'

    assert heard(ORDERS, odd, order(1))[1] == Unknown("Metric")


def test_a_version_may_be_activated_before_the_schema_comes():
    assert heard(activate("orders", 3), ORDERS)[0] == ActivateVersion("orders", 3)


def test_a_record_before_its_schema_is_an_error_that_names_its_line():
    messages, error = heard_until(BadRecord, USERS, record("users", id=1), order(1))

    assert "line 3" in error
    assert "orders, line 3: the record comes before its SCHEMA" in error
    assert values(messages) == [{"id": 1}]


def test_records_of_several_streams_keep_their_order_within_each():
    messages = heard(ORDERS, USERS, *(said for id in range(3) for said in (order(id), record("users", id=-id))))

    assert [(message.stream, values([message])) for message in messages if isinstance(message, Records)] == [
        ("orders", [{"id": 0}, {"id": 1}, {"id": 2}]),
        ("users", [{"id": 0}, {"id": -1}, {"id": -2}]),
    ]


def test_no_record_passes_a_message_of_another_type():
    messages = heard(ORDERS, USERS, record("users", id=1), order(1), state(1), record("users", id=2), state(2))

    assert [values([each]) if isinstance(each, Records) else type(each) for each in messages[2:]] == [
        [{"id": 1}],
        [{"id": 1}],
        State,
        [{"id": 2}],
        State,
    ]


def test_a_record_carries_its_version_and_the_time_of_its_extraction():
    moment = "2024-02-29T12:00:00Z"
    _, records = heard(
        ORDERS,
        order(1) | {"version": 5, "time_extracted": moment},
        order(2),
        order(3) | {"version": None, "time_extracted": 1709208000},
    )

    assert isinstance(records, Records)
    assert [row[3:] for row in rows_of(records)] == [(5, moment), (None, None), (None, None)]


def test_of_members_with_the_same_name_the_last_one_counts():
    said = '{"type": "RECORD", "stream": "users", "stream": "orders", "record": {"id": 1, "id": 2%s}}'

    assert values(heard(ORDERS, said % "")) == [{"id": 2}]
    assert values(heard(ORDERS, said % ', "new": 1, "new": 3')) == [{"id": 2, "new": "3"}]


# ── records ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("said", ["null", "7", "[]", '"id"'])
def test_a_record_that_is_no_object_is_an_error_that_names_its_line(said):
    line = f'{{"type": "RECORD", "stream": "orders", "record": {said}}}'

    assert "orders, line 3: the record is not an object" in heard_until(BadRecord, ORDERS, order(1), line)[1]


def test_a_record_message_without_a_record_is_an_error_that_names_its_line():
    said = '{"type": "RECORD", "stream": "orders"}'

    assert "orders, line 3" in heard_until(BadRecord, ORDERS, order(1), said, order(2))[1]


@pytest.mark.parametrize("version", ['"2"', "9223372036854775808", "true", "1.5"])
def test_a_record_of_a_version_that_is_no_number_is_an_error_that_names_its_line(version):
    said = f'{{"type": "RECORD", "stream": "orders", "record": {{"id": 2}}, "version": {version}}}'

    assert "orders, line 3: version is" in heard_until(BadRecord, ORDERS, order(1), said)[1]


def test_a_member_that_the_schema_does_not_declare_becomes_a_json_column():
    first, second = heard(ORDERS, order(1), order(2, new={"a": 1}), state(1), order(3, new="b"))[1::2]

    assert values([first]) == [{"id": 1}, {"id": 2, "new": '{"a": 1}'}]
    assert values([second]) == [{"id": 3, "new": '"b"'}]


def test_an_undeclared_member_stays_known_when_the_same_schema_comes_again_and_not_when_another_does():
    def names(message):
        return [column.name for column in message.columns]

    other = schema("orders", id="integer")

    messages = [each for each in heard(ORDERS, order(1, new=1), ORDERS, order(2), other) if isinstance(each, Schema)]

    assert list(map(names, messages)) == [["id", "name"], ["id", "name", "new"], ["id"]]


def test_a_schema_holds_for_the_records_after_it():
    first, second = (
        message
        for message in heard(ORDERS, order(1), schema("orders", id="string"), order("b"))
        if isinstance(message, Records)
    )

    assert [str(column.type) for column, _ in (first.columns()[0], second.columns()[0])] == ["integer", "text"]
    assert values([first, second]) == [{"id": 1}, {"id": "b"}]


NAMES = ["", " ", 'a"b', "a\\b", "a\nb", "\x00", "é", "😀", "f0", "a.b", "type", "x" * 1000]


@pytest.mark.parametrize("name", NAMES)
def test_a_member_may_have_any_name(name):
    described = schema("odd", **{name: "integer", "f1": "string"})
    said = [record("odd", **{name: id, "f1": "é"}) for id in (1, 2)]

    assert values(heard(described, *said)) == [{name: 1, "f1": "é"}, {name: 2, "f1": "é"}]


@pytest.mark.parametrize("name", NAMES[1:])
def test_a_stream_may_have_any_name(name):
    messages = heard(schema(name, id="integer"), record(name, id=1), state(1), record(name, id=2))

    assert [message.stream for message in messages if isinstance(message, Schema | Records)] == [name] * 3
    assert values(messages) == [{"id": 1}, {"id": 2}]


def test_a_stream_may_have_no_columns_or_thousands():
    wide = {f"c{number}": number for number in range(3000)}

    assert values(heard(schema("none"), record("none"), record("none"))) == [{}, {}]
    assert values(heard(schema("wide", **dict.fromkeys(wide, "integer")), record("wide", **wide))) == [wide]


def test_one_record_among_thousands_that_does_not_fit_changes_none_of_the_others():
    said = [order(id) for id in range(3000)]
    said[1700] = order(1700, new=True)

    found = values(heard(ORDERS, *said))

    assert [row["id"] for row in found] == list(range(3000))
    assert [row for row in found if len(row) > 1] == [{"id": 1700, "new": "true"}]


def test_a_value_among_thousands_that_breaks_its_schema_is_named_by_its_line():
    said = [order(id) for id in range(3000)]
    said[2500] = order("x")

    with pytest.raises(BadRecord, match='orders, line 2502: id is "x"'):
        values(heard(ORDERS, *said))


def test_nan_and_half_a_surrogate_pair_are_kept_as_text_that_says_so():
    said = (
        '{"type": "RECORD", "stream": "s", "record": '
        '{"text": "a\\ud800b", "json": {"x": [NaN, "\\udc00"]}, "number": -Infinity, "new": NaN}}'
    )

    (found,) = values(heard(schema("s", text="string", json={}, number="number"), said))

    assert found == {
        "text": "a\\ud800b",
        "json": '{"x": ["NaN", "\\\\udc00"]}',
        "number": float("-inf"),
        "new": '"NaN"',
    }


# ── schemas and keys ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (["id"], ("id",)),
        ("id", ("id",)),
        (["name", "id", "name"], ("name", "id")),
        ([], ()),
        (None, ()),
    ],
)
def test_a_key_is_a_list_of_names_or_one_name_or_nothing(said, expected):
    assert key(ORDERS | {"key_properties": said}) == expected


def test_a_stream_without_key_properties_has_no_key():
    assert key({name: said for name, said in ORDERS.items() if name != "key_properties"}) == ()


@pytest.mark.parametrize("said", [7, {}, False, [7], [["id"]], [None]])
def test_a_key_of_another_form_is_an_error(said):
    _, error = heard_until(BrokenSchema, USERS, ORDERS | {"key_properties": said})

    assert "line 2: key_properties of 'orders'" in error


@pytest.mark.parametrize("said", [["id", "nope"], "nope", [""]])
def test_a_key_that_the_schema_does_not_declare_is_an_error(said):
    _, error = heard_until(BrokenSchema, ORDERS | {"key_properties": said})

    assert "line 1: the key of 'orders' names" in error


def test_a_schema_without_properties_may_name_any_key():
    assert key({"type": "SCHEMA", "stream": "free", "schema": {}, "key_properties": ["id"]}) == ("id",)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("null", "is not an object"),
        ("[]", "is not an object"),
        ("true", "is not an object"),
        ('{"properties": []}', "its properties are []"),
        ('{"allOf": [{"properties": 7}]}', "its properties are 7"),
    ],
)
def test_a_schema_that_is_none_is_an_error_that_names_line_and_stream(said, reason):
    _, error = heard_until(BrokenSchema, USERS, f'{{"type": "SCHEMA", "stream": "orders", "schema": {said}}}')

    assert "line 2: the SCHEMA of 'orders'" in error
    assert reason in error


def test_a_schema_may_set_bounds_that_no_double_holds():
    bound = '{"type": "SCHEMA", "stream": "s", "schema": {"properties": {"x": {"type": "number", "maximum": 1e999}}}}'

    assert values(heard(bound, record("s", x=1.5))) == [{"x": 1.5}]


# ── BATCH ────────────────────────────────────────────────────────────────────────────────────────


def batch(**more):
    said = {"type": "BATCH", "stream": "orders", "encoding": {"format": "jsonl"}, "manifest": ["a", "b"]}
    return said | more


def with_files(blocks, *sayings):
    return strictly([text_of(*sayings)], lambda message: blocks)


def test_the_records_of_a_batch_come_in_its_place_and_bear_its_line():
    blocks = [b'{"id": 2}\n{"i', b'd": 3}\n\n', b"", b'{"id": 4, "new": NaN}']

    messages = list(with_files(blocks, ORDERS, order(1), batch(), order(5)))

    assert values(messages) == [{"id": 1}, {"id": 2}, {"id": 3}, {"id": 4, "new": '"NaN"'}, {"id": 5}]
    assert lines(messages) == [2, 3, 3, 3, 4]


def test_a_batch_names_its_files_and_how_they_are_written():
    seen: list[BatchFiles] = []

    def open_batch(message):
        seen.append(message)
        return ()

    packed = {"format": "Parquet", "compression": "GZIP"}
    single = {"type": "BATCH", "stream": "orders", "filepath": "/a.gz", "compression": "gzip", "batch_size": 9}
    said = [batch(), batch(encoding=packed), batch(encoding=None), single, batch() | {"version": 7}]
    list(strictly([text_of(ORDERS, *said)], open_batch))

    assert seen == [
        BatchFiles("orders", "jsonl", "none", ("a", "b"), 2),
        BatchFiles("orders", "parquet", "gzip", ("a", "b"), 3),
        BatchFiles("orders", "jsonl", "none", ("a", "b"), 4),
        BatchFiles("orders", "jsonl", "gzip", ("/a.gz",), 5),
        BatchFiles("orders", "jsonl", "none", ("a", "b"), 6, 7),
    ]


@pytest.mark.parametrize("compression", ["none", "snappy", "zstd", "gzip"])
def test_a_batch_of_parquet_may_say_what_its_files_know_themselves(compression):
    seen: list[BatchFiles] = []
    packed = batch(encoding={"format": "parquet", "compression": compression})

    def open_batch(message):
        seen.append(message)
        return ()

    list(strictly([text_of(ORDERS, packed)], open_batch))

    assert [(message.format, message.compression) for message in seen] == [("parquet", compression)]


@pytest.mark.parametrize(
    "content",
    [
        b"nonsense\n",
        b"7\n",
        b"\x0c\n",
        b'{"id": 2}{"id": 3}\n',
        b'{"id": 2}{"id": 3\n}\n',
        b'{"id":\n2}{"id": 3}\n',
        b'{"id":\n2}\n',
        b'{"new": "\xff"}',
    ],
)
def test_a_line_in_a_batch_that_is_no_record_is_an_error(content):
    with pytest.raises(BadRecord, match="orders, line 2"):
        list(with_files([b'{"id": 1}\n', content], ORDERS, batch()))


def test_a_batch_before_its_schema_is_an_error():
    with pytest.raises(BadRecord, match="line 1"):
        list(with_files([b'{"id": 1}'], batch()))


PARQUET = batch(encoding={"format": "parquet"})


def test_the_rows_of_parquet_files_come_in_their_place_too():
    rows = [pa.record_batch({"id": [2, 3], "new": ["a", None]}), pa.record_batch({"id": [4]})]

    messages = list(with_files(rows, ORDERS, order(1), PARQUET | {"version": 7}, order(5)))

    assert values(messages) == [{"id": 1}, {"id": 2, "new": '"a"'}, {"id": 3}, {"id": 4}, {"id": 5}]
    assert lines(messages) == [2, 3, 3, 3, 4]
    assert [row[3] for each in messages if isinstance(each, Records) for row in rows_of(each)] == [None, 7, 7, 7, None]


def test_rows_of_the_same_files_are_put_together():
    rows = [pa.record_batch({"id": [1]}), pa.record_batch({"id": [2]})]
    runs = [each for each in with_files(rows, ORDERS, PARQUET) if isinstance(each, Records)]

    both = together(runs)

    assert runs[0].fields is runs[1].fields

    assert [row[2] for row in rows_of(both)] == [{"id": 1}, {"id": 2}]
    assert [row[2] for row in rows_of(both.without({0}))] == [{"id": 2}]
    assert len(both.without({0, 1})) == 0


def test_a_row_that_breaks_its_schema_is_told_as_the_line_it_would_have_been():
    ids = pa.array(["1", None, 'x"'], pa.string_view())
    rows = pa.record_batch({"id": ids, "at": [datetime(2024, 1, 1)] * 3})  # noqa: DTZ001
    (records,) = (
        each for each in read_messages([text_of(ORDERS, PARQUET)], lambda message: [rows]) if isinstance(each, Records)
    )

    with pytest.raises(UnfitRows) as unfit:
        records.columns()

    refused = [(each.line, each.text, each.reason) for each in records.refusals(unfit.value.flaws)]
    reason = "its SCHEMA promises integer, and no wider type keeps both"
    assert refused == [
        (2, b'{"id":"1","at":"2024-01-01T00:00:00"}', f'id is "1": {reason}'),
        (2, b'{"id":"x\\"","at":"2024-01-01T00:00:00"}', f'id is "x\\"": {reason}'),
    ]
    assert [row[2] for row in rows_of(records.without(unfit.value.flaws))] == [{"at": '"2024-01-01T00:00:00"'}]


def test_rows_of_parquet_files_may_have_to_keep_the_whole_schema():
    amounts = schema("orders", amount={"type": "number", "maximum": 2})

    found = list(
        read_messages(
            [text_of(amounts, PARQUET)], lambda message: [pa.record_batch({"amount": [1.5, 2.5]})], Validate.FULL
        )
    )

    assert [row[2] for each in found if isinstance(each, Records) for row in rows_of(each)] == [{"amount": 1.5}]
    assert [each.text for each in found if isinstance(each, Refusal)] == [b'{"amount":2.5}']


def test_rows_of_parquet_files_before_their_schema_are_an_error():
    with pytest.raises(BadRecord, match="line 1"):
        list(with_files([pa.record_batch({"id": [1]})], PARQUET))


def test_streams_that_take_turns_are_read_as_if_each_came_by_itself():
    schemas = [schema("a", id="integer", amount="number"), schema("b", id="integer"), schema("c", note="string")]
    said = []
    for n in range(40):
        said += [record("a", id=n, amount=n / 4), record("b", id=n), record("c", note=f"n{n}")]
    # What fits no schema, or no double, or no column, comes late: until then all three are read at once.
    said += [record("b", id=10**30), record("a", id=1, amount=12345678901234567890), record("c", note="x", more=[1])]
    said += [state({"n": 1}), *said[:9]]
    blocks = [text_of(*schemas), *(text_of(*said[start : start + 9]) for start in range(0, len(said), 9))]
    found = [row for each in strictly(blocks) if isinstance(each, Records) for row in rows_of(each)]

    for stream, described in zip("abc", schemas, strict=True):
        alone = [described, *(each for each in said if each.get("stream") == stream)]
        assert [row[2] for row in found if row[0] == stream] == values(heard(*alone))
    assert sorted(row[1] for row in found) == [number for number in range(4, len(said) + 4) if number != 127]
