"""`orchestrator remove-tap`"""

import click

from orchestrator.cli.command import answer, command, confirm, json_option, workspace, yes_option
from orchestrator.cli.names import TAP
from orchestrator.cli.progress import tell
from orchestrator.cli.terminal import say, say_next


@command("remove-tap")
@click.argument("tap", type=TAP)
@yes_option
@json_option
def remove_tap(tap: str, yes: bool) -> None:
    """Take a tap out of the workspace.

    Its settings, flows, environment and catalog go; the rows and the history of its flows stay.
    """
    opened = workspace()
    opened.config.tap(tap)
    confirm(f'Remove tap "{tap}" and its flows?', yes=yes, otherwise=f"orchestrator remove-tap {tap} --yes")
    removed = opened.remove_tap(tap, listen=tell)
    flows = f" and flow {', '.join(removed.flows)}" if removed.flows else ""
    say(f'✓ Removed tap "{tap}"{flows}. Rows and history stay')
    say_next("taps")
    answer(removed=removed)
