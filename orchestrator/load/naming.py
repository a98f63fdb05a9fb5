"""Names of tables and columns. Any name a tap gives becomes one that SQL and file systems take, and no two meet."""

import re
import unicodedata
from collections.abc import Iterable
from hashlib import sha256

_LONGEST = 120
# Most file systems end a name at 255 bytes, and what is made for a table adds some.
_LONGEST_BYTES = 200


def name_for(said: str, taken: Iterable[str]) -> str:
    """The name under which `said` lands: letters, digits and `_` stay, anything else becomes `_`.

    A name that differs from one in `taken` only by case, or that was cut, gets a suffix made from what the tap
    said. It depends on nothing else, so it is the same on every machine.
    """
    name = re.sub(r"\W", "_", unicodedata.normalize("NFC", said)) or "_"
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


def _fits(name: str) -> bool:
    return len(name) <= _LONGEST and len(name.encode()) <= _LONGEST_BYTES
