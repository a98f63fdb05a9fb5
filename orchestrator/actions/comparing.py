"""What two environments of a tap make different: the settings that it understands, and the streams that it offers."""

from dataclasses import dataclass

from orchestrator.actions.starting import catalog_now, prepare
from orchestrator.actions.telling import understood
from orchestrator.catalogs import Change, drift
from orchestrator.config import Config, Tap
from orchestrator.envs.receipt import Receipt
from orchestrator.errors import OrchestratorError
from orchestrator.events import Listener, Note
from orchestrator.paths import Paths


@dataclass(frozen=True, slots=True)
class SettingChange:
    """One setting before and after, in words; None where the tap does not know it."""

    setting: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        match self.before, self.after:
            case None, after:
                return f"setting {self.setting} is new: {after}"
            case before, None:
                return f"setting {self.setting} is gone"
            case before, after:
                return f"setting {self.setting} was {before}, is now {after}"


def changed_settings(paths: Paths, tap: Tap, before: Receipt, after: Receipt) -> tuple[SettingChange, ...]:
    """What the tap itself understands otherwise; nothing where either version does not tell. Raises DamagedFile."""
    old, new = (_settings(paths, tap, receipt) for receipt in (before, after))
    if not old or not new:
        return ()
    return tuple(
        SettingChange(name, old.get(name), new.get(name))
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    )


def _settings(paths: Paths, tap: Tap, receipt: Receipt) -> dict[str, str]:
    own = understood(paths, tap, receipt).trusted
    return {
        setting.name: f"{setting.kind.value}{', required' if setting.required else ''}"
        for account in own
        for setting in account.settings
    }


def changed_streams(
    paths: Paths, config: Config, before: Receipt, after: Receipt, listen: Listener
) -> dict[str, tuple[Change, ...]]:
    """What each tap of an environment offers otherwise, by its id: those of which a catalog was kept are asked in both.

    Where the one before cannot say, nothing can be compared, and that is noted. Raises what `prepare` and discovery
    raise when the one after cannot say what the one before can.
    """
    found = {}
    for tap in config.taps.values():
        if paths.built_receipt(tap.environment, before.environment).exists() and paths.catalog(tap.id).exists():
            try:
                old = catalog_now(paths, prepare(paths, tap, receipt=before))
            except OrchestratorError as error:
                listen(Note(f'the streams of "{tap.id}" are not compared: {error.message}'))
                continue
            new = catalog_now(paths, prepare(paths, tap, receipt=after))
            if old is not None and new is not None:
                found[tap.id] = drift(old, new)
    return found
