"""Removes a tap: settings, flows, environment, lock, catalog, what it wrote and its secrets. History and rows stay."""

from dataclasses import dataclass

from orchestrator.actions.configure import references_in
from orchestrator.actions.running import refuse_while_running
from orchestrator.config import editing, read_config
from orchestrator.envs.switch import remove_folder
from orchestrator.envs.workshop import alone
from orchestrator.events import Listener, Note, nobody
from orchestrator.hub import forget_entry
from orchestrator.paths import Paths
from orchestrator.secrets import forget_own_config
from orchestrator.secrets.keeping import forget


@dataclass(frozen=True, slots=True)
class TapRemoved:
    """A tap that is gone, and the flows that went with it."""

    id: str
    flows: tuple[str, ...]


def remove_tap(paths: Paths, id: str, *, listen: Listener = nobody) -> TapRemoved:
    """Removes tap `id`. What its flows brought stays at their destinations, and their history in state/.

    Raises UnknownName, ConfigError; UsageError when another tap inherits from it, AlreadyRunning when a flow runs.
    """
    config = read_config(paths.config)
    tap = config.tap(id)
    flows = tuple(flow.name for flow in config.flows.values() if flow.tap == id)
    refuse_while_running(paths, flows, f'tap "{id}" cannot be removed now')
    with alone(paths, tap.environment, listen):
        editing.remove_tap(paths.config, id)
        if tap.environment == id:
            paths.lock(id).unlink(missing_ok=True)
            forget_entry(paths, id)
            remove_folder(paths.builds(id))
    paths.catalog(id).unlink(missing_ok=True)
    paths.without_catalog(id).unlink(missing_ok=True)
    forget_own_config(paths, id)
    if not forget(paths, id, references_in(config) - references_in(read_config(paths.config))):
        listen(Note(f'the vault cannot be opened here: what it holds of tap "{id}" stays'))
    return TapRemoved(id, flows)
