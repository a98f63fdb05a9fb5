"""Values that are still JSON text, read one by one."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

T = TypeVar("T")


class Misfit(Exception):
    """A value contradicts the type of its column; `index` is its place among the values, `text` its JSON."""

    def __init__(self, index: int, token: bytes) -> None:
        super().__init__(index)
        self.index = index
        self.text = token.decode()


def each(read: Callable[[bytes], T], tokens: Sequence[bytes | None]) -> list[T | None]:
    """What `read` makes of each token; where it makes nothing of it, a Misfit."""
    values: list[T | None] = []
    for index, token in enumerate(tokens):
        value = None if token is None else read(token)
        if value is None and token is not None:
            raise Misfit(index, token)
        values.append(value)
    return values


def text(token: bytes) -> str:
    """A string as it is, anything else as its JSON text."""
    said = string(token)
    return token.decode() if said is None else said


def string(token: bytes) -> str | None:
    return msgspec.json.decode(token, type=str) if token[:1] == b'"' else None


def boolean(token: bytes) -> bool | None:
    return {b"true": True, b"false": False}.get(token)
