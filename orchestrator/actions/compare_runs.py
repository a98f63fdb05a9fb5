"""What is different about two runs of a flow: what they brought, and what they ran with."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.config import Config
from orchestrator.envs.lock import Lock, VersionChange, changes
from orchestrator.load.outline import Reshaped, reshaped
from orchestrator.paths import Paths
from orchestrator.state import Documents, Run, Runs


@dataclass(frozen=True, slots=True)
class SettingChange:
    """One setting before and after, as `tap.config.start_date`; None where it was not given."""

    setting: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class RunsCompared:
    """Two runs. `packages`, `settings` and `columns` are those that differ; `unknown` names what of these one of the
    runs did not write down."""

    before: Run
    after: Run
    packages: tuple[VersionChange, ...]
    settings: tuple[SettingChange, ...]
    columns: tuple[Reshaped, ...]
    unknown: tuple[str, ...]


def compare_runs(paths: Paths, config: Config, flow: str, before: int, after: int) -> RunsCompared:
    """Raises UnknownName."""
    runs = Runs(paths, config.flow(flow).name)
    one, other = runs.find(before), runs.find(after)
    old, new, documents = one.ran_with, other.ran_with, runs.documents
    names = {
        "packages": (old.lock, new.lock),
        "settings": (old.settings, new.settings),
        "columns": (old.outlines, new.outlines),
    }
    return RunsCompared(
        one,
        other,
        _packages(documents, old.lock, new.lock),
        tuple(_settings(documents.settings(old.settings), documents.settings(new.settings))),
        tuple(reshaped(documents.outlines(old.outlines), documents.outlines(new.outlines))),
        tuple(name for name, kept in names.items() if None in kept),
    )


def _packages(documents: Documents, before: str | None, after: str | None) -> tuple[VersionChange, ...]:
    if before == after:
        return ()
    locks = [_lock(documents.read(name)) for name in (before, after)]
    return changes(locks[0], locks[1]) if locks[0] and locks[1] else ()


def _lock(text: bytes | None) -> Lock | None:
    try:
        return None if text is None else Lock.parse(text.decode())
    except (ValueError, KeyError, TypeError):
        return None


def _settings(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[SettingChange]:
    if not before or not after:
        return
    old, new = dict(_leaves(before)), dict(_leaves(after))
    for setting in {**old, **new}:
        if old.get(setting) != new.get(setting):
            yield SettingChange(setting, old.get(setting), new.get(setting))


def _leaves(value: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    """Everything that is said, by where it is said."""
    if isinstance(value, Mapping) and value:
        for key, below in value.items():
            yield from _leaves(below, f"{above}.{key}" if above else key)
    else:
        yield above, value
