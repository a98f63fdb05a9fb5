"""`orchestrator secret`"""

import shlex
import sys
from typing import TYPE_CHECKING

import click

from orchestrator.cli.command import (
    Group,
    answer,
    asked,
    confirm,
    format_option,
    json_option,
    show,
    workspace,
    yes_option,
)
from orchestrator.cli.names import SECRET, TAP
from orchestrator.cli.tables import Column
from orchestrator.cli.terminal import can_ask, put, say, say_next
from orchestrator.cli.words import Moment
from orchestrator.errors import UsageError

UNCHANGED = "nothing was changed"

if TYPE_CHECKING:
    from orchestrator.actions.keep_secrets import Recipient, SecretListed


@click.group("secret", cls=Group)
def secret() -> None:
    """Keep secrets in an encrypted file, and say who may read it.

    \b
        orchestrator secret set gitlab-token              asks, and does not show it
        pass show gitlab | orchestrator secret set gitlab-token
        orchestrator secret recipients add ada age1…      from now on ada can read it, too

    They are kept in secrets.age, which belongs in git. orchestrator.toml refers to them: { secret = "gitlab-token" }.
    Who may read the file has an identity, a key in their own config folder, which the first secret makes.
    """


@secret.command("set", context_settings={"allow_extra_args": True})
@click.argument("name", type=SECRET)
@json_option
@click.pass_context
def set_secret(context: click.Context, name: str) -> None:
    """Keep a secret: what is typed, or what comes on stdin.

    It is never an argument: those stand in the history of the shell, and in the list of processes.
    """
    if context.args:
        raise UsageError(
            "a secret is never an argument",
            cause="the history of the shell has it now, and the list of processes had it: take it for known to others",
            data=UNCHANGED,
            hint=shlex.join(["orchestrator", "secret", "set", name]),
        )
    opened = workspace()
    first = not opened.paths.vault.exists()
    kept = opened.set_secret(name, _value(name))
    say(f"✓ {name} is kept in {opened.paths.vault.name}")
    if first:
        _tell_of_identity()
    if not (kept.taps or kept.notify):
        say(f'Refer to it in orchestrator.toml: {{ secret = "{name}" }}')
    answer(name=kept.name, set_at=kept.set_at, taps=kept.taps, notify=kept.notify)


def _value(name: str) -> str:
    if not sys.stdin.isatty():
        # A pipe ends its line; a key of several lines keeps all its other ends.
        return sys.stdin.read().removesuffix("\n").removesuffix("\r")
    if asked().no_input or not can_ask():
        raise UsageError(
            "a secret is typed or comes on stdin",
            data=UNCHANGED,
            hint=f"orchestrator secret set {name} < FILE",
        )
    typed: str = click.prompt(f"{name} (secret)", hide_input=True, err=True)
    return typed


def _tell_of_identity() -> None:
    from orchestrator import Workspace

    identity = Workspace.identity()
    say(f"It is encrypted for the identity in {identity.place}: keep a copy of that, for nothing else opens it.")


@secret.command("list")
@format_option()
def list_secrets(format: str) -> None:
    """List the names of the secrets, and which taps, and [[notify]], refer to them."""
    secrets = workspace().secrets()
    show(format, "secrets", secrets, SECRETS)
    if not secrets:
        say("The vault holds no secret yet.")
        say_next("secret", "set", "NAME")


@secret.command("remove")
@click.argument("name", type=SECRET)
@yes_option
@json_option
def remove_secret(name: str, yes: bool) -> None:
    """Take a secret out of the vault. The history of git keeps it."""
    opened = workspace()
    opened.secret(name)
    confirm(f'Remove the secret "{name}"?', yes=yes, otherwise=f"orchestrator secret remove {name} --yes")
    removed = opened.remove_secret(name)
    say(f"✓ {name} is gone from {opened.paths.vault.name}")
    for tap in removed.taps:
        say(f'note: tap "{tap}" still refers to it')
    for told in removed.notify:
        say(f'note: [[notify]] "{told}" still refers to it, and is told of nothing without it')
    answer(name=name, taps=removed.taps, notify=removed.notify)


@secret.command("move")
@click.argument("tap", type=TAP)
@json_option
def move_secrets(tap: str) -> None:
    """Move the secrets that stand in orchestrator.toml into the vault.

    It looks at what TAP is told, and at what it inherits. A reference takes the place of each secret. Where the file
    was in git, its history still holds them: renew them at their sources.
    """
    opened = workspace()
    first = not opened.paths.vault.exists()
    moved = opened.move_secrets(tap)
    for each in moved:
        say(f'✓ {each.setting} of tap "{each.tap}" is kept in {opened.paths.vault.name}, as {each.secret}')
    if not moved:
        say(f'No secret stands in the settings of tap "{tap}".')
    elif first:
        _tell_of_identity()
    answer(tap=tap, moved=moved)


@secret.command("identity")
@json_option
def show_identity() -> None:
    """Print the public key of the identity that is here; make one where there is none.

    Somebody who reads the vault adds it: orchestrator secret recipients add NAME KEY.
    """
    from orchestrator import Workspace

    identity = Workspace.identity()
    if asked().json:
        answer(public_key=identity.recipient, place=identity.place)
    else:
        put(identity.recipient)
        say(f"The private half is in {identity.place}.")


@secret.group("recipients", cls=Group)
def recipients() -> None:
    """Say who may read the vault."""


@recipients.command("list")
@format_option()
def list_recipients(format: str) -> None:
    """List who may read the vault."""
    found = workspace().recipients()
    show(format, "recipients", found, RECIPIENTS)
    if not found:
        say("There is no vault yet.")
        say_next("secret", "set", "NAME")


@recipients.command("add")
@click.argument("name")
@click.argument("key")
@format_option()
def add_recipient(name: str, key: str, format: str) -> None:
    """Encrypt the vault for one more. KEY is what `orchestrator secret identity` prints where they are."""
    show(format, "recipients", workspace().add_recipient(name, key), RECIPIENTS)
    say(f"✓ {name} can read the vault, as it is from now on")


@recipients.command("remove")
@click.argument("name")
@format_option()
def remove_recipient(name: str, format: str) -> None:
    """Encrypt the vault for all but one."""
    show(format, "recipients", workspace().remove_recipient(name), RECIPIENTS)
    say(f"✓ {name} cannot read what is set from now on; what was in the vault {name} may know: renew it at its source")


SECRETS: "list[Column[SecretListed]]" = [
    Column("secret", lambda each: each.name),
    Column("set", lambda each: Moment(each.set_at)),
    Column("taps", lambda each: ", ".join(each.taps)),
    Column("notify", lambda each: ", ".join(each.notify)),
]
RECIPIENTS: "list[Column[Recipient]]" = [
    Column("recipient", lambda each: each.name),
    Column("public key", lambda each: each.key),
    Column("here", lambda each: each.here),
]
