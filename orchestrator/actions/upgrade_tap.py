"""Moves a tap to the newest versions that its requirement allows, and tells what that changes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.actions.building import surroundings_of
from orchestrator.actions.comparing import SettingChange, changed_settings, changed_streams
from orchestrator.actions.running import running_flows
from orchestrator.catalogs import Change
from orchestrator.config import Config, editing, read_config
from orchestrator.envs.interpreter import find_if_here
from orchestrator.envs.lock import VersionChange, changes
from orchestrator.envs.make import Agree, make, never
from orchestrator.envs.package import Package
from orchestrator.envs.receipt import Receipt
from orchestrator.envs.recipe import as_written, recipe_of, settings_instead
from orchestrator.envs.switch import lock_or_none, put_in_use, receipt_or_none, remove_build, sweep
from orchestrator.envs.workshop import Workshop, workshop
from orchestrator.errors import OrchestratorError
from orchestrator.events import Listener, nobody
from orchestrator.hub import keep_entry, kept_entry
from orchestrator.hub.asking import Index
from orchestrator.paths import Paths


@dataclass(frozen=True, slots=True)
class TapUpgraded:
    """An upgrade. `before` is None when nothing was installed; `pinned` says that orchestrator.toml holds the tap
    itself to its version, so that only its dependencies can change.

    `settings` are those that the tap understands otherwise than before. `streams` are what each tap that runs in the
    environment offers otherwise, by its id; a tap that could not be asked is not there.
    """

    id: str
    package: str
    before: str | None
    version: str
    python: str
    changes: tuple[VersionChange, ...]
    pinned: bool
    settings: tuple[SettingChange, ...] = ()
    streams: Mapping[str, tuple[Change, ...]] = field(default_factory=dict)


def upgrade_tap(paths: Paths, id: str, *, fix: Agree = never, listen: Listener = nobody) -> TapUpgraded:
    """Upgrades the environment that tap `id` runs in, with all that run in it; the one before is kept to go back to.

    The new one is built beside the old; a tap from the hub takes along what the hub says of it by now. Where a catalog
    was kept, both are asked what they offer; when the new one cannot say what the old one can, the old one stays in
    use. `fix` is asked about remedies, as with `add_tap`.
    Raises UnknownName, ConfigError; CannotResolve, CannotBuild, DoesNotStart, EnvironmentBroken; and what a discovery
    raises.
    """
    config = read_config(paths.config)
    tap = config.taps[config.tap(id).environment]
    recipe = recipe_of(tap, paths.root)
    with workshop(
        paths,
        tap.id,
        recipe,
        advise=settings_instead(tap.id, recipe),
        retry=f"orchestrator upgrade {id}",
        around=surroundings_of(paths, recipe, tap.sandbox),
        listen=listen,
    ) as shop:
        old, before = lock_or_none(paths, tap.id), receipt_or_none(paths, tap.id)
        made = make(shop, fix, preferred=find_if_here(old.python, shop.uv) if old else None, newest=True)
        settings: tuple[SettingChange, ...] = ()
        streams: Mapping[str, tuple[Change, ...]] = {}
        if before is not None and before.environment != made.receipt.environment:
            settings = changed_settings(paths, tap, before, made.receipt)
            streams = _streams(shop, config, before, made.receipt, settings)
        receipt = put_in_use(paths, tap.id, made.lock, made.receipt)
        if made.recipe != recipe:
            editing.set_tap(paths.config, tap.id, as_written(made.recipe))
        if not running_flows(paths, config, tap.id):
            sweep(paths, tap.id)
        _ask_the_hub(shop, config)
    return TapUpgraded(
        id=id,
        package=receipt.package,
        before=before.version if before else None,
        version=receipt.version,
        python=receipt.python_version,
        changes=changes(old, made.lock),
        pinned=Package.parse(recipe.package).pinned,
        settings=settings,
        streams=streams,
    )


def _streams(
    shop: Workshop, config: Config, before: Receipt, after: Receipt, settings: tuple[SettingChange, ...]
) -> Mapping[str, tuple[Change, ...]]:
    """What is offered otherwise. A new environment that cannot say goes, and with the error what it may come from."""
    try:
        return changed_streams(shop.paths, config, before, after, shop.listen)
    except OrchestratorError as error:
        remove_build(shop.paths, shop.tap, after.environment)
        for change in settings:
            shop.note(str(change))
        error.data = f"{before.package} {before.version} stays in use; {after.version} cannot say what it offers"
        raise


def _ask_the_hub(shop: Workshop, config: Config) -> None:
    """Keeps what the hub says by now of a tap that was added from there. Where it cannot, the upgrade stands."""
    try:
        if (before := kept_entry(shop.paths, shop.tap)) is None:
            return
        now = Index(config.hub.url, listen=shop.listen).entry(before.name, before.variant)
        keep_entry(shop.paths, shop.tap, now)
    except OrchestratorError as error:
        shop.note(f"envs/{shop.tap}.hub.json stays as it was: {error.message}")
        return
    if now.package and now.package != before.package:
        shop.note(f"the hub has {now.name} by {now.variant} from {now.package} now, and no more from {before.package}")
