"""Takes the measures of a workspace, with what its `up` is at."""

from collections.abc import Iterator

from orchestrator import durable
from orchestrator.actions.measure import Kind, Measure, Sample, measure
from orchestrator.config import Config, read_config
from orchestrator.errors import ConfigError
from orchestrator.paths import Paths
from orchestrator.schedule.asking import Ask, Overview, ask


class Taking:
    """The measures of one workspace, anew with each call. While orchestrator.toml cannot be meant, what it said before
    holds."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._config: Config | None = None

    def __call__(self) -> tuple[Measure, ...]:
        """Raises ConfigError for a first orchestrator.toml, DamagedFile."""
        try:
            self._config, is_read = read_config(self._paths.config), True
        except ConfigError:
            if self._config is None:
                raise
            is_read = False
        return (
            *_of_up(durable.holder(self._paths.up) is not None, ask(self._paths, Ask.STATUS)),
            _gauge("orchestrator_config_readable", "Whether orchestrator.toml can be meant.", is_read),
            *measure(self._paths, self._config),
        )


def _of_up(is_up: bool, overview: Overview | None) -> Iterator[Measure]:
    yield _gauge("orchestrator_up", "Whether `orchestrator up` keeps the schedules.", is_up)
    if overview is not None:
        yield _gauge("orchestrator_workers", "How many runs it starts at once at most.", overview.workers)
        yield _gauge("orchestrator_runs_at_work", "Runs that it started, and that did not end.", len(overview.at_work))
        yield _gauge("orchestrator_queued_flows", "Flows that are due and wait.", len(overview.waiting))


def _gauge(name: str, help: str, value: float) -> Measure:
    return Measure(name, Kind.GAUGE, help, (), (Sample((), value),))
