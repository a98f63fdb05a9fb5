"""Arrow arrays as the JSON that would have said the same: column by column, and only rarely value by value."""

import base64
import uuid
from collections.abc import Callable

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from orchestrator.protocol.arrays import any_of, each_as_text
from orchestrator.protocol.arrow_times import dates, durations, instants, times
from orchestrator.protocol.arrow_types import DOCUMENT, UUID, extension_of, is_list, plain
from orchestrator.protocol.lines import UNREADABLE, read_json

Said = Callable[[pa.Array], pa.Array]


def texts_of(values: pa.Array) -> pa.Array | None:
    """What JSON would say as strings: these strings. None for values that it says otherwise."""
    values = plain(values)
    if extension_of(values.type) == UUID:
        return _uuids(values.storage)
    return next((said(values) for is_such, said in _AS_STRINGS.items() if is_such(values.type)), None)


def json_of(values: pa.Array) -> pa.Array:
    """The JSON text of each value; a null stays one."""
    if (texts := texts_of(values)) is not None:
        return _quoted(texts)
    values = plain(values)
    if extension_of(values.type) == DOCUMENT:
        return each_as_text(_document, plain(values.storage))
    return next(said(values) for is_such, said in _OTHERWISE.items() if is_such(values.type))


def json_objects(rows: pa.RecordBatch) -> list[bytes]:
    """Each row as an object, in one line."""
    return list(_objects(rows.to_struct_array()).cast(pa.binary()).to_pylist())


# ── strings ──────────────────────────────────────────────────────────────────────────────────────

_SPECIAL = r'["\\\x00-\x1f]'


def _quoted(texts: pa.Array) -> pa.Array:
    quoted = _joined(pa.scalar('"'), texts, pa.scalar('"'))
    special = pc.match_substring_regex(texts, _SPECIAL).fill_null(False)
    if not any_of(special):
        return quoted
    escaped = pa.array(map(msgspec.json.encode, texts.filter(special).to_pylist()), pa.string())
    return pc.replace_with_mask(quoted, special, escaped)


def _joined(*parts: pa.Array | pa.Scalar) -> pa.Array:
    return pc.binary_join_element_wise(*parts, "")


def _base64(values: pa.Array) -> pa.Array:
    return each_as_text(base64.b64encode, values)


def _uuids(values: pa.Array) -> pa.Array:
    return each_as_text(lambda value: str(uuid.UUID(bytes=value)), values)


_AS_STRINGS: dict[Callable[[pa.DataType], bool], Said] = {
    pa.types.is_string: lambda values: values,
    pa.types.is_timestamp: instants,
    pa.types.is_date: dates,
    pa.types.is_time: times,
    pa.types.is_duration: durations,
    pa.types.is_binary: _base64,
}


# ── what is no string ────────────────────────────────────────────────────────────────────────────


def _bare(values: pa.Array) -> pa.Array:
    return values.cast(pa.string())


def _floats(values: pa.Array) -> pa.Array:
    values = values.cast(pa.float64())
    texts = pc.replace_substring_regex(values.cast(pa.string()), r"^(-?\d+)$", r"\1.0")
    if not any_of(pc.invert(pc.is_finite(values))):
        return texts
    # As `lines.mend` makes strings of them where they stand in JSON.
    for written, said in (("nan", '"NaN"'), ("inf", '"Infinity"'), ("-inf", '"-Infinity"')):
        texts = pc.if_else(pc.equal(texts, written), said, texts)
    return texts


_DOCUMENT = msgspec.json.Decoder(msgspec.Raw)
_WHITE = " \t\r\n"
_IN_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")


def _document(text: str) -> bytes | None:
    """A document in one line; one that is no JSON is a string."""
    try:
        token = bytes(read_json(_DOCUMENT, text.strip(_WHITE).encode()))
    except UNREADABLE:
        return msgspec.json.encode(text)
    # Only between the values of a document stands a line feed, never within one.
    return None if token == b"null" else token.translate(_IN_ONE_LINE)


def _objects(values: pa.Array) -> pa.Array:
    parts: list[pa.Array | pa.Scalar] = []
    for member, of_member in zip(values.type, values.flatten(), strict=True):
        parts += [pa.scalar(f"{',' if parts else '{'}{msgspec.json.encode(member.name).decode()}:"), _said(of_member)]
    objects = _joined(*parts, pa.scalar("}")) if parts else pa.repeat("{}", len(values))
    return pc.if_else(values.is_valid(), objects, None)


def _lists(values: pa.Array) -> pa.Array:
    return _gathered(_said, values, "[", "]")


def _maps(values: pa.Array) -> pa.Array:
    entries = pa.struct([("key", values.type.key_type), ("value", values.type.item_type)])
    return _gathered(_members, values.cast(pa.list_(entries)), "{", "}")


def _members(entries: pa.Array) -> pa.Array:
    keys, items = (json_of(values) for values in entries.flatten())
    # In JSON a name is a string.
    names = pc.if_else(pc.starts_with(keys, '"'), keys, _quoted(keys))
    return _joined(names, pa.scalar(":"), items.fill_null("null"))


def _said(values: pa.Array) -> pa.Array:
    """The JSON text of each value, also of a null."""
    return json_of(values).fill_null("null")


def _gathered(said: Said, lists: pa.Array, opening: str, closing: str) -> pa.Array:
    """What is said of the items of each list, between brackets."""
    lengths = pc.list_value_length(lists)
    ends = pc.cumulative_sum(pa.concat_arrays([pa.array([0], lengths.type), lengths.fill_null(0)])).cast(pa.int32())
    joined = pc.binary_join(pa.ListArray.from_arrays(ends, said(lists.flatten())), ",")
    return pc.if_else(lists.is_valid(), _joined(pa.scalar(opening), joined, pa.scalar(closing)), None)


_OTHERWISE: dict[Callable[[pa.DataType], bool], Said] = {
    pa.types.is_null: _bare,
    pa.types.is_boolean: _bare,
    pa.types.is_integer: _bare,
    pa.types.is_floating: _floats,
    pa.types.is_decimal: _bare,
    pa.types.is_struct: _objects,
    pa.types.is_map: _maps,
    is_list: _lists,
}
