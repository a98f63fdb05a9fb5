"""Names of tables, columns and fields. Any name a tap gives becomes one that SQL and file systems take, and no two
meet."""

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from hashlib import sha256

BELOW = "__"
"""Stands between the names of an object and of a member that has a column of its own, as in the Meltano Singer SDK
(`flattening_max_depth`) and in PipelineWise (`data_flattening_max_level`)."""

_LONGEST = 120
# Most file systems end a name at 255 bytes, and what is made for a table adds some.
_LONGEST_BYTES = 200


def name_for(said: str, taken: Iterable[str]) -> str:
    """The name under which `said` lands: letters, digits and `_` stay, anything else becomes `_`.

    A name that differs from one in `taken` only by case, or that was cut, gets a suffix made from what the tap
    said. It depends on nothing else, so it is the same on every machine.
    """
    name = re.sub(r"\W", "_", unicodedata.normalize("NFC", BELOW.join(path_of(said)))) or "_"
    used = {other.casefold() for other in taken}
    if _fits(name) and name.casefold() not in used:
        return name
    digest = sha256(said.encode("utf-8", "surrogatepass")).hexdigest()
    short = name[:_LONGEST]
    while not _fits(short + "_" * 9):
        short = short[:-1]
    for length in range(8, len(digest) + 1):
        candidate = f"{short}_{digest[:length]}"
        if candidate.casefold() not in used:
            return candidate
    raise AssertionError(f"every suffix of {said!r} is taken")


def field_name_for(said: str, taken: Iterable[str]) -> str:
    """The name of the field in which a member called `said` lands: the same one, unless SQL has no way to write it
    (no letter at all, or NUL) or another differs from it only by case."""
    taken = list(taken)
    if said and "\0" not in said and said.casefold() not in {other.casefold() for other in taken}:
        return said
    return name_for(said, taken)


def path_of(said: str) -> tuple[str, ...]:
    """The names that lead to what has a column: that of a property, and those of the members below it."""
    if said.startswith('["'):
        try:
            path = json.loads(said)
        except ValueError:
            return (said,)
        if said == said_of(path) and all(isinstance(name, str) for name in path):
            return tuple(path)
    return (said,)


def said_of(path: Sequence[str]) -> str:
    """What stands for the tap's name of a column: the name of its property, or all that lead to it as JSON."""
    return path[0] if len(path) == 1 else json.dumps(path, ensure_ascii=False)


def _fits(name: str) -> bool:
    return len(name) <= _LONGEST and len(name.encode()) <= _LONGEST_BYTES
