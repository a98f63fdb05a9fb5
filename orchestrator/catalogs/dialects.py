"""Where the two dialects of catalogs say things: in `metadata` by breadcrumb, and on the stream and its schema.

The first is that of the Singer specification (docs/DISCOVERY_MODE.md there) and of singer-sdk; taps that take
`--properties` speak the second; many taps mix them.
"""

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]
Breadcrumb = tuple[str, ...]
"""Leads from a stream to one of its properties: ("properties", "author", "properties", "name"); () is the stream."""
Names = tuple[str, ...]
"""The same place in the names that a person types: ("author", "name")."""


def names_in(breadcrumb: Breadcrumb) -> Names:
    """The names along a breadcrumb. What is in the items of an array is named as if it were in the array."""
    names: list[str] = []
    steps = iter(breadcrumb)
    for step in steps:
        if step == "properties":
            names += [name for name in [next(steps, None)] if name is not None]
    return tuple(names)


def metadata_of(entry: Json) -> Iterator[tuple[Breadcrumb, Json]]:
    """Each metadata entry of a stream that has the shape of one; what has another shape is none of our business."""
    for element in entry.get("metadata") or ():
        match element:
            case {"breadcrumb": [*steps], "metadata": dict(said)} if all(isinstance(step, str) for step in steps):
                yield tuple(steps), said


def nodes_of(schema: Any) -> Iterator[tuple[Breadcrumb, Any]]:
    """Each property in a schema, with its own schema; a parent comes before its children."""
    if not isinstance(schema, dict):
        return
    properties = schema.get("properties")
    if isinstance(properties, dict):
        for name, node in properties.items():
            yield ("properties", name), node
            for below, inner in nodes_of(node):
                yield ("properties", name, *below), inner
    for below, inner in nodes_of(schema.get("items")):
        yield ("items", *below), inner


def listed(value: Any) -> Names:
    """A list of names, however it is written: `["id"]`, `"id"`, or null for none."""
    if isinstance(value, str):
        return (value,) if value else ()
    return tuple(name for name in value if isinstance(name, str)) if isinstance(value, list) else ()
