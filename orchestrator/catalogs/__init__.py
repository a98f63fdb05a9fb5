"""What a tap offers and which part of it is taken: the kept catalog, the selection in it, the drift between two.

    dialects.py    where a catalog says things: in metadata by breadcrumb, or on the stream and its schema
    reading.py     what a tap printed -> Catalog, a value
    patterns.py    `issues`, `issues.author.*`, `!issues.description`: what they match
    selection.py   Catalog and patterns -> one Choice per stream
    wording.py     choices -> the patterns that say them
    marking.py     choices -> the catalog that the tap is started with
    drift.py       what changed from one catalog to the next
    kept.py        catalogs/<tap>.json

A run reads top to bottom: `kept_catalog`, `choose`, `marked`.
"""

from orchestrator.catalogs.drift import Change, Kind, drift, type_in_words
from orchestrator.catalogs.kept import keep, kept_catalog
from orchestrator.catalogs.marking import marked
from orchestrator.catalogs.patterns import matches, named
from orchestrator.catalogs.reading import (
    Catalog,
    Inclusion,
    Method,
    NotACatalog,
    Offer,
    Property,
    Replication,
    Stream,
    read_catalog,
)
from orchestrator.catalogs.selection import Choice, choose, settings_of
from orchestrator.catalogs.wording import patterns_of

__all__ = [
    "Catalog",
    "Change",
    "Choice",
    "Inclusion",
    "Kind",
    "Method",
    "NotACatalog",
    "Offer",
    "Property",
    "Replication",
    "Stream",
    "choose",
    "drift",
    "keep",
    "kept_catalog",
    "marked",
    "matches",
    "named",
    "patterns_of",
    "read_catalog",
    "settings_of",
    "type_in_words",
]
