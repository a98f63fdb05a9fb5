"""Lists the taps, and how the environment of each stands."""

from dataclasses import dataclass

from orchestrator.config import Config, Tap, read_config
from orchestrator.envs.recipe import recipe_of
from orchestrator.envs.standing import Standing, standing
from orchestrator.envs.switch import lock_or_none, receipt_or_none
from orchestrator.paths import Paths


@dataclass(frozen=True, slots=True)
class TapListed:
    """One tap. `environment` is the tap in whose environment it runs, mostly itself; what is not known is None."""

    id: str
    environment: str
    package: str
    version: str | None
    python: str | None
    executable: str | None
    capabilities: tuple[str, ...]
    standing: Standing
    flows: tuple[str, ...]


def list_taps(paths: Paths) -> tuple[TapListed, ...]:
    """The taps in the order of orchestrator.toml; reads only. Raises ConfigError."""
    config = read_config(paths.config)
    return tuple(_listed(paths, config, tap) for tap in config.taps.values())


def _listed(paths: Paths, config: Config, tap: Tap) -> TapListed:
    recipe = recipe_of(config.taps[tap.environment], paths.root)
    receipt = receipt_or_none(paths, tap.environment)
    lock = lock_or_none(paths, tap.environment)
    return TapListed(
        id=tap.id,
        environment=tap.environment,
        package=tap.package,
        version=receipt.version if receipt else None,
        python=receipt.python_version if receipt else lock.python if lock else None,
        executable=receipt.executable if receipt else None,
        capabilities=receipt.capabilities if receipt else (),
        standing=standing(paths, tap.environment, recipe),
        flows=tuple(flow.name for flow in config.flows.values() if flow.tap == tap.id),
    )
