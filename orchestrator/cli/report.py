"""What one attaches to an issue: versions, checks, what taps are told and how flows ended, without secrets."""

import json
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from orchestrator.actions.telling import references
from orchestrator.cli.settings import masked
from orchestrator.cli.words import document
from orchestrator.errors import OrchestratorError
from orchestrator.secrets import Redaction
from orchestrator.secrets.vault import Vault

if TYPE_CHECKING:
    from orchestrator import Workspace
    from orchestrator.actions.doctor import Check
    from orchestrator.actions.show_tap import TapShown
    from orchestrator.actions.status import FlowStatus

_PACKAGES = ("singer-orchestrator", "duckdb", "pyarrow", "msgspec", "pyrage", "uv")
_LAST_WORDS = 20
"""Lines of the log of the newest run of each flow."""


def report_on(workspace: "Workspace", checks: "tuple[Check, ...]") -> Mapping[str, Any]:
    """The members of a document. What cannot be read is left out: `checks` tell why."""
    members: dict[str, Any] = {"versions": dict(_versions()), "checks": checks}
    with suppress(OrchestratorError):
        members["taps"] = [_tap(workspace.tap(id)) for id in workspace.config.taps]
    with suppress(OrchestratorError):
        members["flows"] = [_flow(workspace, each) for each in workspace.status()]
    # All of it was written without secrets. This is the copy that leaves the house.
    cleaned: Mapping[str, Any] = Redaction(_secrets(workspace)).clean(json.loads(document(**members)))
    return {name: value for name, value in cleaned.items() if name != "schema"}


def _versions() -> Iterator[tuple[str, str]]:
    yield "system", platform.platform()
    yield "python", platform.python_version()
    for package in _PACKAGES:
        with suppress(PackageNotFoundError):
            yield package, version(package)


def _tap(tap: "TapShown") -> dict[str, Any]:
    told = {each.name: masked(each.value, hide=each.secret) for each in tap.settings.told}
    return {
        **{name: getattr(tap.listed, name) for name in ("id", "package", "version", "python", "standing")},
        "takes": tap.listed.capabilities,
        "sandbox": tap.settings.of.sandbox,
        "told": told,
        "variables": tap.variables,
        "streams": None if tap.streams is None else len(tap.streams),
    }


def _flow(workspace: "Workspace", flow: "FlowStatus") -> dict[str, Any]:
    words = [*workspace.log(flow.flow)][-_LAST_WORDS:] if flow.run else []
    return {"flow": flow.flow, "tap": flow.tap, "stands": flow.words, "run": flow.run, "last_words": words}


def _secrets(workspace: "Workspace") -> Iterator[str]:
    """Those that are at hand without starting a program."""
    with suppress(OrchestratorError):
        yield from (secret.value for secret in Vault(workspace.paths).read().secrets.values())
    with suppress(OrchestratorError):
        for tap in workspace.config.taps.values():
            for each in (*references(tap.config), *references(tap.env)):
                if each.kind == "env" and (value := os.environ.get(str(each.name))):
                    yield value
