"""Runs Singer taps, each in its own locked environment, and lands their rows exactly once.

    tap process ─► messages ─► batches ─► destination ─► commit ─► commit log
    supervisor/    protocol/   load/      destinations/            state/

The destination is the truth, our log is the memory; a commit closes only at a STATE, or at a clean end of the tap.

    api.py          Workspace: an open workspace, one method per verb
    ── ground: knows nothing of taps
    errors.py       every error a person can meet, as a tree, each with its next move
    paths.py        finds the workspace and names every path in it
    config/         orchestrator.toml -> frozen values, read once
    durable.py      files that are whole or absent; locks
    disk.py         what a disk says when it refuses
    aside.py        a folder of one process, that goes with it
    failpoints.py   where tests kill a run, or make it fail
    events.py       what a verb says while it works, and who listens
    clock.py        a moment as it is written down
    ── values: pure. No disk, no process, no clock
    protocol/       what a tap says: messages, schemas -> column types, bookmarks
    load/           which rows travel together and when they settle
    cadence/        when flows are due, what is caught up, when to try again
    ── rooms: side by side; they do not import each other
    envs/           one locked Python per tap               [writes envs/]
    hub/            the public index of taps
    catalogs/       catalog, selection, drift               [writes catalogs/]
    supervisor/     command, launcher, process, stderr; where a tap runs
    destinations/   contract + one file per destination
    state/          commit log, runs, archive               [writes state/]
    secrets/        vault, references, redaction            [writes secrets/]
    templates/      the project of a new tap
    contract/       what any tap should keep
    cassettes/      a run of a tap, kept for tests          [writes cassettes/]
    notices/        messages about flows, and their way to whom they are for
    ── verbs: each reads top to bottom as a story
    actions/        run_flow (THE STORY), add_tap, discover, replay, ...
    ── faces
    schedule/       `up`: starts what is due, as processes of their own, and watches them
    metrics/        the numbers of a workspace, for Prometheus
    cli/            words in, words out

Imports go down only: faces → api → actions → rooms → load → protocol → ground.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestrator.api import EVERYTHING, Workspace, load_messages, search_hub
    from orchestrator.errors import OrchestratorError

__version__ = "0.1.0"

__all__ = ["EVERYTHING", "OrchestratorError", "Workspace", "__version__", "load_messages", "search_hub"]


def __getattr__(name: str) -> Any:
    """A public name is imported when it is first used, so that the package itself imports at once."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from orchestrator import api, errors

    return getattr(errors if name == "OrchestratorError" else api, name)


def __dir__() -> list[str]:
    return __all__
