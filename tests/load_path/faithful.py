"""Whether a value that landed is the one that was sent: exact to the digit, the code point and the microsecond."""

import json
import math
import re
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

DIGITS_OF_A_DOUBLE = 17


def read_json(text: str | bytes) -> Any:
    """JSON with every digit of its numbers, and the three constants that are none."""
    return json.loads(text, parse_int=Decimal, parse_float=Decimal, parse_constant=Decimal)


def same_json(one: Any, other: Any) -> bool:
    """Whether two values of `read_json` are the same: true is no 1, and the order of members is nobody's business."""
    if isinstance(one, Decimal) and isinstance(other, Decimal):
        return same_number(one, other)
    # In a value that stays JSON, what is no JSON number is kept as a text of its name.
    if isinstance(one, Decimal) and not one.is_finite():
        return str(one) == str(other)
    if type(one) is not type(other):
        return False
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same_json, one, other))
    if isinstance(one, dict):
        names = {readable(name) for name in one}
        return names == other.keys() and all(same_json(value, other[readable(name)]) for name, value in one.items())
    return bool(readable(one) == other if isinstance(one, str) else one == other)


def same_number(one: Decimal, other: Decimal) -> bool:
    return one == other or (one.is_nan() and other.is_nan())


def readable(text: str) -> str:
    """Half of a surrogate pair stands for no character: it lands as its escape."""
    return re.sub("[\ud800-\udfff]", lambda half: f"\\u{ord(half[0]):04x}", text)


def holds(landed: Any, type: str, sent: Any) -> bool:
    """Whether `landed`, from a column of a DuckDB type, is `sent`, a value of `read_json`. "JSON text" is JSON that may
    have been text before."""
    if sent is None or landed is None:
        return sent is landed
    if type == "JSON text":
        held = read_json(landed)
        return holds(landed, "JSON", sent) or (isinstance(held, str) and _is_the_text(held, sent))
    if type == "JSON":
        held = read_json(landed)
        # A column that was text before it became JSON wrote texts.
        return same_json(sent, held) or (isinstance(held, str) and _is_the_text(held, sent))
    if type == "BOOLEAN":
        return sent is landed
    if type == "DOUBLE":
        return isinstance(sent, Decimal) and _is_the_double(landed, sent)
    if type == "BIGINT" or type.startswith("DECIMAL"):
        return isinstance(sent, Decimal) and Decimal(landed) == sent
    if type == "VARCHAR":
        return _is_the_text(landed, sent)
    return isinstance(sent, str) and same_moment(sent, landed.isoformat())


def _is_the_double(landed: float, sent: Decimal) -> bool:
    if not math.isfinite(landed):
        return same_number(Decimal(landed), sent)
    few = len(sent.normalize().as_tuple().digits) <= DIGITS_OF_A_DOUBLE
    return float(sent) == landed if few else Decimal(repr(landed)) == sent


def _is_the_text(landed: str, sent: Any) -> bool:
    """A column that became text while it held something else wrote its values anew."""
    if isinstance(sent, str):
        return landed == readable(sent) or same_moment(sent, landed)
    if isinstance(sent, Decimal):
        try:
            return same_number(Decimal(landed), sent)
        except InvalidOperation:
            return False
    return same_json(sent, read_json(landed))


def same_moment(one: str, other: str) -> bool:
    return moment(one) is not None and moment(one) == moment(other)


def moment(text: str) -> datetime | time | None:
    """The instant or the time of day in a text; a date is its midnight, and no zone is UTC."""
    for read in (_instant, time.fromisoformat):
        try:
            return read(text)
        except (ValueError, OverflowError):
            continue
    return None


def _instant(text: str) -> datetime:
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    if not re.match(r"\d{4}-\d\d-\d\d[T ]", text):
        raise ValueError(text)
    said = datetime.fromisoformat(text)
    return said.replace(tzinfo=UTC) if said.tzinfo is None else said.astimezone(UTC)
