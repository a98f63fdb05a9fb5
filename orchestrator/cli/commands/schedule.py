"""`orchestrator schedule`"""

from typing import Any

import click

from orchestrator.actions.schedule_flow import FlowScheduled
from orchestrator.cli.command import answer, command, json_option, workspace
from orchestrator.cli.names import FLOW
from orchestrator.cli.terminal import say, say_next
from orchestrator.cli.words import Moment, in_words
from orchestrator.errors import UsageError


@command("schedule")
@click.argument("flow", type=FLOW)
@click.option("--every", metavar="DURATION", help='An interval, such as 15m or "1 day".')
@click.option("--cron", metavar="TIMES", help='Minute, hour, day, month, weekday, such as "0 6 * * 1-5".')
@click.option("--tz", metavar="ZONE", help="The zone of --cron, such as Europe/Paris (default: UTC).")
@click.option("--jitter", metavar="DURATION", help="Start up to so much later, so that flows do not start together.")
@click.option(
    "--catch-up",
    type=click.Choice(["none", "one", "all"]),
    help="Of times that were missed: none counts, one run for all (default), or a run for each.",
)
@click.option("--after", metavar="FLOW", type=FLOW, multiple=True, help="Wait until this flow had its run; repeatable.")
@click.option("--priority", type=int, metavar="NUMBER", help="Of flows that are due, the highest starts first.")
@click.option("--off", is_flag=True, help="Take the schedule away.")
@json_option
def schedule(
    flow: str,
    every: str | None,
    cron: str | None,
    tz: str | None,
    jitter: str | None,
    catch_up: str | None,
    after: tuple[str, ...],
    priority: int | None,
    off: bool,
) -> None:
    """Say when a flow is due.

    `orchestrator up` starts it then. Without options it tells when that is. An interval counts from midnight UTC; cron
    times that a change of the clocks leaves out or brings twice come once.
    """
    opened = workspace()
    # A number alone is one of seconds, as in the file.
    seconds = int(every) if every and every.isdecimal() else every
    options = {"every": seconds, "cron": cron, "tz": tz, "jitter": jitter, "catch_up": catch_up}
    said: dict[str, Any] = {key: value for key, value in options.items() if value is not None}
    wanted = {"after": list(after) or None, "priority": priority}
    place = {key: value for key, value in wanted.items() if value is not None}
    if off and (said or place):
        raise UsageError("--off takes the schedule away", hint=f"orchestrator schedule {flow} --off")
    if off:
        told = opened.schedule(flow, None)
        say(f"✓ {flow} has no schedule any more")
    elif said or place:
        told = opened.schedule(flow, said, place)
        say(f"✓ {flow} is due {told.words}" if told.schedule else f"✓ {flow} has no schedule yet")
    else:
        told = opened.scheduled(flow)
        say(f"{flow} is due {told.words}" if told.schedule else f"{flow} has no schedule")
    _tell_coming(told)
    answer(scheduled=told)


def _tell_coming(told: FlowScheduled) -> None:
    for time in told.coming:
        say(f"  {in_words(Moment(time))}")
    if told.schedule:
        say_next("up")
