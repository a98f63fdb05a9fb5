"""Which flows run at this moment. What they run in must not be taken away from under them."""

from collections.abc import Iterable

from orchestrator import durable
from orchestrator.config import Config
from orchestrator.errors import AlreadyRunning
from orchestrator.paths import Paths


def running_flows(paths: Paths, config: Config, environment: str) -> list[str]:
    """The flows whose tap runs in this environment now."""
    return [
        flow.name
        for flow in config.flows.values()
        if config.tap(flow.tap).environment == environment and durable.holder(paths.running(flow.name)) is not None
    ]


def refuse_while_running(paths: Paths, flows: Iterable[str], what: str) -> None:
    """Raises AlreadyRunning, which says that `what` has to wait, when one of the flows runs."""
    for flow in flows:
        if (holder := durable.holder(paths.running(flow))) is not None:
            raise AlreadyRunning(
                f'flow "{flow}" is running, so {what}',
                cause=holder or None,
                data="nothing was changed",
                hint="wait for its end, or stop it with Ctrl-C",
            )
