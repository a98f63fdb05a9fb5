"""Who may open the vault: the age identity of a person or a machine, in their config folder or the system's keyring."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator import durable
from orchestrator.errors import CredentialsError

VARIABLE = "ORCHESTRATOR_IDENTITY"
"""The variable that holds an identity where there is no place to keep one, as in a container. It goes first."""
_SERVICE, _ENTRY = "singer-orchestrator", "identity"
_BEGINS = "AGE-SECRET-KEY-"


@dataclass(frozen=True, slots=True)
class Identity:
    """A key that opens what was sealed for its `recipient`, the public half. `place` tells people where it is kept."""

    place: str
    recipient: str
    _key: str = field(repr=False)

    @classmethod
    def of(cls, text: str, place: str) -> "Identity":
        """The first key of a text as `age-keygen` writes it. Raises CredentialsError where there is none."""
        # Only who opens something pays for the import.
        from pyrage import IdentityError, x25519

        key = next((line.strip() for line in text.splitlines() if line.startswith(_BEGINS)), "")
        try:
            return cls(place, str(x25519.Identity.from_str(key).to_public()), key)
        except IdentityError as error:
            raise CredentialsError(
                f"there is no identity in {place}",
                cause=f"an identity is a line that begins with {_BEGINS}",
                data="nothing was changed",
            ) from error

    def unseal(self, sealed: bytes) -> bytes:
        """What was sealed for this identity. Raises NotForUs, and ValueError for what age did not write."""
        from pyrage import DecryptError, decrypt, x25519

        try:
            return decrypt(sealed, [x25519.Identity.from_str(self._key)])
        except DecryptError as error:
            if str(error) == "No matching keys found":
                raise NotForUs from error
            raise ValueError(str(error)) from error


class NotForUs(Exception):
    """What age wrote is for other recipients."""


def seal(content: bytes, recipients: list[str]) -> bytes:
    """The content as text that only the identities of `recipients` open. Raises ValueError for one that is none."""
    from pyrage import RecipientError, encrypt, x25519

    try:
        return encrypt(content, [x25519.Recipient.from_str(each) for each in recipients], armored=True)
    except RecipientError as error:
        raise ValueError(str(error)) from error


def identity_file(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the identity of this person is kept, if not in the keyring."""
    return Path(environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")) / "orchestrator" / "identity.txt"


def find_identity(environ: Mapping[str, str] = os.environ) -> Identity | None:
    """The identity that is here; None where there is none. Raises CredentialsError for what should be one."""
    if environ.get(VARIABLE):
        return Identity.of(environ[VARIABLE], f"the variable {VARIABLE}")
    file = identity_file(environ)
    try:
        return Identity.of(file.read_text(errors="replace"), _shown(file))
    except FileNotFoundError:
        pass
    except OSError as error:
        raise CredentialsError(f"the identity in {_shown(file)} cannot be read", cause=error.strerror) from error
    kept = _asked(keyring.get_password, _SERVICE, _ENTRY) if (keyring := _keyring()) else None
    return Identity.of(kept, _named(keyring)) if kept else None


def make_identity(environ: Mapping[str, str] = os.environ) -> Identity:
    """A new identity, unless there is one by now. Raises CredentialsError where it cannot be kept."""
    from pyrage import x25519

    file = identity_file(environ)
    try:
        # Two that begin at once must end with one: whoever lost theirs could open nothing any more.
        with durable.alone(durable.make_folder(file.parent)):
            if found := find_identity(environ):
                return found
            new = x25519.Identity.generate()
            text = f"# public key: {new.to_public()}\n{new}\n"
            if keyring := _keyring():
                _asked(keyring.set_password, _SERVICE, _ENTRY, str(new))
                return Identity.of(text, _named(keyring))
            durable.write(file, text)
            return Identity.of(text, _shown(file))
    except OSError as error:
        raise CredentialsError(
            f"an identity cannot be kept in {_shown(file.parent)}",
            cause=error.strerror,
            data="nothing was changed",
            hint=f"export XDG_CONFIG_HOME=FOLDER, or {VARIABLE}=$(age-keygen)",
        ) from error


def _keyring() -> Any:
    """The keyring of the system; None where there is none, or where its package is not installed."""
    try:
        import keyring
    except ImportError:
        return None
    # What stands in for a keyring where there is none has a priority below 1.
    return keyring if getattr(keyring.get_keyring(), "priority", 0) >= 1 else None


def _asked(ask: Any, *words: str) -> Any:
    from keyring.errors import KeyringError

    try:
        return ask(*words)
    except KeyringError as error:
        raise CredentialsError(
            "the keyring of this system does not answer",
            cause=str(error) or type(error).__name__,
            data="nothing was changed",
            hint=f"unlock it, or export {VARIABLE}=AGE-SECRET-KEY-…",
        ) from error


def _named(keyring: Any) -> str:
    return f"the keyring ({keyring.get_keyring().name})"


def _shown(path: Path) -> str:
    home = os.path.expanduser("~")
    return f"~{str(path).removeprefix(home)}" if path.is_relative_to(home) else str(path)
