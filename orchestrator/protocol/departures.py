"""Where the config of a tap departs from what the tap understands. No sentence shows a value: it may be secret."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.protocol.settings import Account, Kind, Misfit, Place, Setting, at

Config = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Departure:
    """One thing that the tap cannot be told, or has to be told and is not."""

    place: Place
    text: str


def missing(account: Account, config: Config) -> list[Setting]:
    """The settings that the account requires and that the config lacks."""
    if not account.knows_required:
        return []
    return [setting for setting in account.settings if setting.required and at(config, setting.place) is None]


def departures(account: Account, config: Config) -> list[Departure]:
    """Everything in which the config departs from the account."""
    lacking = missing(account, config)
    return [
        *(Departure(setting.place, f"{setting.name} is missing{_wanted(setting)}") for setting in lacking),
        *misfits(account, config),
    ]


def misfits(account: Account, config: Config) -> list[Departure]:
    """What the config says and the tap does not understand."""
    if account.schemas is not None:
        return [*_against_schemas(account.schemas, config)]
    return [*_against_kinds(account, config)]


def _wanted(setting: Setting) -> str:
    if setting.choices:
        return f"; it must be one of {', '.join(map(str, setting.choices))}"
    return "" if setting.kind is Kind.ANY else f"; it must be {setting.kind.words}"


# ── against what is told of kinds ────────────────────────────────────────────────────────────────

_FITTING: Mapping[Kind, tuple[type, ...]] = {
    Kind.TEXT: (str,),
    Kind.INTEGER: (int,),
    Kind.NUMBER: (int, float),
    Kind.BOOLEAN: (bool,),
    Kind.DATE: (str,),
    Kind.LIST: (list,),
    Kind.TABLE: (Mapping,),
}


def _against_kinds(account: Account, config: Config) -> Iterator[Departure]:
    for setting in account.settings:
        value = at(config, setting.place)
        if value is None or setting.kind is Kind.ANY:
            continue
        if not _fits(value, setting):
            text = f"{setting.name} is {_kind_of(value)}; it must be {setting.kind.words}"
            yield Departure(setting.place, text)
        elif setting.choices and value not in setting.choices:
            yield Departure(setting.place, f"{setting.name} must be one of {', '.join(map(str, setting.choices))}")


def _fits(value: Any, setting: Setting) -> bool:
    """Old taps make a number of a text themselves."""
    if isinstance(value, str) and setting.kind is not Kind.TEXT:
        try:
            setting.parse(value)
        except Misfit:
            return False
        return True
    return isinstance(value, _FITTING[setting.kind]) and (setting.kind is Kind.BOOLEAN or not isinstance(value, bool))


# ── against the schema of --about ────────────────────────────────────────────────────────────────


def _against_schemas(schemas: Mapping[str, Config], config: Config) -> Iterator[Departure]:
    """Each setting by itself: a schema that is broken in one place is no reason to trust nothing of it."""
    # Only taps that have a schema pay for the import.
    from jsonschema import Draft7Validator, SchemaError
    from referencing.exceptions import Unresolvable

    for key, schema in schemas.items():
        if key not in config:
            continue
        try:
            Draft7Validator.check_schema(schema)
            errors = [*Draft7Validator(schema).iter_errors(config[key])]
        except (SchemaError, Unresolvable, re.error):
            continue
        for error in errors:
            place = (key, *map(str, error.absolute_path))
            yield Departure(place, _in_words(".".join(place), error.validator, error.validator_value, error.instance))


def _in_words(name: str, rule: object, wanted: Any, value: Any) -> str:
    match rule:
        case "type":
            types = [wanted] if isinstance(wanted, str) else [each for each in wanted if each != "null"]
            return f"{name} is {_kind_of(value)}; it must be {' or '.join(_TYPES.get(each, each) for each in types)}"
        case "enum":
            return f"{name} must be one of {', '.join(str(each) for each in wanted if each is not None)}"
        case "const":
            return f"{name} must be {wanted}"
        case "required":
            return f"{name} lacks {', '.join(each for each in wanted if each not in value)}"
        case "pattern":
            return f"{name} does not match {wanted}"
        case "additionalProperties":
            return f"{name} says something that the tap does not know"
        case "oneOf" | "anyOf":
            return f"{name} has none of the forms that the tap understands"
    return f"{name} does not keep to {rule} {wanted}"


_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a table",
}


def _kind_of(value: Any) -> str:
    match value:
        case None:
            return "empty"
        case bool():
            return "true or false"
        case int():
            return "a whole number"
        case float():
            return "a number"
        case str():
            return "text"
        case Mapping():
            return "a table"
    return "a list"


def unread(accounts: tuple[Account, ...], config: Config) -> list[str]:
    """The keys of which no account tells."""
    told = {setting.place[0] for account in accounts for setting in account.settings}
    return sorted(key for key in config if key not in told)
