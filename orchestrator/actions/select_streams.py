"""Chooses what is taken of a tap: checks the patterns against its catalog and writes them to orchestrator.toml."""

from collections.abc import Sequence

from orchestrator.catalogs import Catalog, Choice, choose, kept_catalog, named
from orchestrator.config import read_config
from orchestrator.errors import UsageError
from orchestrator.paths import Paths


def select(paths: Paths, tap_id: str, patterns: Sequence[str]) -> tuple[Choice, ...]:
    """Makes `patterns` the selection of the tap and returns what it comes to. None at all: the tap's own defaults.

    Raises UnknownName for a pattern that finds nothing, and UsageError when nothing is left or no catalog is kept;
    orchestrator.toml is unchanged then.
    """
    # Only who edits pays for the import.
    from orchestrator.config.editing import set_tap

    tap = read_config(paths.config).tap(tap_id)
    choices = choose(_catalog(paths, tap_id), patterns, tap.streams)
    set_tap(paths.config, tap_id, {"select": list(patterns)})
    return choices


def selection(paths: Paths, tap_id: str, streams: Sequence[str] = ()) -> tuple[Choice, ...]:
    """What the selection in orchestrator.toml comes to: of the streams that patterns name, or of all.

    Raises as `select` does.
    """
    tap = read_config(paths.config).tap(tap_id)
    catalog = _catalog(paths, tap_id)
    choices = choose(catalog, tap.select, tap.streams)
    return choices if not streams else tuple(choices[place] for place in named(catalog, streams))


def _catalog(paths: Paths, tap_id: str) -> Catalog:
    catalog = kept_catalog(paths, tap_id)
    if catalog is None:
        raise UsageError(f'there is no catalog of tap "{tap_id}" yet', hint=f"orchestrator discover {tap_id}")
    return catalog
