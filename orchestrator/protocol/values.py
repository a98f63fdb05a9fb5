"""The values of one column, settled: which type holds them all without losing any, and the Arrow array of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec
import pyarrow as pa

from orchestrator.protocol.arrays import arrow_type, json_texts
from orchestrator.protocol.dates import settle_dates
from orchestrator.protocol.numbers import as_one, settle_integers, settle_numbers
from orchestrator.protocol.schemas import BOOLEAN, JSON, NOTHING, TEXT, Kind, Type
from orchestrator.protocol.tokens import boolean, each, string, text


def settle(type: Type, values: Sequence[Any]) -> tuple[pa.Array, Type]:
    """The array of values that were read as `type` (dates and times as text), and its type: wider where they do not
    fit."""
    match type.kind:
        case Kind.INTEGER:
            try:
                return pa.array(values, pa.int64()), type
            except OverflowError:
                return settle_integers([None if value is None else Decimal(value) for value in values])
        case Kind.DATE | Kind.TIME | Kind.TIMESTAMP:
            return settle_dates(type, pa.array(values, pa.string()))
        case _:
            return pa.array(values, arrow_type(type)), type


def settle_tokens(type: Type, values: Sequence[msgspec.Raw | bytes]) -> tuple[pa.Array, Type]:
    """The same for values that are still JSON text, exact to the digit.

    A value that is neither of the type nor of a wider one that keeps it raises Misfit. What is nested stays JSON.
    """
    if type == JSON or type.is_nested:
        return json_texts(values), JSON
    tokens = [None if (token := bytes(value)) == b"null" else token for value in values]
    match type.kind:
        case Kind.NOTHING:
            return _whatever(tokens)
        case Kind.TEXT:
            return pa.array([None if token is None else text(token) for token in tokens], pa.string()), TEXT
        case Kind.BOOLEAN:
            return pa.array(each(boolean, tokens), pa.bool_()), BOOLEAN
        case Kind.DATE | Kind.TIME | Kind.TIMESTAMP:
            return settle_dates(type, pa.array(each(string, tokens), pa.string()))
        case _:
            return settle_numbers(type, tokens)


def _whatever(tokens: Sequence[bytes | None]) -> tuple[pa.Array, Type]:
    texts = [None if token is None else string(token) for token in tokens]
    if texts.count(None) > tokens.count(None):
        return pa.array(tokens, pa.string()), JSON
    return pa.array(texts, pa.string()), NOTHING if texts.count(None) == len(texts) else TEXT


@dataclass(frozen=True, slots=True)
class Reader:
    """As what msgspec reads the values of a column, what stands for one that is missing, and how they settle."""

    type: Any
    default: Any
    settle: Callable[[Type, Sequence[Any]], tuple[pa.Array, Type]]


NULL = msgspec.Raw(b"null")
_TEXTS = Reader(str | None, None, settle)
_TOKENS = Reader(msgspec.Raw, NULL, settle_tokens)
_READERS = {
    Kind.BOOLEAN: Reader(bool | None, None, settle),
    Kind.INTEGER: Reader(int | None, None, settle),
    Kind.NUMBER: Reader(float | None, None, settle),
    **dict.fromkeys((Kind.DATE, Kind.TIME, Kind.TIMESTAMP, Kind.TEXT), _TEXTS),
}


def reader_of(kind: Kind, *, exact: bool) -> Reader:
    """The reader of a kind of column; one that is `exact` keeps numbers that a double would round."""
    return _TOKENS if exact and kind is Kind.NUMBER else _READERS.get(kind, _TOKENS)


_COMPARED = msgspec.json.Decoder(float_hook=as_one)
_COMPARABLE = msgspec.json.Encoder(decimal_format="number", order="sorted")


def comparable(texts: pa.Array) -> pa.Array:
    """JSON texts, each as the one text that all texts of the same value share."""
    return pa.array([None if text is None else _comparable(text) for text in texts.to_pylist()], pa.string())


def _comparable(text: str) -> bytes | str:
    try:
        return _COMPARABLE.encode(_COMPARED.decode(text))
    except msgspec.ValidationError:
        # An integer of thousands of digits: nobody writes it in two ways.
        return text
