"""Asks a tap what it offers, keeps the answer, and tells what changed since last time."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from orchestrator.catalogs import Catalog, Change, NotACatalog, Stream, drift, keep, kept_catalog, read_catalog
from orchestrator.config import Tap
from orchestrator.errors import DamagedFile, SilentTap
from orchestrator.paths import Paths
from orchestrator.state import CommitLog


@dataclass(frozen=True, slots=True)
class Discovered:
    """What a tap offers now. `is_first` tells that there was no catalog to compare with, so `changes` is empty;
    `means` says what a change comes to for the tables, where it comes to something."""

    tap: str
    streams: tuple[Stream, ...]
    changes: tuple[Change, ...]
    is_first: bool
    means: Mapping[Change, str] = field(default_factory=dict)


def discover(paths: Paths, tap: Tap, ask: Callable[[], bytes], flows: Iterable[str] = ()) -> Discovered:
    """Keeps the catalog that `ask` gives, which runs the tap in discovery mode and returns what it printed. `flows`
    carry the rows of the tap.

    Raises SilentTap when that is no catalog, or an empty one; the one before stays then.
    """
    catalog = offered(tap, ask())
    if not catalog.streams:
        raise SilentTap(
            f'tap "{tap.id}" offers no stream',
            cause="what it is told to read holds none, or none that its user may see",
            data="the catalog kept before, if any, is unchanged",
            hint=f"orchestrator config {tap.id} list --origin",
        )
    before = _before(paths, tap)
    keep(paths, tap.id, catalog)
    changes = drift(before, catalog)
    if before is None or not changes:
        return Discovered(tap.id, catalog.streams, (), is_first=before is None)
    # It knows the types of databases, which takes a moment to import.
    from orchestrator.actions.consequences import consequences

    means = consequences(tap, before, catalog, changes, _landed(paths, flows))
    return Discovered(tap.id, catalog.streams, changes, is_first=False, means=means)


def _landed(paths: Paths, flows: Iterable[str]) -> frozenset[str]:
    """The streams of which rows were committed."""
    return frozenset(stream for flow in flows for commit in CommitLog(paths, flow).commits() for stream in commit.rows)


def offered(tap: Tap, printed: bytes) -> Catalog:
    """The catalog that a tap printed. Raises SilentTap when it is none."""
    try:
        return read_catalog(printed)
    except NotACatalog as error:
        raise SilentTap(
            f'tap "{tap.id}" did not print a catalog in discovery',
            cause=str(error),
            data="the catalog kept before, if any, is unchanged",
            hint=f"orchestrator config {tap.id}",
            said=error.said,
        ) from error


def _before(paths: Paths, tap: Tap) -> Catalog | None:
    try:
        return kept_catalog(paths, tap.id)
    except DamagedFile:
        # The new one takes its place; that is what the error's own hint asks for.
        return None
