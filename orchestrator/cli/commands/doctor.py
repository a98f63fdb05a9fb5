"""`orchestrator doctor`"""

import click

from orchestrator.actions.doctor import Check, Verdict
from orchestrator.cli.command import command, format_option, show, workspace
from orchestrator.cli.report import report_on
from orchestrator.cli.tables import Column
from orchestrator.cli.terminal import put, styled
from orchestrator.cli.words import document

_MARKS = {Verdict.OK: styled("✓", "green"), Verdict.WARN: styled("!", "yellow")}
_MARKS[Verdict.FAIL] = styled("✗", "red")


@command("doctor")
@click.option("--report", is_flag=True, help="Print a JSON document for an issue: it has no secrets in it.")
@format_option()
def doctor(report: bool, format: str) -> int:
    """Check the workspace.

    What would keep a run from working, each with a command that mends it. The exit code is 1 when something would.
    A report tells besides of versions, taps and flows, what taps are told, and the last words of each flow.
    """
    opened = workspace()
    checks = opened.doctor()
    if report:
        put(document(**report_on(opened, checks)))
    elif format == "table":
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
