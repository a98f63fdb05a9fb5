"""Finds taps in the hub by a word; of the one that is named, every variant."""

from dataclasses import dataclass

from orchestrator.config import Hub, closest
from orchestrator.errors import UnknownName
from orchestrator.events import Listener, nobody
from orchestrator.hub import Entry, Listed
from orchestrator.hub.asking import Index


@dataclass(frozen=True, slots=True)
class Found:
    """The taps whose names have the word in them. `entries` are the variants of the only one, or of the one that is
    called exactly so; the recommended one first."""

    taps: tuple[Listed, ...]
    entries: tuple[Entry, ...]


def search_hub(hub: Hub, word: str, listen: Listener = nobody) -> Found:
    """Raises UnknownName, with a name that is near, when no name has the word in it; HubUnavailable."""
    index = Index(hub.url, listen=listen)
    known = index.taps()
    taps = tuple(tap for tap in known if word.lower() in tap.name.lower())
    if not taps:
        near = closest(word.lower(), (tap.name.removeprefix("tap-") for tap in known))
        raise UnknownName(
            f'no tap in the hub has "{word}" in its name',
            cause=f"it knows {len(known)} taps",
            hint=f"orchestrator taps search {near}" if near else None,
        )
    named = [tap for tap in taps if word in (tap.name, tap.name.removeprefix("tap-"))] or list(taps)
    if len(named) > 1:
        return Found(taps, ())
    return Found(taps, tuple(index.entry(named[0].name, variant) for variant in named[0].variants))
