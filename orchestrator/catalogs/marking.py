"""The catalog that a tap is started with: what it gave us, with our choices in both dialects."""

import json
from collections.abc import Iterable

from orchestrator.catalogs.dialects import Breadcrumb, Json, listed, metadata_of, nodes_of
from orchestrator.catalogs.reading import Catalog
from orchestrator.catalogs.selection import Choice

Said = dict[Breadcrumb, Json]


def marked(catalog: Catalog, choices: Iterable[Choice]) -> bytes:
    """The catalog with a choice written into each stream; all that we do not understand stays as it was.

    `choices` are those that `choose` made of the same catalog.
    """
    document = json.loads(catalog.content)
    for entry, choice in zip(document["streams"], choices, strict=True):
        said = _metadata(entry, choice)
        _mark_selection(entry, said, choice)
        _mark_replication(entry, said[()], choice)
        _mark_key(entry, said[()], choice)
    return json.dumps(document).encode()


def _metadata(entry: Json, choice: Choice) -> Said:
    """The stream's metadata by breadcrumb, with an entry added wherever one of ours has to stand."""
    entry["metadata"] = entry.get("metadata") or []
    said = dict(metadata_of(entry))
    for breadcrumb in ((), *_need_a_word(choice)):
        if breadcrumb not in said:
            said[breadcrumb] = {}
            entry["metadata"].append({"breadcrumb": list(breadcrumb), "metadata": said[breadcrumb]})
    return said


def _need_a_word(choice: Choice) -> Iterable[Breadcrumb]:
    """The columns, and what lies deeper and does not follow its parent.

    A deeper property that follows gets no entry: there are taps that take each entry for a column.
    """
    for property in choice.stream.properties:
        is_column = len(property.names) == 1
        if is_column or (property.names in choice.properties) != (property.names[:-1] in choice.properties):
            yield property.breadcrumb


def _mark_selection(entry: Json, said: Said, choice: Choice) -> None:
    nodes = dict(nodes_of(entry.get("schema")))
    for place in (entry, said[()], entry.get("schema")):
        if isinstance(place, dict):
            place["selected"] = choice.selected
    for property in choice.stream.properties:
        for place in (said.get(property.breadcrumb), nodes.get(property.breadcrumb)):
            if isinstance(place, dict):
                place["selected"] = property.names in choice.properties


def _mark_replication(entry: Json, root: Json, choice: Choice) -> None:
    replication = choice.replication
    if replication.method:
        root["replication-method"] = entry["replication_method"] = replication.method.upper()
    if replication.key:
        for place, word in ((root, "replication-key"), (entry, "replication_key")):
            # A tap that writes a list of keys reads one, too.
            if listed(place.get(word))[:1] != (replication.key,):
                place[word] = replication.key


def _mark_key(entry: Json, root: Json, choice: Choice) -> None:
    if choice.key != choice.stream.key:
        root["table-key-properties"] = root["view-key-properties"] = entry["key_properties"] = list(choice.key)
