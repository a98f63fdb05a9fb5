"""secrets/<tap>.json: the config of a tap that rewrites it, as one does whose token is another one after each use.

A token that is replaced is worth nothing any more, so the new one must not be lost, nor stand in orchestrator.toml.
"""

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator import durable
from orchestrator.paths import Paths

Told = Mapping[str, Any]


class OwnConfig:
    """What one tap is told now, and what it makes of it.

    `given` is what orchestrator.toml leads to. Over it goes what the tap wrote itself; but where a person has said
    something else since, that counts. `kept` tells whether the tap ever wrote something.
    """

    def __init__(self, paths: Paths, tap: str, given: Told) -> None:
        self._paths = paths
        self._file, self._memory = paths.own_config(tap), paths.handed_config(tap)
        self._given = given
        # The config that was handed over last, should a tap have been killed while it wrote, and what led to it.
        handed = _object_in(self._memory)
        self.kept = handed is not None
        before = handed or {"given": {}, "told": {}}
        left = _object_in(self._file)
        self.told = with_its_own(given, before["given"], before["told"] if left is None else left)

    def hand_over(self) -> Path:
        """The file with the config, which stays when the tap has ended."""
        # Another run of the tap may be at work with it.
        if _object_in(self._file) != self.told:
            self._write(self._file, self.told)
        # After the file: until it is whole, what the tap wrote before is measured by what led to it.
        self._remember(self.told)
        return self._file

    def keep(self, left: Path) -> bool:
        """Keeps what the tap left of a config in memory, if it wrote something; tells whether it did."""
        written = _object_in(left)
        if written is None or written == self.told:
            return False
        self._remember(written)
        return True

    def settle(self) -> None:
        """Brings to the disk what the tap wrote into its file."""
        with contextlib.suppress(FileNotFoundError), self._file.open("rb") as file:
            os.fsync(file.fileno())
        durable.sync_folder(self._file.parent)

    def _remember(self, told: Told) -> None:
        self._write(self._memory, {"given": self._given, "told": told})

    def _write(self, path: Path, content: Told) -> None:
        ignore = durable.make_folder(self._paths.secrets) / ".gitignore"
        if not ignore.exists():
            durable.write(ignore, "*\n")
        durable.write(path, json.dumps(content, indent=2) + "\n")


def with_its_own(now: Told, then: Told, left: Told) -> dict[str, Any]:
    """What to tell a tap to which `now` is given, was given `then`, and which `left` its config like this."""
    told: dict[str, Any] = {}
    for key in {**now, **left}:
        if key not in now:
            # Its own addition, unless a person took it out.
            if key not in then:
                told[key] = left[key]
        elif all(isinstance(each.get(key), dict) for each in (now, then, left)):
            told[key] = with_its_own(now[key], then[key], left[key])
        elif key in then and now[key] == then[key]:
            told[key] = left.get(key, now[key])
        else:
            told[key] = now[key]
    return told


def forget_own_config(paths: Paths, tap: str) -> None:
    """Removes what is kept of a tap's config."""
    for path in (paths.own_config(tap), paths.handed_config(tap)):
        path.unlink(missing_ok=True)


def _object_in(path: Path) -> dict[str, Any] | None:
    """The JSON object in a file; None where there is none, or half of one."""
    try:
        value = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return value if isinstance(value, dict) else None
