"""`orchestrator doctor`"""

from orchestrator.actions.doctor import Check, Verdict
from orchestrator.cli.command import command, format_option, show, workspace
from orchestrator.cli.tables import Column
from orchestrator.cli.terminal import put, styled

_MARKS = {Verdict.OK: styled("✓", "green"), Verdict.WARN: styled("!", "yellow")}
_MARKS[Verdict.FAIL] = styled("✗", "red")


@command("doctor")
@format_option()
def doctor(format: str) -> int:
    """Check the workspace.

    What would keep a run from working, each with a command that mends it. The exit code is 1 when something would.
    """
    checks = workspace().doctor()
    if format == "table":
        for check in checks:
            put(f"{_MARKS[check.verdict]} {check.name}: {check.text}")
            if check.hint:
                put(f"    {check.hint}")
    else:
        show(format, "checks", checks, COLUMNS)
    return int(any(check.verdict is Verdict.FAIL for check in checks))


COLUMNS: list[Column[Check]] = [
    Column("check", lambda check: check.name),
    Column("verdict", lambda check: check.verdict.value),
    Column("found", lambda check: check.text),
    Column("hint", lambda check: check.hint),
]
