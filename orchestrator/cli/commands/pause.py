"""`orchestrator pause`"""

import click

from orchestrator.cli.command import answer, command, json_option, workspace
from orchestrator.cli.names import FLOW
from orchestrator.cli.terminal import say, say_next


@command("pause")
@click.argument("flow", type=FLOW)
@json_option
def pause(flow: str) -> None:
    """Let the schedule of a flow rest.

    A run at work goes on; `orchestrator run` works as ever.
    """
    from orchestrator.schedule.asking import Ask, ask

    opened = workspace()
    opened.pause(flow)
    # Who keeps the schedules sees it at once, and would within a second.
    ask(opened.paths, Ask.LOOK, flow)
    say(f"✓ {flow} is paused")
    say_next("resume", flow)
    answer(flow=flow, paused=True)
