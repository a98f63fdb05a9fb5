"""Puts secrets in the place of the references that orchestrator.toml holds instead of them."""

import os
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from orchestrator.config import Reference, closest
from orchestrator.errors import CredentialsError
from orchestrator.paths import Paths
from orchestrator.secrets.identity import VARIABLE
from orchestrator.secrets.vault import Vault

PATIENCE = 60.0
"""Seconds that a command has to print a secret. Some ask a person first."""


class Sources:
    """Where references lead: the vault, variables, files (from the workspace on), commands. Each is asked once."""

    def __init__(self, paths: Paths, environ: Mapping[str, str] = os.environ) -> None:
        self._paths = paths
        self._environ = environ
        self._vault = cache(lambda: Vault(paths, environ).read().secrets)
        self._printed = cache(self._print)

    def secret(self, reference: Reference) -> str:
        """What a reference leads to. Raises Absent, and what opening the vault does."""
        match reference:
            case Reference("secret", str(name)):
                value = self._from_vault(name)
            case Reference("file", str(name)):
                value = self._from_file(name)
            case Reference("command", tuple(words)):
                value = self._printed(words)
            case Reference(_, str(name)):
                value = self._from_environment(name)
            case _:
                raise ValueError(reference)
        # An empty secret is a slip of a script or a shell; the source would only answer "refused".
        if not value:
            raise Absent(f"{named(reference)} is empty")
        return value

    def _from_vault(self, name: str) -> str:
        secrets = self._vault()
        if name not in secrets:
            near = closest(name, secrets)
            raise Absent(f'the vault has no secret "{name}"' + (f'; did you mean "{near}"?' if near else ""))
        return secrets[name].value

    def _from_environment(self, name: str) -> str:
        if name not in self._environ:
            raise Absent(f"the variable {name} is not set")
        if not _is_unicode(self._environ[name]):
            raise Absent(f"the variable {name} is not UTF-8 text")
        return self._environ[name]

    def _from_file(self, name: str) -> str:
        try:
            content = (self._paths.root / os.path.expanduser(name)).read_bytes()
        except OSError as error:
            raise Absent(f"the file {name} cannot be read ({error.strerror})") from error
        return _text(content, f"the file {name}")

    def _print(self, words: tuple[str, ...]) -> str:
        """What a command prints. Its stderr is dropped: nobody knows which secrets stand in it."""
        command = shlex.join(words)
        try:
            ended = subprocess.run(
                words,
                cwd=self._paths.root,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={name: value for name, value in self._environ.items() if name != VARIABLE},
                timeout=PATIENCE,
            )
        except OSError as error:
            raise Absent(f"{command} cannot be started ({error.strerror})") from error
        except subprocess.TimeoutExpired as error:
            raise Absent(f"{command} did not end within {PATIENCE:g} s") from error
        if ended.returncode:
            raise Absent(f"{command} ended with exit code {ended.returncode}")
        return _text(ended.stdout, f"what {command} prints")


class Absent(Exception):
    """There is no secret where a reference leads; the text says why."""


def _text(content: bytes, what: str) -> str:
    try:
        return content.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise Absent(f"{what} is not UTF-8 text") from error


def _is_unicode(value: str) -> bool:
    # Bytes of a variable that are no UTF-8 come as lone surrogates, which no config file can hold.
    return not any("\ud800" <= character <= "\udfff" for character in value)


def named(reference: Reference) -> str:
    """What a reference names, in one word or command line."""
    return reference.name if isinstance(reference.name, str) else shlex.join(reference.name)


def resolve(config: Mapping[str, Any], *, tap: str, sources: Sources) -> dict[str, Any]:
    """A copy of a tap's config that holds the secrets themselves.

    Raises CredentialsError, which names every secret that is missing and the setting that needs it, and what opening
    the vault does.
    """
    resolved, missing = look_up(config, sources)
    if missing:
        raise credentials_error(tap, missing)
    return resolved


@dataclass(frozen=True, slots=True)
class Missing:
    """A reference that leads to no secret. `setting` is what needs it, `why` a sentence without an end."""

    setting: str
    reference: Reference
    why: str

    def __str__(self) -> str:
        return f"{self.setting}: {self.why}"


def look_up(config: Mapping[str, Any], sources: Sources) -> tuple[dict[str, Any], list[Missing]]:
    """The same as `resolve`, with None in the place of what is missing, and all that is."""
    missing: list[Missing] = []

    def filled(setting: str, value: Any) -> Any:
        match value:
            case Reference():
                try:
                    return sources.secret(value)
                except Absent as absent:
                    missing.append(Missing(setting, value, str(absent)))
                    return None
            case Mapping():
                return {key: filled(f"{setting}.{key}", below) for key, below in value.items()}
            case list():
                return [filled(f"{setting}[{index}]", below) for index, below in enumerate(value)]
        return value

    return {key: filled(key, value) for key, value in config.items()}, missing


def credentials_error(tap: str, missing: list[Missing]) -> CredentialsError:
    """One error for all that is missing."""
    if len(missing) == 1:
        message, cause = f'tap "{tap}" needs {missing[0].setting}', missing[0].why
    else:
        message = f'tap "{tap}" needs {len(missing)} settings that are not there'
        cause = "\n         ".join(map(str, missing))
    return CredentialsError(message, cause=cause, data="the tap was not started", hint=_mending(missing))


def _mending(missing: list[Missing]) -> str:
    """What brings the first kind of what is missing."""

    def names(kind: str) -> list[str]:
        return list(dict.fromkeys(named(each.reference) for each in missing if each.reference.kind == kind))

    if variables := names("env"):
        return f"export {' '.join(f'{name}=...' for name in variables)}"
    if secrets := names("secret"):
        return " && ".join(f"orchestrator secret set {shlex.quote(name)}" for name in secrets)
    if files := names("file"):
        return f"write it to {', '.join(files)}"
    return names("command")[0]
