"""What a run ran with: the lock of its environment, its settings, what its streams looked like.

These change seldom, so each is a document that is kept once for all runs that share it, named by what it says.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from orchestrator import durable
from orchestrator.load.outline import Outline, Outlines
from orchestrator.paths import Paths
from orchestrator.state.disk import writing

_LETTERS = 16


@dataclass(frozen=True, slots=True)
class Circumstances:
    """The names of the documents; None for what is not known. `outlines` are those that were seen up to then, also of
    streams that said nothing in this run."""

    lock: str | None = None
    settings: str | None = None
    outlines: str | None = None


UNKNOWN = Circumstances()


class Documents:
    """The documents of one flow. Whoever keeps or forgets one holds the flow's OS lock; anybody may read."""

    def __init__(self, paths: Paths, flow: str) -> None:
        self._paths = paths
        self._flow = flow

    def keep(self, content: bytes) -> str:
        """Gives the name under which it is kept. Raises DestinationFull, RunFailed."""
        name = hashlib.sha256(content).hexdigest()[:_LETTERS]
        path = self._paths.document(self._flow, name)
        if not path.exists():
            with writing("what the run ran with,", path):
                durable.write(path, content)
        return name

    def keep_settings(self, settings: Mapping[str, Any]) -> str:
        """The same for settings, which hold no secrets."""
        return self.keep(msgspec.json.encode(settings, order="sorted"))

    def keep_outlines(self, outlines: Outlines) -> str:
        return self.keep(msgspec.json.encode(outlines, order="sorted"))

    def read(self, name: str | None) -> bytes | None:
        """None for one that is not kept any more, or never was."""
        try:
            return self._paths.document(self._flow, name).read_bytes() if name else None
        except FileNotFoundError:
            return None

    def settings(self, name: str | None) -> dict[str, Any]:
        """Nothing where they are not known."""
        return _decoded(self.read(name), dict[str, Any]) or {}

    def outlines(self, name: str | None) -> dict[str, Outline]:
        return _decoded(self.read(name), dict[str, Outline]) or {}

    def forget_others(self, used: Iterable[Circumstances]) -> None:
        """Removes what no run ran with that is still remembered."""
        names = {name for each in used for name in (each.lock, each.settings, each.outlines)}
        for path in self._paths.documents(self._flow).glob("*"):
            if path.name not in names:
                durable.remove(path)


def _decoded(content: bytes | None, kind: Any) -> Any:
    # They are for people to compare; one that is damaged is as good as none.
    try:
        return None if content is None else msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError:
        return None
