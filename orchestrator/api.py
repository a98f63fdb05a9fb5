"""The verbs as Python calls: everything the command line does, with values back."""

# A verb is imported when it is called: one that needs no DuckDB must not wait for it.
from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.errors import UsageError
from orchestrator.events import Listener, nobody

if TYPE_CHECKING:
    from orchestrator.actions.load_messages import Loaded


def load(
    blocks: Iterable[bytes],
    to: str,
    *,
    flow: str = "load",
    acknowledge: Callable[[bytes], None] = lambda state: None,
    batch_roots: tuple[Path, ...] = (),
    soft_delete: bool = False,
    commit_rows: int | None = None,
    commit_seconds: float | None = None,
    listen: Listener = nobody,
) -> Loaded:
    """Loads Singer messages, lines in blocks of any size, into `to`: `duckdb:PATH` or `parquet:FOLDER`.

    Needs no workspace. Each state goes to `acknowledge` once it is committed. An empty block tells that nothing came
    for a moment, when a commit may close. Raises RunFailed or DestinationError; what was acknowledged stays.
    """
    from orchestrator.actions.load_messages import load_messages
    from orchestrator.config import COMMIT_ROWS, COMMIT_SECONDS
    from orchestrator.destinations import open_destination
    from orchestrator.load.commit import CommitPolicy

    kind, separator, path = to.partition(":")
    if not separator or not path:
        raise UsageError(f'"{to}" is no destination', hint="duckdb:PATH or parquet:FOLDER")
    if not re.fullmatch("[a-z0-9][a-z0-9_-]{0,62}", flow):
        raise UsageError(f'"{flow}" cannot be the name of a flow', hint="use 1 to 63 of a-z, 0-9, - and _")
    policy = CommitPolicy(
        COMMIT_ROWS if commit_rows is None else commit_rows,
        COMMIT_SECONDS if commit_seconds is None else commit_seconds,
    )
    schema = "main" if kind == "duckdb" else ""
    with open_destination(kind, Path(path).expanduser().absolute(), schema, listen) as destination:
        return load_messages(
            blocks,
            destination,
            flow=flow,
            policy=policy,
            acknowledge=acknowledge,
            batch_roots=batch_roots,
            soft_delete=soft_delete,
            listen=listen,
        )
