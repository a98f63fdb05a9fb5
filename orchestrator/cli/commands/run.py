"""`orchestrator run`"""

import itertools
import math
import random
import shlex
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from orchestrator import EVERYTHING, OrchestratorError, Workspace
from orchestrator.cadence.retry import pause
from orchestrator.cli.command import answer, asked, command, json_option, scrutiny_options, workspace
from orchestrator.cli.failures import members, report
from orchestrator.cli.names import FLOW, STREAM
from orchestrator.cli.summary import summarize
from orchestrator.cli.terminal import say
from orchestrator.cli.watching import watched
from orchestrator.cli.words import duration
from orchestrator.config import Retries
from orchestrator.errors import Stopped, UsageError
from orchestrator.events import Event, Note, RunStarted
from orchestrator.paths import CONFIG_FILE
from orchestrator.supervisor.stopping import Stop

if TYPE_CHECKING:
    from orchestrator.actions.recording import RunReport

_ALL = "*"
_RFC_3339 = ["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z"]


class _Patience(click.FloatRange):
    """Seconds; a flow that stands in their place was not meant as such."""

    def __init__(self) -> None:
        super().__init__(min=0)

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> float:
        try:
            return super().convert(value, parameter, context)
        except click.BadParameter as error:
            raise UsageError(
                f"--wait is told {value!r}, which is no number of seconds",
                hint=f"orchestrator run {shlex.quote(value)} --wait",
            ) from error


@command("run")
@click.argument("flows", nargs=-1, metavar="[FLOW…]", type=FLOW)
@click.option("--all", "every", is_flag=True, help="Run every flow, one after the other.")
@click.option(
    "--full-refresh",
    multiple=True,
    is_flag=False,
    flag_value=_ALL,
    metavar="[STREAM]",
    type=STREAM,
    help="Read from the beginning: the stream, or all. Repeatable.",
)
@click.option(
    "--from-commit", type=click.IntRange(min=1), metavar="N", help="Start from the state of an earlier commit."
)
@click.option(
    "--commit-rows",
    type=click.IntRange(min=1),
    envvar="ORCHESTRATOR_COMMIT_ROWS",
    metavar="N",
    help="Commit at the first STATE after so many rows.",
)
@click.option(
    "--commit-seconds",
    type=click.FloatRange(min=0),
    envvar="ORCHESTRATOR_COMMIT_SECONDS",
    metavar="SECONDS",
    help="Commit at the first STATE after so many seconds.",
)
@click.option(
    "--wait",
    is_flag=False,
    flag_value=math.inf,
    default=0.0,
    type=_Patience(),
    metavar="[SECONDS]",
    help="Where a flow is running already, wait for its end; so long at most.",
)
@click.option("--retry", is_flag=True, help="Try again what may pass by itself, as the `retries` of the flow say.")
@click.option(
    "--scheduled",
    type=click.DateTime(_RFC_3339),
    metavar="TIME",
    help="The time of its schedule that it runs for, as `up` says it.",
)
@scrutiny_options
@json_option
def run(
    flows: tuple[str, ...],
    every: bool,
    full_refresh: tuple[str, ...],
    from_commit: int | None,
    commit_rows: int | None,
    commit_seconds: float | None,
    wait: float,
    retry: bool,
    scheduled: datetime | None,
    on_bad_line: str | None,
    validate: str | None,
) -> int:
    """Run flows: what is new at the source lands exactly once.

    Ctrl-C stops after the next commit, a second one at once. Whatever happens, what was committed stays, and the next
    run goes on from there. Of several flows that fail, the highest exit code counts.
    """
    opened = workspace()
    if retry and (full_refresh or from_commit):
        raise UsageError(
            "each further try goes on from the last commit, so --retry cannot begin anywhere else",
            hint="the same command without --retry",
        )
    how = {
        "full_refresh": EVERYTHING if _ALL in full_refresh else frozenset(full_refresh),
        "from_commit": from_commit,
        "commit_rows": commit_rows,
        "commit_seconds": commit_seconds,
        "on_bad_line": on_bad_line,
        "validate": validate,
        "due": scheduled.isoformat() if scheduled else None,
        "wait": wait,
    }
    stop = Stop()
    ends: list[_End] = []
    worst = 0
    for flow in _chosen(opened, flows, every=every):
        retries = opened.config.flow(flow).retries if retry else Retries(attempts=1)
        for end in _attempts(partial(_run, opened, flow, stop, **how), retries):
            ends.append(end)
            if end.error is not None:
                report(end.error, verbose=asked().verbose, of_a_run=True)
            elif end.report is not None:
                summarize(opened, end.report)
        worst = max(worst, ends[-1].exit_code)
        if isinstance(ends[-1].error, Stopped):
            break
    answer(runs=[end.members() for end in ends])
    return worst


@dataclass(frozen=True, slots=True)
class _End:
    """How a run ended. `number` is None when it did not begin."""

    flow: str
    number: int | None
    report: "RunReport | None" = None
    error: OrchestratorError | None = None

    @property
    def exit_code(self) -> int:
        return self.error.exit_code if self.error else 0

    def members(self) -> dict[str, Any]:
        """As a part of the JSON document."""
        if self.report is not None:
            return {"flow": self.flow, "run": self.report.run, "bookmarks": self.report.bookmarks}
        return {"flow": self.flow, "number": self.number, "error": self.error and members(self.error)}


def _attempts(run: Callable[[], _End], retries: Retries) -> Iterator[_End]:
    """The end of a run, and those of further ones while they fail in a way that may pass by itself."""
    for failures in itertools.count(1):
        yield (end := run())
        if end.error is None or not end.error.is_temporary or isinstance(end.error, Stopped):
            return
        seconds = pause(retries, failures, random.random())
        if seconds is None:
            return
        say(f"{end.flow} is tried again in {duration(seconds)}")
        time.sleep(seconds)


def _run(opened: Workspace, flow: str, stop: Stop, **how: Any) -> _End:
    number: int | None = None
    told = False

    def hear(event: Event) -> None:
        nonlocal number, told
        if isinstance(event, RunStarted):
            number = event.run
        if stop and not told:
            told = True
            listen(Note("it stops after the next commit; asked once more, it stops at once"))
        listen(event)

    with watched() as listen:
        try:
            report = opened.run(flow, stop=stop, listen=hear, **how)
        except OrchestratorError as error:
            return _End(flow, number, error=error)
    return _End(flow, report.run.number, report)


def _chosen(opened: Workspace, flows: tuple[str, ...], *, every: bool) -> list[str]:
    known = opened.config.flows
    if not known:
        raise UsageError("there is no flow yet", cause=f"{CONFIG_FILE} names none", hint="orchestrator add-tap NAME")
    if every and flows:
        raise UsageError("--all and the names of flows contradict each other", hint="orchestrator run --all")
    if not every and not flows:
        raise UsageError(
            "which flow shall run?", cause=f"there are {', '.join(known)}", hint=f"orchestrator run {next(iter(known))}"
        )
    return [*known] if every else [opened.config.flow(flow).name for flow in dict.fromkeys(flows)]
