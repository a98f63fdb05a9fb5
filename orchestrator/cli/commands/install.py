"""`orchestrator install`"""

import click

from orchestrator.cli.command import answer, command, json_option, workspace
from orchestrator.cli.progress import working
from orchestrator.cli.terminal import say, say_next


@command("install")
@click.option("--frozen", is_flag=True, help="Fail rather than change a lock.")
@json_option
def install(frozen: bool) -> None:
    """Build every environment from its lock.

    After a clone, a pull, or a change in orchestrator.toml. What is as its lock says is left alone.
    """
    opened = workspace()
    with working("Installing") as listen:
        installed = opened.install(frozen=frozen, listen=listen)
    for tap in installed:
        done = "built" if tap.built else "was ready"
        say(f"✓ {tap.tap}  {tap.package} {tap.version} on Python {tap.python} {done}")
    say_next("taps")
    answer(taps=installed)
