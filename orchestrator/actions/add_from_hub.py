"""Adds a tap by its name in the hub, which knows where it comes from and what it understands."""

from collections.abc import Sequence
from typing import Any

from orchestrator.actions.add_tap import TapAdded, add_tap
from orchestrator.config import read_config
from orchestrator.envs.package import Package, default_id
from orchestrator.errors import UsageError
from orchestrator.events import Listener, Step, nobody
from orchestrator.hub import Entry, keep_entry
from orchestrator.hub.asking import Index
from orchestrator.paths import Paths


def add_from_hub(
    paths: Paths,
    name: str,
    *,
    variant: str | None = None,
    id: str | None = None,
    extras: Sequence[str] = (),
    listen: Listener = nobody,
    **options: Any,
) -> TapAdded:
    """Adds a variant of a tap, or the one that the hub recommends. `options` are those of `add_tap`.

    The name has to be the hub's own: raises UnknownName with the one that may have been meant. Raises HubUnavailable,
    UsageError for a variant without a Python package, and what `add_tap` raises.
    """
    entry = Index(read_config(paths.config).hub.url, listen=listen).entry(name, variant)
    if entry.package is None:
        raise _no_package(entry)
    listen(Step(f"The hub has {entry.name} by {entry.variant}: {entry.package}"))
    id = id or default_id(Package.parse(name), paths.root)
    added = add_tap(paths, entry.package, id=id, extras=(*entry.extras, *extras), listen=listen, **options)
    keep_entry(paths, added.id, entry)
    return added


def _no_package(entry: Entry) -> UsageError:
    return UsageError(
        f"the hub knows no Python package of {entry.name} by {entry.variant}",
        cause=f"it is at {entry.repository}" if entry.repository else None,
        data="nothing was changed",
        hint=f"orchestrator taps search {entry.name}",
    )
