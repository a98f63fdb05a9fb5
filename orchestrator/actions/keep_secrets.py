"""Secrets of the vault: sets them, lists them with who refers to them, removes them; and lets people in."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.actions.telling import references
from orchestrator.config import Config, Reference, read_config
from orchestrator.errors import UsageError
from orchestrator.paths import Paths
from orchestrator.secrets.identity import Identity, find_identity, make_identity
from orchestrator.secrets.vault import UNCHANGED, Vault, check_name, no_such_secret


@dataclass(frozen=True, slots=True)
class SecretListed:
    """A secret of the vault: its name, when it was set (RFC 3339, UTC), and who refers to it: taps, and each
    `[[notify]]` whose address it is."""

    name: str
    set_at: str
    taps: tuple[str, ...]
    notify: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody who may read the vault. `here` is whether it is who reads it now."""

    name: str
    key: str
    here: bool


def set_secret(paths: Paths, name: str, value: str) -> SecretListed:
    """Keeps a secret, in the place of the one that had its name before. Where there is no vault one is made, and an
    identity where there is none.

    Raises UsageError for a name or a value that cannot be, CredentialsError, DamagedFile; nothing is changed then.
    """
    check_name(name)
    if not value:
        raise UsageError(f'the secret "{name}" is empty', data=UNCHANGED)
    Vault(paths).change(lambda content: content.with_secrets({name: value}))
    return find_secret(paths, name)


def list_secrets(paths: Paths) -> tuple[SecretListed, ...]:
    """The secrets by their names; their values stay where they are. Raises CredentialsError, DamagedFile."""
    config = read_config(paths.config)
    secrets = Vault(paths).read().secrets
    return tuple(_listed(config, name, secrets[name].set_at) for name in sorted(secrets))


def find_secret(paths: Paths, name: str) -> SecretListed:
    """One of them. Raises UnknownName, CredentialsError, DamagedFile."""
    known = {each.name: each for each in list_secrets(paths)}
    if name not in known:
        raise no_such_secret(name, known)
    return known[name]


def remove_secret(paths: Paths, name: str) -> SecretListed:
    """Removes a secret; gives it as it was listed, with who still refers to it.

    Raises UnknownName, CredentialsError, DamagedFile.
    """
    removed = find_secret(paths, name)
    Vault(paths).change(lambda content: content.without_secrets([name]))
    return removed


def own_identity(environ: Mapping[str, str] = os.environ) -> Identity:
    """The identity that is here; one is made where there is none. Raises CredentialsError."""
    return find_identity(environ) or make_identity(environ)


def recipients(paths: Paths) -> tuple[Recipient, ...]:
    """Everybody who may read the vault. Raises CredentialsError, DamagedFile."""
    return _recipients(Vault(paths).read().recipients)


def add_recipient(paths: Paths, name: str, key: str) -> tuple[Recipient, ...]:
    """Encrypts the vault for somebody more; `key` is their public key. Gives all that may read it now.

    Raises UsageError for a name that is taken and a key that is none, CredentialsError, DamagedFile.
    """
    return _recipients(Vault(paths).change(lambda content: content.with_recipient(check_name(name), key)).recipients)


def remove_recipient(paths: Paths, name: str) -> tuple[Recipient, ...]:
    """Encrypts the vault for everybody but one. What they have read they know: only new secrets are new to them.

    Raises UnknownName, UsageError for who reads it here, CredentialsError, DamagedFile.
    """
    if any(each.here and each.name == name for each in recipients(paths)):
        raise UsageError(
            f'"{name}" is the identity that is here',
            cause="without it the vault could not be opened here any more",
            data=UNCHANGED,
            hint="somebody else who reads the vault can remove it",
        )
    return _recipients(Vault(paths).change(lambda content: content.without_recipient(name)).recipients)


def _recipients(keys: Mapping[str, str]) -> tuple[Recipient, ...]:
    identity = find_identity()
    return tuple(Recipient(name, key, bool(identity and key == identity.recipient)) for name, key in keys.items())


def _listed(config: Config, name: str, set_at: str) -> SecretListed:
    sought = Reference("secret", name)
    taps = (tap.id for tap in config.taps.values() if sought in (*references(tap.config), *references(tap.env)))
    return SecretListed(name, set_at, tuple(taps), tuple(each.name for each in config.notify if each.to == sought))
