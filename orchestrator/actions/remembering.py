"""What a run runs with, as it is remembered: without secrets, and so that two runs can be compared."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from orchestrator.actions.starting import Prepared
from orchestrator.config import Destination, Flow, Reference, Tap
from orchestrator.paths import Paths
from orchestrator.secrets import names_a_secret
from orchestrator.secrets.redaction import MASK
from orchestrator.state import Circumstances, Documents


def circumstances_of(
    paths: Paths, documents: Documents, flow: Flow, destination: Destination, prepared: Prepared
) -> Circumstances:
    """Keeps what is known of a run before it begins. Raises DestinationFull, RunFailed."""
    lock = paths.built_lock(prepared.tap.environment, prepared.receipt.environment)
    settings = {"flow": flow, "destination": destination, "tap": _said(prepared)}
    return Circumstances(
        lock=documents.keep(lock.read_bytes()) if lock.exists() else None,
        settings=documents.keep_settings(msgspec.to_builtins(settings, enc_hook=_as_text)),
    )


def _said(prepared: Prepared) -> dict[str, Any]:
    """The settings of a tap, those of its variables among them."""
    tap = prepared.tap
    said = {name: getattr(tap, name) for name in Tap.__slots__ if name not in ("id", "namesakes")}
    said |= {"config": prepared.written, "env": tap.env}
    plain: dict[str, Any] = _without_secrets(said)
    cleaned: dict[str, Any] = prepared.redaction.clean(plain)
    return {"version": prepared.receipt.version, "runs_on": prepared.receipt.python_version, **cleaned}


def _without_secrets(value: Any, *, named: bool = False) -> Any:
    """The value with references as they are written, and nothing under the name of a secret."""
    match value:
        case Reference():
            return str(value)
        case Mapping():
            return {key: _without_secrets(each, named=named or names_a_secret(str(key))) for key, each in value.items()}
        case list() | tuple():
            return [_without_secrets(each, named=named) for each in value]
        case str() | int() if named and not isinstance(value, bool):
            return MASK
    return value


def _as_text(value: Any) -> str:
    assert isinstance(value, Path)
    return str(value)
