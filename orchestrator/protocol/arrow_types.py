"""The types of Arrow that a file may bring, and the few that stand for all others of their like."""

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

DOCUMENT, UUID = "arrow.json", "arrow.uuid"
"""Extension types whose values are more than what they are stored as."""
_BYTES_OF_BOOLEANS = "arrow.bool8"
_is = pa.types
_OTHER_FORMS = {
    _is.is_large_string: pa.string(),
    _is.is_string_view: pa.string(),
    _is.is_large_binary: pa.binary(),
    _is.is_fixed_size_binary: pa.binary(),
    _is.is_binary_view: pa.binary(),
    _is.is_date64: pa.date32(),
}
_READ: tuple[Callable[[pa.DataType], bool], ...] = (
    _is.is_null,
    _is.is_boolean,
    _is.is_integer,
    _is.is_floating,
    _is.is_decimal,
    _is.is_string,
    _is.is_binary,
    _is.is_date,
    _is.is_time,
    _is.is_timestamp,
    _is.is_duration,
    *_OTHER_FORMS,
)


def extension_of(type: pa.DataType) -> str | None:
    """The name of an extension type; None for any other."""
    return type.extension_name if isinstance(type, pa.BaseExtensionType) else None


def is_list(type: pa.DataType) -> bool:
    """Whether it is a list in any of its forms."""
    views = _is.is_list_view(type) or _is.is_large_list_view(type)
    return bool(views or _is.is_list(type) or _is.is_large_list(type) or _is.is_fixed_size_list(type))


def plain(values: pa.Array) -> pa.Array:
    """The same values without what is but their form in memory: dictionaries, views, large strings, extensions that
    mean no more than what they are stored as."""
    if _is.is_dictionary(values.type):
        return plain(values.dictionary_decode())
    extension = extension_of(values.type)
    if extension in (DOCUMENT, UUID):
        return values
    if extension == _BYTES_OF_BOOLEANS:
        return pc.not_equal(values.storage, 0)
    if extension:
        return plain(values.storage)
    other = next((other for is_such, other in _OTHER_FORMS.items() if is_such(values.type)), None)
    return values if other is None else values.cast(other)


def flaw_of(schema: pa.Schema) -> str | None:
    """Why rows of such a schema cannot be read as records; None where they can."""
    return _flaw_among(list(schema))


def _flaw_among(fields: list[pa.Field]) -> str | None:
    names = [field.name for field in fields]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        return f"two of its columns are called {twice!r:.80}"
    return next((flaw for field in fields if (flaw := _flaw_within(field.type))), None)


def _flaw_within(type: pa.DataType) -> str | None:
    if extension_of(type):
        return _flaw_within(type.storage_type)
    if _is.is_struct(type):
        return _flaw_among(list(type))
    if _is.is_map(type):
        return _flaw_within(type.key_type) or _flaw_within(type.item_type)
    if is_list(type) or _is.is_dictionary(type):
        return _flaw_within(type.value_type)
    return None if any(is_such(type) for is_such in _READ) else f"one of its columns holds {type}, which is not read"
