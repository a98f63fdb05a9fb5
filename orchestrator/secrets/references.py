"""Puts secrets in the place of the references that orchestrator.toml holds instead of them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.config import Reference
from orchestrator.errors import CredentialsError


def resolve(
    config: Mapping[str, Any], *, tap: str, root: Path, environ: Mapping[str, str] = os.environ
) -> dict[str, Any]:
    """A copy of a tap's config that holds the secrets themselves. Paths of files start at `root`.

    Raises CredentialsError, which names every secret that is missing and the setting that needs it.
    """
    resolved, missing = look_up(config, root=root, environ=environ)
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


def look_up(
    config: Mapping[str, Any], *, root: Path, environ: Mapping[str, str] = os.environ
) -> tuple[dict[str, Any], list[Missing]]:
    """The same as `resolve`, with None in the place of what is missing, and all that is."""
    missing: list[Missing] = []

    def filled(setting: str, value: Any) -> Any:
        match value:
            case Reference():
                try:
                    return _secret(value, root, environ)
                except _Absent as absent:
                    missing.append(Missing(setting, value, str(absent)))
                    return None
            case Mapping():
                return {key: filled(f"{setting}.{key}", below) for key, below in value.items()}
            case list():
                return [filled(f"{setting}[{index}]", below) for index, below in enumerate(value)]
        return value

    return {key: filled(key, value) for key, value in config.items()}, missing


class _Absent(Exception):
    """There is no secret where a reference leads; the text says why."""


def _secret(reference: Reference, root: Path, environ: Mapping[str, str]) -> str:
    value = _from_file(root, reference.name) if reference.kind == "file" else _from_environment(environ, reference.name)
    # An empty secret is a slip of a script or a shell; the source would only answer "refused".
    if not value:
        raise _Absent(f"{reference.name} is empty")
    return value


def _from_environment(environ: Mapping[str, str], name: str) -> str:
    if name not in environ:
        raise _Absent(f"the variable {name} is not set")
    if not _is_unicode(environ[name]):
        raise _Absent(f"the variable {name} is not UTF-8 text")
    return environ[name]


def _is_unicode(value: str) -> bool:
    # Bytes of a variable that are no UTF-8 come as lone surrogates, which no config file can hold.
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _from_file(root: Path, name: str) -> str:
    try:
        text = (root / os.path.expanduser(name)).read_bytes().decode()
    except OSError as error:
        raise _Absent(f"the file {name} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise _Absent(f"the file {name} is not UTF-8 text") from error
    return text.removesuffix("\n").removesuffix("\r")


def credentials_error(tap: str, missing: list[Missing]) -> CredentialsError:
    """One error for all that is missing."""
    variables = list(dict.fromkeys(each.reference.name for each in missing if each.reference.kind == "env"))
    files = list(dict.fromkeys(each.reference.name for each in missing if each.reference.kind == "file"))
    hint = f"export {' '.join(f'{name}=...' for name in variables)}" if variables else f"write it to {', '.join(files)}"
    if len(missing) == 1:
        message, cause = f'tap "{tap}" needs {missing[0].setting}', missing[0].why
    else:
        message = f'tap "{tap}" needs {len(missing)} settings that are not there'
        cause = "\n         ".join(map(str, missing))
    return CredentialsError(message, cause=cause, data="the tap was not started", hint=hint)
