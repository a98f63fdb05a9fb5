"""`validate = "full"`: records beside the whole JSON Schema of their stream, in whatever draft it is written.

It is slow, for each record is read and checked by itself; jsonschema is imported where somebody asks for it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from orchestrator.protocol.dates import settle_dates
from orchestrator.protocol.refusals import Flaw
from orchestrator.protocol.schemas import DATE, DELETED_AT, TIME, TIMESTAMP, Type

if TYPE_CHECKING:
    from jsonschema import FormatChecker, ValidationError
    from jsonschema.protocols import Validator

FORMATS = ("date", "date-time", "email", "idn-email", "ipv4", "ipv6", "regex", "time", "uuid")
"""The formats that are checked. A date or time is one where it lands as one; any other format says nothing."""
_DATES = {"date": DATE, "date-time": TIMESTAMP, "time": TIME}
_LONGEST_INTEGER = 4000
"""Python makes no integer of a text that is much longer."""
_SHOWN = 200


class InvalidSchema(ValueError):
    """No draft of JSON Schema takes the schema."""


class FullCheck:
    """What the schema of a stream asks of its records."""

    def __init__(self, schema: Mapping[str, Any], key: Sequence[str]) -> None:
        """Raises InvalidSchema."""
        from referencing import Registry

        kind = _draft_of(schema)
        # With a registry of its own it looks up no reference on the network.
        self._validator = kind(schema, registry=Registry(), format_checker=_formats())
        self._key = key

    def flaw(self, record: bytes) -> Flaw | None:
        """What is wrong with a record, a JSON text; None as well where it is no object, or where it says that its row
        is gone: such a record need not have more than its key. Raises InvalidSchema for a schema that refers to what
        there is not."""
        from jsonschema.exceptions import best_match
        from referencing.exceptions import Unresolvable

        try:
            value = read_exactly(record)
            if not isinstance(value, dict) or value.get(DELETED_AT) is not None:
                return None
            errors = list(self._validator.iter_errors(value))
        except Unresolvable as error:
            raise InvalidSchema(f"it refers to {error.ref}, which it does not have") from error
        except RecursionError:
            return Flaw("the record is nested too deeply to be checked")
        except ValueError:
            return None
        return self._told(best_match(errors), value) if errors else None

    def _told(self, error: "ValidationError", record: Mapping[str, Any]) -> Flaw:
        place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path)
        which = ", ".join(f"{name} {_shown(record[name])}" for name in self._key if name in record)
        where = f"{place.lstrip('.') or 'the record'}{f' of {which}' if which else ''}"
        return Flaw(_printable(f"{where} breaks {error.validator}"), _printable(error.message[:_SHOWN]))


def read_exactly(text: bytes) -> Any:
    """The value of a JSON text, with every digit of its numbers. Raises ValueError, RecursionError."""
    return json.loads(text, parse_float=_decimal, parse_int=_integer)


class _Exact(Decimal):
    """A decimal that shows itself in messages as a number."""

    def __repr__(self) -> str:
        return str(self)


def _decimal(literal: str) -> Decimal | float:
    try:
        return _Exact(literal)
    except InvalidOperation:
        return float(literal)


def _integer(literal: str) -> int | Decimal | float:
    return int(literal) if len(literal) < _LONGEST_INTEGER else _decimal(literal)


def _shown(value: Any) -> str:
    return f"{value!r:.40}"


def _printable(text: str) -> str:
    """Half of a surrogate pair as its escape."""
    return text.encode("utf-8", "backslashreplace").decode()


# ── drafts ───────────────────────────────────────────────────────────────────────────────────────


def _draft_of(schema: Mapping[str, Any]) -> "type[Validator]":
    """The draft that the schema names, or else the newest by which it is one. Raises InvalidSchema."""
    drafts = _drafts()
    named = schema.get("$schema")
    known = drafts.get(str(named).rstrip("#"))
    flaws = []
    for draft in [known] if known else drafts.values():
        flaw = _flaw_of(schema, draft)
        if flaw is None:
            return draft
        flaws.append(flaw)
    raise InvalidSchema(_printable(flaws[0]))


def _flaw_of(schema: Mapping[str, Any], draft: "type[Validator]") -> str | None:
    from jsonschema import FormatChecker
    from jsonschema.exceptions import best_match

    checked = draft(draft.META_SCHEMA, format_checker=FormatChecker(("regex",)))
    try:
        errors = list(checked.iter_errors(schema))
    except RecursionError:
        return "it is nested too deeply"
    if not errors:
        return None
    error = best_match(errors)
    place = "/".join(map(str, error.absolute_path))
    return f"{f'{place}: ' if place else ''}{error.message[:_SHOWN]}"


@cache
def _drafts() -> "dict[str, type[Validator]]":
    """The drafts by their names, the newest first; numbers are exact in them."""
    import jsonschema as js

    newest_first = (
        js.Draft202012Validator,
        js.Draft201909Validator,
        js.Draft7Validator,
        js.Draft6Validator,
        js.Draft4Validator,
        # Of the third draft taps have kept `"required": true`.
        js.Draft3Validator,
    )
    exact = {"multipleOf": _multiple_of, "divisibleBy": _multiple_of}
    drafts = {}
    for draft in newest_first:
        name = str(draft.META_SCHEMA.get("$id") or draft.META_SCHEMA["id"]).rstrip("#")
        types = draft.TYPE_CHECKER.redefine("integer", _is_integer)
        drafts[name] = js.validators.extend(draft, exact, type_checker=types)  # type: ignore[no-untyped-call]
    return drafts


@cache
def _formats() -> "FormatChecker":
    from jsonschema import FormatChecker

    formats = FormatChecker([name for name in FORMATS if name not in _DATES])
    for name, type in _DATES.items():
        formats.checks(name)(_lands_as(type))
    return formats


def _lands_as(type: Type) -> Any:
    def lands(value: object) -> bool:
        return not isinstance(value, str) or settle_dates(type, pa.array([value], pa.string()))[1] == type

    return lands


# ── numbers ──────────────────────────────────────────────────────────────────────────────────────


def _is_integer(checker: object, value: object) -> bool:
    match value:
        case bool():
            return False
        case Decimal():
            return value.is_finite() and value == value.to_integral_value()
    return isinstance(value, int)


def _multiple_of(validator: "Validator", step: Any, value: Any, schema: object) -> "Iterator[ValidationError]":
    from jsonschema import ValidationError

    if validator.is_type(value, "number") and not _is_multiple(value, step):
        yield ValidationError(f"{value!r} is not a multiple of {step!r}")


def _is_multiple(value: int | float | Decimal, step: int | Decimal) -> bool:
    """Whether `value` is a multiple of `step`, without a digit more than it takes: neither may fill the memory."""
    if isinstance(value, float):
        # NaN, an infinity, or so large that nobody can tell.
        return True
    (one, power), (other, other_power) = _parts(value), _parts(step)
    if power >= other_power:
        return int(one) * pow(10, power - other_power, int(other)) % int(other) == 0
    behind = other_power - power
    return one == 0 or (behind <= one.adjusted() and int(one) % (int(other) * 10**behind) == 0)


def _parts(number: int | Decimal) -> tuple[Decimal, int]:
    """Its digits, and the power of ten by which they are to be taken."""
    _, digits, power = Decimal(number).as_tuple()
    return Decimal((0, digits, 0)), int(power)
