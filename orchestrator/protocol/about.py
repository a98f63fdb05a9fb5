"""The JSON schema of a config, in which `--about` tells what a tap understands -> its settings."""

from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.protocol.settings import Account, Kind, Place, Setting, Source, at

_SHARED = ("$defs", "definitions")
"""Where a schema keeps what its properties refer to, as that of a pydantic model does."""

_KINDS = {
    "string": Kind.TEXT,
    "integer": Kind.INTEGER,
    "number": Kind.NUMBER,
    "boolean": Kind.BOOLEAN,
    "array": Kind.LIST,
    "object": Kind.TABLE,
}


def account_of_schema(schema: Mapping[str, Any]) -> Account:
    """That of `--about`, whose `settings` are a JSON schema: a secret has `secret` or `writeOnly`."""
    shared = {key: schema[key] for key in _SHARED if key in schema}
    properties = {key: {**shared, **property} for key, property in _properties(schema).items()}
    return Account(Source.ABOUT, tuple(_settings(schema, schema)), schemas=properties)


def _settings(
    schema: Mapping[str, Any],
    root: Mapping[str, Any],
    above: Place = (),
    *,
    needed: bool = True,
    followed: frozenset[Any] = frozenset(),
) -> Iterator[Setting]:
    """The settings in a JSON schema; those of a table one by one, where it tells them."""
    required = _list_in(schema, "required")
    for key, said in _properties(schema).items():
        property = _followed(said, root)
        place, default = (*above, key), property.get("default")
        is_required = needed and key in required and default is None
        # What contains itself would never end.
        if _properties(property) and said.get("$ref") not in followed:
            yield from _settings(
                property, root, place, needed=is_required, followed=followed | {said.get("$ref", place)}
            )
            continue
        items = property.get("items")
        yield Setting(
            place,
            kind=_kind(property),
            items=_kind(items) if isinstance(items, Mapping) else Kind.ANY,
            required=is_required,
            secret=bool(property.get("secret") or property.get("writeOnly")),
            choices=_choices(property),
            default=default,
            description=property.get("description"),
        )


def _properties(schema: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    found = schema.get("properties")
    found = found if isinstance(found, Mapping) else {}
    return {key: property for key, property in found.items() if isinstance(property, Mapping)}


def _list_in(schema: Mapping[str, Any], key: str) -> list[Any]:
    found = schema.get(key)
    return found if isinstance(found, list) else []


def _followed(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema with what it refers to in the same document."""
    reference = schema.get("$ref")
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return schema
    found = at(root, reference.removeprefix("#/").split("/"))
    return {**found, **schema} if isinstance(found, Mapping) else schema


def _kind(schema: Mapping[str, Any]) -> Kind:
    kinds = {_KINDS.get(type, Kind.ANY) for type in _types(schema)}
    if kinds == {Kind.TEXT} and schema.get("format") in ("date", "date-time"):
        return Kind.DATE
    if kinds == {Kind.INTEGER, Kind.NUMBER}:
        return Kind.NUMBER
    return kinds.pop() if len(kinds) == 1 else Kind.ANY


def _types(schema: Mapping[str, Any]) -> set[str]:
    said = schema.get("type")
    types = {each for each in ([said] if isinstance(said, str) else _list_in(schema, "type")) if isinstance(each, str)}
    for form in _forms(schema):
        types |= _types(form)
    return types - {"null"}


def _forms(schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    said = [*_list_in(schema, "oneOf"), *_list_in(schema, "anyOf")]
    return [form for form in said if isinstance(form, Mapping)]


def _choices(schema: Mapping[str, Any]) -> tuple[Any, ...]:
    forms = _forms(schema)
    constants = [form["const"] for form in forms] if all("const" in form for form in forms) else []
    return tuple(choice for choice in _list_in(schema, "enum") or constants if choice is not None)
