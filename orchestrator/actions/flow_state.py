"""What a flow remembers: shown, set and reset. Changing it is a commit without rows, so nothing is ever forgotten."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from orchestrator.actions.recording import destination_of, shown_bookmarks
from orchestrator.actions.running import only_run_of
from orchestrator.clock import rfc3339
from orchestrator.config import Config
from orchestrator.errors import UsageError
from orchestrator.events import Listener, nobody
from orchestrator.load.commit import Commit
from orchestrator.paths import Paths
from orchestrator.state import CommitLog


@dataclass(frozen=True, slots=True)
class FlowState:
    """The state that the next run starts from. `commit` and `state` are None before the first commit; `state` is
    the tap's own, word for word; `bookmarks` are what can be read in it, by stream."""

    flow: str
    commit: Commit | None
    state: bytes | None
    bookmarks: Mapping[str, str]


def show_state(paths: Paths, config: Config, name: str, listen: Listener = nobody) -> FlowState:
    """What the destination holds of the flow. Raises DestinationError."""
    flow = config.flow(name)
    with destination_of(config, flow, listen) as destination:
        last = destination.last_commit(name)
    return FlowState(name, last, last.state if last else None, shown_bookmarks(last))


def history(paths: Paths, config: Config, name: str) -> list[Commit]:
    """Every commit that is remembered of the flow, the oldest first."""
    config.flow(name)
    return CommitLog(paths, name).commits()


def set_state(paths: Paths, config: Config, name: str, state: bytes, listen: Listener = nobody) -> FlowState:
    """Makes `state` (JSON text) what the next run starts from. Raises UsageError for anything but JSON."""
    try:
        msgspec.json.decode(state)
    except msgspec.DecodeError as error:
        raise UsageError(
            f'the state for "{name}" is not JSON',
            cause=str(error),
            data="nothing was changed",
            hint=f"orchestrator state export {name}",
        ) from error
    return _settle(paths, config, name, state, listen)


def reset_state(paths: Paths, config: Config, name: str, listen: Listener = nobody) -> FlowState:
    """Makes the next run start from nothing. The rows stay."""
    return _settle(paths, config, name, None, listen)


def _settle(paths: Paths, config: Config, name: str, state: bytes | None, listen: Listener) -> FlowState:
    """Rows that are gathered unseen belong to the state before, so they are forgotten with it."""
    flow = config.flow(name)
    alone = only_run_of(paths, name, hint=f"orchestrator status {name}")
    with alone, destination_of(config, flow, listen) as destination:
        last = destination.last_commit(name)
        log = CommitLog(paths, name)
        log.catch_up(last)
        commit = Commit(
            name,
            (last.number if last else 0) + 1,
            last.run if last else 0,
            rfc3339(),
            state,
            {},
            last.sequence if last else 0,
        )
        destination.commit(commit)
        log.record(commit)
    return FlowState(name, commit, state, shown_bookmarks(commit))
