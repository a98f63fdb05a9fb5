"""secrets.age: the secrets of a workspace in one file, encrypted for all who may read them, so that git can have it.

Inside is JSON: the recipients by their names, and the secrets. `age -d -i IDENTITY secrets.age` shows it. Recipients
stand inside, and not beside: who may only push to the repository cannot slip one in.
"""

import os
from collections.abc import Callable, Collection, Mapping

import msgspec

from orchestrator import durable
from orchestrator.clock import rfc3339
from orchestrator.config import closest
from orchestrator.errors import CredentialsError, DamagedFile, UnknownName, UsageError
from orchestrator.paths import Paths
from orchestrator.secrets.identity import VARIABLE, Identity, NotForUs, find_identity, make_identity, seal

FORMAT = 1
UNCHANGED = "the vault is as it was"
_LONGEST_NAME = 200


class Kept(msgspec.Struct, frozen=True):
    """One secret, and when it was set (RFC 3339, UTC)."""

    value: str
    set_at: str

    def __repr__(self) -> str:
        return f"Kept(set_at={self.set_at!r})"


class Content(msgspec.Struct, frozen=True):
    """What the vault holds: public keys by the names of whom they belong to, and secrets by theirs."""

    recipients: dict[str, str]
    secrets: dict[str, Kept]
    format: int = FORMAT

    def with_secrets(self, secrets: Mapping[str, str]) -> "Content":
        """The same with these values; one that is there already keeps its time."""
        now = rfc3339()
        new = {
            name: Kept(value, now)
            for name, value in secrets.items()
            if name not in self.secrets or self.secrets[name].value != value
        }
        return msgspec.structs.replace(self, secrets={**self.secrets, **new})

    def without_secrets(self, names: Collection[str]) -> "Content":
        """The same without these, as far as they are there."""
        return msgspec.structs.replace(
            self, secrets={name: kept for name, kept in self.secrets.items() if name not in names}
        )

    def with_kept(self, before: "Content", names: Collection[str]) -> "Content":
        """The same with these secrets of an earlier content, as far as they were there."""
        kept = {name: kept for name, kept in before.secrets.items() if name in names}
        return msgspec.structs.replace(self, secrets=self.secrets | kept)

    def with_recipient(self, name: str, key: str) -> "Content":
        """Raises UsageError for a name that is taken and a key that is none."""
        if self.recipients.get(name, key) != key:
            raise UsageError(
                f'there is a recipient "{name}" already, with another key',
                data=UNCHANGED,
                hint=f"orchestrator secret recipients remove {name}",
            )
        try:
            seal(b"", [key])
        except ValueError as error:
            # It is not repeated: a private key is what is mistaken for one.
            raise UsageError(
                f'what was given for "{name}" is no public key',
                cause=f"a public key begins with age1 ({error})",
                data=UNCHANGED,
                hint="orchestrator secret identity        (where they are; it prints theirs)",
            ) from error
        return msgspec.structs.replace(self, recipients={**self.recipients, name: key})

    def without_recipient(self, name: str) -> "Content":
        """Raises UnknownName for one that is not there."""
        if name not in self.recipients:
            raise UnknownName(
                f'there is no recipient "{name}"',
                cause=f"there are {', '.join(self.recipients)}",
                data=UNCHANGED,
                hint=_near(name, self.recipients) or "orchestrator secret recipients list",
            )
        return msgspec.structs.replace(
            self, recipients={other: key for other, key in self.recipients.items() if other != name}
        )


class Vault:
    """The file, and the identity that opens it here."""

    def __init__(self, paths: Paths, environ: Mapping[str, str] = os.environ) -> None:
        self._paths = paths
        self._environ = environ

    def read(self) -> Content:
        """What it holds; nothing where there is no file. Raises CredentialsError, DamagedFile."""
        sealed = self._sealed()
        return Content({}, {}) if sealed is None else self._opened(sealed, self._identity())

    def change(self, change: Callable[[Content], Content]) -> Content:
        """Writes what `change` makes of the content, and gives it. Where there is no vault yet one is made, with an
        identity if there is none, who is its first recipient. Raises CredentialsError, DamagedFile, and what `change`
        raises; the file is then as it was."""
        with durable.alone(self._paths.root):
            sealed = self._sealed()
            if sealed is None:
                content = Content({_own_name(self._environ): make_identity(self._environ).recipient}, {})
            else:
                content = self._opened(sealed, self._identity())
            changed = change(content)
            if sealed is None or changed != content:
                text = seal(msgspec.json.encode(changed), [*changed.recipients.values()])
                durable.write(self._paths.vault, text)
            return changed

    def _sealed(self) -> bytes | None:
        try:
            return self._paths.vault.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise CredentialsError(f"{self._name} cannot be read", cause=error.strerror) from error

    @property
    def _name(self) -> str:
        return self._paths.vault.name

    def _identity(self) -> Identity:
        if identity := find_identity(self._environ):
            return identity
        raise CredentialsError(
            f"there is no identity here that opens {self._name}",
            cause=f"none is in the config folder or the keyring, and {VARIABLE} is not set",
            data=UNCHANGED,
            hint="orchestrator secret identity        (it makes one; whoever reads the vault lets it in)",
        )

    def _opened(self, sealed: bytes, identity: Identity) -> Content:
        try:
            return msgspec.json.decode(identity.unseal(sealed), type=Content)
        except NotForUs as error:
            raise CredentialsError(
                f"the identity in {identity.place} does not open {self._name}",
                cause="it is encrypted for others",
                data=UNCHANGED,
                hint=f"orchestrator secret recipients add NAME {identity.recipient}        (typed by one of them)",
            ) from error
        except (ValueError, msgspec.DecodeError) as error:
            torn = b"\n<<<<<<< " in sealed or sealed.startswith(b"<<<<<<< ")
            raise DamagedFile(
                f"{self._name} is damaged",
                cause="git could not merge two changes of it" if torn else str(error),
                data="nothing was written over it",
                hint=f"git checkout {'--ours ' if torn else ''}{self._name}"
                + ("        (and set again what the other side changed)" if torn else ""),
            ) from error


def check_name(name: str) -> str:
    """The name, if a secret can have it. Raises UsageError."""
    if not name or name != name.strip() or len(name) > _LONGEST_NAME or name.startswith("-") or not name.isprintable():
        raise UsageError(
            f"{name!r} cannot be the name of a secret",
            cause=f"a name is one line of at most {_LONGEST_NAME} characters, and does not start with -",
            data=UNCHANGED,
        )
    return name


def no_such_secret(name: str, known: Mapping[str, object]) -> UnknownName:
    return UnknownName(
        f'there is no secret "{name}" in the vault',
        cause=f"it holds {', '.join(sorted(known))}" if known else "it holds nothing yet",
        data=UNCHANGED,
        hint=_near(name, known) or "orchestrator secret list",
    )


def _near(name: str, known: Mapping[str, object]) -> str | None:
    return f'did you mean "{near}"?' if (near := closest(name, known)) else None


def _own_name(environ: Mapping[str, str]) -> str:
    """What the first recipient is called: as who sits there is called."""
    import getpass

    try:
        return environ.get("USER") or getpass.getuser()
    except (OSError, KeyError):
        return "me"
