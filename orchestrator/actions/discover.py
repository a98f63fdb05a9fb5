"""Asks a tap what it offers, keeps the answer, and tells what changed since last time."""

from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.catalogs import Catalog, Change, NotACatalog, Stream, drift, keep, kept_catalog, read_catalog
from orchestrator.config import Tap
from orchestrator.errors import DamagedFile, SilentTap
from orchestrator.paths import Paths


@dataclass(frozen=True, slots=True)
class Discovered:
    """What a tap offers now. `is_first` tells that there was no catalog to compare with, so `changes` is empty."""

    tap: str
    streams: tuple[Stream, ...]
    changes: tuple[Change, ...]
    is_first: bool


def discover(paths: Paths, tap: Tap, ask: Callable[[], bytes]) -> Discovered:
    """Keeps the catalog that `ask` gives, which runs the tap in discovery mode and returns what it printed.

    Raises SilentTap when that is no catalog; the one before stays then.
    """
    catalog = _offered(tap, ask())
    before = _before(paths, tap)
    keep(paths, tap.id, catalog)
    return Discovered(tap.id, catalog.streams, drift(before, catalog), is_first=before is None)


def _offered(tap: Tap, printed: bytes) -> Catalog:
    try:
        return read_catalog(printed)
    except NotACatalog as error:
        raise SilentTap(
            f'tap "{tap.id}" did not print a catalog in discovery',
            cause=str(error),
            data="the catalog kept before, if any, is unchanged",
            hint=f"orchestrator config {tap.id}",
        ) from error


def _before(paths: Paths, tap: Tap) -> Catalog | None:
    try:
        return kept_catalog(paths, tap.id)
    except DamagedFile:
        # The new one takes its place; that is what the error's own hint asks for.
        return None
