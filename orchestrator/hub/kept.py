"""envs/<id>.hub.json: what the index said of a tap when it was added or upgraded. It is committed to git, beside the
lock."""

import msgspec

from orchestrator import durable
from orchestrator.errors import DamagedFile
from orchestrator.hub.entries import Entry, NotOfTheHub, read_entry
from orchestrator.paths import Paths

READABLE_BY_ALL = 0o644


def keep_entry(paths: Paths, tap: str, entry: Entry) -> None:
    durable.write(paths.hub_entry(tap), msgspec.json.format(entry.answer, indent=2) + b"\n", mode=READABLE_BY_ALL)


def kept_entry(paths: Paths, tap: str) -> Entry | None:
    """None for a tap that was not added from the hub. Raises DamagedFile."""
    path = paths.hub_entry(tap)
    try:
        return read_entry(path.read_bytes())
    except FileNotFoundError:
        return None
    except NotOfTheHub as error:
        raise DamagedFile(
            f"{path.relative_to(paths.root)} is not what the hub says of a tap",
            cause=str(error),
            data="the tap runs without it",
            hint=f"rm {path}",
        ) from error


def forget_entry(paths: Paths, tap: str) -> None:
    paths.hub_entry(tap).unlink(missing_ok=True)
