"""`orchestrator down`"""

from orchestrator.cli.command import answer, command, json_option, workspace
from orchestrator.cli.terminal import say


@command("down")
@json_option
def down() -> None:
    """Stop keeping the schedules.

    Runs at work end after their next commit; it waits for them.
    """
    from orchestrator.schedule.ending import end_up

    pid = end_up(workspace().paths)
    say("Nobody keeps the schedules." if pid is None else f"✓ Down (it was pid {pid})")
    answer(pid=pid)
