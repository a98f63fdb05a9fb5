"""`orchestrator install`"""

import click

from orchestrator.cli.agreement import agreement, fix_option
from orchestrator.cli.command import answer, command, json_option, workspace
from orchestrator.cli.progress import working
from orchestrator.cli.terminal import say, say_next


@command("install")
@click.option("--frozen", is_flag=True, help="Fail rather than change a lock.")
@fix_option
@json_option
def install(frozen: bool, fix: bool | None) -> None:
    """Build every environment from its lock.

    After a clone, a pull, or a change in orchestrator.toml. What is as its lock says is left alone.
    """
    opened = workspace()
    with working("Installing") as work:
        installed = opened.install(frozen=frozen, fix=agreement(fix, work), listen=work)
    for tap in installed:
        done = "built" if tap.built else "was ready"
        say(f"✓ {tap.tap}  {tap.package} {tap.version} on Python {tap.python} {done}")
    say_next("taps")
    answer(taps=installed)
