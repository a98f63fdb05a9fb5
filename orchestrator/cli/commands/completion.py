"""`orchestrator completion`"""

import os

import click
from click.shell_completion import get_completion_class

from orchestrator.cli.command import command
from orchestrator.cli.terminal import put

SHELLS = ["bash", "zsh", "fish"]


@command("completion")
@click.argument("shell", required=False, type=click.Choice(SHELLS))
def completion(shell: str | None) -> None:
    """Print the completion script of a shell.

    \b
        source <(orchestrator completion bash)            in ~/.bashrc
        source <(orchestrator completion zsh)             in ~/.zshrc
        orchestrator completion fish | source             in ~/.config/fish/config.fish

    Without SHELL, that of the shell in use.
    """
    name = shell or os.path.basename(os.environ.get("SHELL", ""))
    script = get_completion_class(name if name in SHELLS else "bash")
    assert script is not None
    put(script(click.get_current_context().find_root().command, {}, "orchestrator", "_ORCHESTRATOR_COMPLETE").source())
