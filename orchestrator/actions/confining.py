"""What a tap may reach of this machine: what it runs on, what it is told of, and what orchestrator.toml allows it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from orchestrator import durable
from orchestrator.config import Sandbox, Tap
from orchestrator.envs import Receipt
from orchestrator.envs.editable import editable_folders
from orchestrator.errors import ConfigError
from orchestrator.events import Listener, Note, nobody
from orchestrator.paths import Paths, home
from orchestrator.supervisor.bubblewrap import flaw_of_bubblewrap
from orchestrator.supervisor.launcher import landlock_version
from orchestrator.supervisor.sandbox import SYSTEM, Allowed, Confinement, named_in, python_of


def confinement_of(
    paths: Paths,
    tap: Tap,
    receipt: Receipt,
    told: Mapping[str, Any],
    environment: Mapping[str, Any],
    listen: Listener = nobody,
) -> Confinement | None:
    """How the tap is confined that is `told` this, with these variables in its `environment`; None: not at all.

    Raises ConfigError where its sandbox is one that this machine does not have.
    """
    if tap.sandbox is Sandbox.NONE:
        return None
    if flaw := flaw_of(tap.sandbox):
        raise ConfigError(
            f'tap "{tap.id}" asks for a sandbox that is not there',
            cause=flaw,
            data="the tap was not started",
            hint="orchestrator doctor",
        )
    variables = {name: value for name, value in environment.items() if name != "HOME"}
    named = named_in([told, variables], paths.root, closed=kept_from_taps(paths), too_wide=(paths.root, home()))
    for path in named.refused:
        listen(
            Note(
                f"{path} is more than a tap is opened by the mention of it; if it shall read that: "
                f'allow_read = ["{path}"] in [taps.{tap.id}]'
            )
        )
    writes = tuple(_made([*tap.allow_write, *_of_batches(told, paths.root)]))
    named_and_said = named.allowed | Allowed(reads=tap.allow_read, writes=writes)
    return Confinement(tap.sandbox, SYSTEM | _runs_on(paths, tap, receipt) | named_and_said)


def flaw_of(sandbox: Sandbox) -> str | None:
    """Why a sandbox that was asked for cannot be had on this machine; None: it can."""
    match sandbox:
        case Sandbox.LANDLOCK if not landlock_version():
            return "the kernel of this machine has no Landlock; Linux has it from 5.13 on, unless it is switched off"
        case Sandbox.BUBBLEWRAP:
            return flaw_of_bubblewrap()
    return None


def _runs_on(paths: Paths, tap: Tap, receipt: Receipt) -> Allowed:
    environment = paths.build(tap.environment, receipt.environment)
    return python_of(receipt.python) | Allowed(runs=(environment, *editable_folders(environment)))


def kept_from_taps(paths: Paths) -> tuple[Path, ...]:
    """Where a workspace keeps what is not for its taps."""
    return (paths.state, paths.secrets, paths.vault, paths.envs, paths.catalogs, paths.config)


def _of_batches(told: Mapping[str, Any], root: Path) -> list[Path]:
    """Where a tap of the Singer SDK writes the files of its batches."""
    match told.get("batch_config"):
        case {"storage": {"root": str(place)}} if place.startswith("file://"):
            return [root / place.removeprefix("file://")]
    return []


def _made(places: Iterable[Path]) -> Iterable[Path]:
    """The same, each of them there: only what is there can be opened to a tap."""
    for place in places:
        yield place if place.exists() else durable.make_folder(place)
