"""Secrets that were typed for a setting: they go to the vault, under the name of the tap and the setting."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from orchestrator.config import Reference
from orchestrator.errors import OrchestratorError
from orchestrator.paths import Paths
from orchestrator.secrets.vault import Content, Vault


def name_for(tap: str, setting: str) -> str:
    """What the secret of a setting is called in the vault: `gitlab.private_token`."""
    return f"{tap}.{setting}"


@contextmanager
def keeping(paths: Paths, secrets: Mapping[str, str]) -> Iterator[None]:
    """Puts secrets into the vault before the block runs; if it fails, they are as they were.

    Raises CredentialsError, DamagedFile.
    """
    before = Content({}, {})

    def put(content: Content) -> Content:
        nonlocal before
        before = content
        return content.with_secrets(secrets)

    if not secrets:
        yield
        return
    Vault(paths).change(put)
    try:
        yield
    except BaseException:
        Vault(paths).change(lambda content: content.without_secrets(secrets).with_kept(before, secrets))
        raise


def forget(paths: Paths, tap: str, references: Iterable[Reference]) -> bool:
    """Removes from the vault what was kept of a tap and is referred to no more. What a person named otherwise stays.
    Tells whether it could: who cannot open the vault may still change orchestrator.toml."""
    own = name_for(tap, "")
    names = [str(each.name) for each in references if each.kind == "secret" and str(each.name).startswith(own)]
    if not names:
        return True
    try:
        Vault(paths).change(lambda content: content.without_secrets(content.secrets.keys() & names))
    except OrchestratorError:
        return False
    return True
