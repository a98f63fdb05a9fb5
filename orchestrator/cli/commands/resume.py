"""`orchestrator resume`"""

import click

from orchestrator.cli.command import answer, command, json_option, workspace
from orchestrator.cli.names import FLOW
from orchestrator.cli.terminal import say, say_next


@command("resume")
@click.argument("flow", type=FLOW)
@json_option
def resume(flow: str) -> None:
    """Let a flow that is paused be due again.

    Times that passed meanwhile are caught up as its schedule says.
    """
    from orchestrator.schedule.asking import Ask, ask

    opened = workspace()
    was = opened.resume(flow)
    # Who keeps the schedules sees it at once, and would within a second.
    ask(opened.paths, Ask.LOOK, flow)
    say(f"✓ {flow} is due again" if was else f"{flow} was not paused")
    say_next("status", flow)
    answer(flow=flow, paused=False)
