"""`orchestrator status`"""

import sys
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from orchestrator.actions.status import FlowStatus
from orchestrator.cli.command import command, format_option, show, workspace
from orchestrator.cli.names import FLOW
from orchestrator.cli.tables import Column
from orchestrator.cli.terminal import is_lively, say, say_next
from orchestrator.cli.words import Moment, age, counted

if TYPE_CHECKING:
    from orchestrator import Workspace

_SECONDS = 2.0


@command("status")
@click.argument("flow", required=False, type=FLOW)
@click.option("--watch", is_flag=True, help="Show it again every two seconds, until Ctrl-C.")
@format_option()
def status(flow: str | None, watch: bool, format: str) -> None:
    """Show how each flow stands.

    The newest run of each, how many rows it brought, and how long ago its bookmark was saved. One with a schedule is
    on time, late (its last commit is older than the schedule wants it), failing (and tried again), running, paused, or
    it needs you: trying again would not help. One that is due and not started tells what it waits for.
    """
    opened = workspace()
    while watch and is_lively(sys.stdout):
        click.clear()
        _show(opened, flow, format)
        time.sleep(_SECONDS)
    _show(opened, flow, format)


def _show(opened: "Workspace", flow: str | None, format: str) -> None:
    from orchestrator.schedule.asking import Ask, ask, is_up

    known, up = opened.status(flow), ask(opened.paths, Ask.STATUS)
    waits = {each.flow: each.waits_for for each in up.waiting} if up else {}
    show(format, "flows", known, _columns(known, waits, seldom=format != "table"), up=up)
    if not known:
        say("There is no flow yet.")
        say_next("add-tap", "NAME")
    for told in opened.told():
        if told.said:
            wait = f"{counted(told.waiting, 'message')} {'waits' if told.waiting == 1 else 'wait'}"
            say(f"{told.notify.name} could not be told, and {wait}: {told.said}")
    for each in known:
        if each.run and each.run.error:
            say(f"{each.flow}, run {each.run.number}: {each.run.error.message}")
        if each.outlook and each.outlook.why:
            say(f"{each.flow} is paused: {each.outlook.why}")
    if up is None and any(each.outlook for each in known) and not is_up(opened.paths):
        say("Nobody keeps the schedules.")
        say_next("up")


def _columns(known: Sequence[FlowStatus], waits: Mapping[str, str], *, seldom: bool) -> list[Column[FlowStatus]]:
    """Those of a table; with what is `seldom` there only where something has it."""
    columns: list[Column[FlowStatus]] = [
        Column("flow", lambda flow: flow.flow),
        Column("to", lambda flow: flow.destination),
        Column("run", lambda flow: flow.run.number if flow.run else None),
        Column("status", lambda flow: flow.words),
        Column("started", lambda flow: Moment(flow.run.started) if flow.run else None),
        Column("rows", lambda flow: sum(flow.run.committed.values()) if flow.run else None),
        Column("commit", lambda flow: flow.commit),
    ]
    if seldom or any(each.outlook for each in known):
        columns.append(
            Column("next", lambda flow: Moment(flow.outlook.next) if flow.outlook and flow.outlook.next else None)
        )
    if seldom or waits:
        columns.append(Column("waits for", lambda flow: waits.get(flow.flow)))
    return [
        *columns,
        Column("bookmark age", lambda flow: age(flow.committed_at) if flow.committed_at else None),
        Column("pid", lambda flow: str(flow.pid) if flow.pid else None),
    ]
