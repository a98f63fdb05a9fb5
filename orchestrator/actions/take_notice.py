"""What there is to tell of flows: seen, put into words, and left for the courier. Each trouble is told once."""

import socket
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from orchestrator.actions.scheduled import past_of
from orchestrator.cadence.incidents import Known, Sight, incidents
from orchestrator.clock import rfc3339
from orchestrator.config import Config, Flow, Occasion
from orchestrator.events import Listener, Note, nobody
from orchestrator.load.outline import reshaped
from orchestrator.notices.wording import Facts, Message, message_of, schema_change
from orchestrator.paths import Paths
from orchestrator.state import CommitLog, Kind, Noted, Notices, Plans, Run, Runs, Status, Waiting


def take_notice(paths: Paths, config: Config, flows: Iterable[Flow], now: datetime | None = None) -> Noted:
    """Looks how flows stand, and leaves a message for each who wants to know of what is new. Gives all that waits.

    Raises DestinationFull, RunFailed, DamagedFile.
    """
    now = now or datetime.now(UTC)

    def note(noted: Noted) -> Noted:
        # Seen while nobody else takes notice: what is older must not go over what is newer.
        return _noted(paths, config, noted, [_seen(paths, flow) for flow in flows], now)

    return Notices(paths).change(note)


def tell_of_run(paths: Paths, config: Config, flow: Flow, listen: Listener = nobody) -> None:
    """After a run: sends a courier if there is something to tell. A run neither waits for that nor fails by it."""
    try:
        now = datetime.now(UTC)
        if any(message.next <= now for message in take_notice(paths, config, [flow], now).waiting):
            send_courier(paths)
    except Exception as error:
        # Whatever is amiss with telling, the run went as it went.
        listen(Note(f"what there is to tell could not be noted: {error}"))


def send_courier(paths: Paths) -> None:
    """Starts the process that brings what waits on its way. It goes on when we end, and is nobody's to wait for."""
    command = [sys.executable, "-P", "-m", "orchestrator", "notify", "deliver", "--workspace", str(paths.root)]
    # A shell that leaves it behind: it would stay with us as a zombie otherwise, as long as we live.
    in_background = ["/bin/sh", "-c", '"$@" < /dev/null > /dev/null 2>&1 &', "sh", *command]
    subprocess.run(in_background, cwd=paths.root, start_new_session=True)


def place_of(paths: Paths) -> str:
    """The workspace as it is called in messages."""
    return f"{paths.root.name} on {socket.gethostname()}"


@dataclass(frozen=True, slots=True)
class _Seen:
    """How a flow stands. `newest` is its newest run that ended; another one is `at_work` since then."""

    flow: Flow
    newest: Run | None
    at_work: datetime | None
    committed: datetime | None
    why_paused: str | None

    @property
    def outlines(self) -> str | None:
        return self.newest.ran_with.outlines if self.newest else None


def _seen(paths: Paths, flow: Flow) -> _Seen:
    runs, commit = Runs(paths, flow.name), CommitLog(paths, flow.name).last()
    last = runs.last()
    ended = (run for run in runs.newest_first() if run.status not in (Status.RUNNING, Status.DAMAGED))
    rest = Plans(paths).paused(flow.name) if flow.schedule else None
    return _Seen(
        flow,
        next((run for run in ended if run.kind is Kind.RUN), None),
        datetime.fromisoformat(last.started) if last and last.status is Status.RUNNING else None,
        datetime.fromisoformat(commit.at) if commit else None,
        rest.why if rest else None,
    )


def _noted(paths: Paths, config: Config, noted: Noted, seen: list[_Seen], now: datetime) -> Noted:
    known, outlines, waiting = dict(noted.known), dict(noted.outlines), list(noted.waiting)
    for each in seen:
        name = each.flow.name
        past = past_of(paths, each.flow, now)
        sight = Sight(now, past, each.committed, each.at_work, paused=each.why_paused is not None)
        told, known[name] = incidents(each.flow, known.get(name, Known()), sight)
        facts = Facts(
            place_of(paths),
            each.newest.number if each.newest else None,
            each.newest.exit_code if each.newest else None,
            past.in_a_row,
            each.committed,
            each.why_paused,
        )
        for incident in told:
            message = message_of(incident, facts)
            waiting += _left(config, name, incident.occasion, message, now, over=incident.over)
        if name in outlines and outlines[name] != each.outlines:
            waiting += _change(paths, config, each, outlines[name], now)
        if name not in outlines or each.outlines is not None:
            outlines[name] = each.outlines
    return replace(noted, known=known, outlines=outlines, waiting=tuple(waiting))


def _change(paths: Paths, config: Config, seen: _Seen, before: str | None, now: datetime) -> list[Waiting]:
    name = seen.flow.name
    runs = Runs(paths, name)
    changes = reshaped(runs.documents.outlines(before), runs.documents.outlines(seen.outlines))
    if not changes:
        return []
    numbers = [number for number in runs.numbers() if seen.newest and number <= seen.newest.number][-2:]
    pair = (numbers[0], numbers[1]) if len(numbers) == 2 else None
    message = schema_change(name, changes, pair, place_of(paths))
    return _left(config, name, Occasion.SCHEMA_CHANGE, message, now)


def _left(
    config: Config,
    flow: str,
    occasion: Occasion,
    message: Message,
    now: datetime,
    *,
    over: frozenset[Occasion] = frozenset(),
) -> list[Waiting]:
    """The message for each who wants it. Of the end of a trouble only those hear who were told of the trouble."""
    return [
        Waiting(f"{rfc3339(now)} {flow} {occasion} {notify.name}", notify.name, message.title, message.body, now, now)
        for notify in config.notify
        if notify.wants(occasion, flow) and (not over or over & {*notify.on})
    ]
