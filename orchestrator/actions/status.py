"""How each flow stands: its last run, its last commit, and whether it is at work now."""

from dataclasses import dataclass
from datetime import UTC, datetime

from orchestrator.actions.scheduled import Outlook, outlook
from orchestrator.config import Config, Flow
from orchestrator.paths import Paths
from orchestrator.state import CommitLog, Run, Runs, Status


@dataclass(frozen=True, slots=True)
class FlowStatus:
    """One flow. `run` is the newest, None before the first; `commit` and `committed_at` (RFC 3339) are those of its
    last commit, when its bookmark was saved; `pid` is that of the process at work, None when there is none; `outlook`
    is how it stands with its schedule, None without one."""

    flow: str
    tap: str
    destination: str
    run: Run | None
    commit: int | None
    committed_at: str | None
    pid: int | None
    outlook: Outlook | None = None

    @property
    def words(self) -> str:
        """How it stands with its schedule: "on time", "late", ...; without one, how its newest run stands: "succeeded",
        "running", ...; "never ran"."""
        if self.outlook is not None:
            return self.outlook.standing.value
        return self.run.status.value if self.run else "never ran"


def status(paths: Paths, config: Config, name: str | None = None) -> tuple[FlowStatus, ...]:
    """Every flow, or the one of that name, in the order of orchestrator.toml. Reads what is remembered only, so a
    destination that is away keeps nobody from asking. Raises UnknownName, DamagedFile."""
    flows, now = [config.flow(name)] if name else config.flows.values(), datetime.now(UTC)
    return tuple(_status(paths, flow, now) for flow in flows)


def _status(paths: Paths, flow: Flow, now: datetime) -> FlowStatus:
    run, commit = Runs(paths, flow.name).last(), CommitLog(paths, flow.name).last()
    return FlowStatus(
        flow=flow.name,
        tap=flow.tap,
        destination=flow.destination,
        run=run,
        commit=commit.number if commit else None,
        committed_at=commit.at if commit else None,
        pid=run.pid if run and run.status is Status.RUNNING else None,
        outlook=outlook(paths, flow, run, commit, now) if flow.schedule is not None else None,
    )
