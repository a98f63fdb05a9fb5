"""Values that are still JSON text, read one by one."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import msgspec

T = TypeVar("T")


class Misfit(Exception):
    """Values contradict the type of their column: their JSON texts, by their places among the values."""

    def __init__(self, texts: Mapping[int, str]) -> None:
        super().__init__(texts)
        self.texts = texts


def each(read: Callable[[bytes], T], tokens: Sequence[bytes | None]) -> list[T | None]:
    """What `read` makes of each token; where it makes nothing of some, a Misfit."""
    values = [None if token is None else read(token) for token in tokens]
    if values.count(None) > tokens.count(None):
        both = enumerate(zip(tokens, values, strict=True))
        raise Misfit({index: token.decode() for index, (token, value) in both if token and value is None})
    return values


def text(token: bytes) -> str:
    """A string as it is, anything else as its JSON text."""
    said = string(token)
    return token.decode() if said is None else said


def string(token: bytes) -> str | None:
    return msgspec.json.decode(token, type=str) if token[:1] == b'"' else None


def boolean(token: bytes) -> bool | None:
    return {b"true": True, b"false": False}.get(token)
