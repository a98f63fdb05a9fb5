"""Asks what is known of the packages of a lock: vulnerabilities that were published, by way of pip-audit."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import msgspec

from orchestrator.envs.lock import Lock
from orchestrator.envs.uv import Uv, UvFailed, complaint
from orchestrator.errors import CannotAudit

SERVICES = ("pypi", "osv")
"""The feeds that pip-audit can ask, in the order in which they are."""


@dataclass(frozen=True, slots=True)
class Vulnerability:
    """One that was published of a locked version. `aliases` are other names, such as CVE numbers; `fixed_in` are the
    versions that do not have it."""

    package: str
    version: str
    id: str
    aliases: tuple[str, ...]
    fixed_in: tuple[str, ...]


class _Known(msgspec.Struct, frozen=True):
    id: str
    fix_versions: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


class _Dependency(msgspec.Struct, frozen=True):
    name: str
    version: str | None = None
    vulns: tuple[_Known, ...] | None = None


class _Report(msgspec.Struct, frozen=True):
    dependencies: tuple[_Dependency, ...]


def audit(uv: Uv, lock: Lock) -> tuple[Vulnerability, ...]:
    """What is known of the packages that this machine installs from a lock; those from git and folders are left out.

    pip-audit runs in an environment of its own, which uv makes. Raises CannotAudit when no feed answers.
    """
    pins = [f"{pin.name}=={pin.version}\n" for pin in lock.pins() if pin.comes_from_a_registry]
    said = []
    for service in SERVICES:
        try:
            return _vulnerabilities(_report(uv, "".join(pins), service))
        except (UvFailed, msgspec.DecodeError, LookupError) as error:
            said.append(f"{service}: {complaint(error.said) if isinstance(error, UvFailed) else error}")
    raise CannotAudit(
        "no feed of known vulnerabilities can be reached",
        cause="; ".join(said),
        data="nothing is known to be safe, and nothing to be unsafe",
        hint="check the network, and then again: orchestrator taps audit",
    )


def _report(uv: Uv, pins: str, service: str) -> _Report:
    with tempfile.TemporaryDirectory() as folder:
        requirements, report = Path(folder, "pins.txt"), Path(folder, "report.json")
        requirements.write_text(pins)
        try:
            uv.run(
                *("tool", "run", "--from", "pip-audit", "pip-audit", "--requirement", requirements),
                *("--no-deps", "--disable-pip", "--progress-spinner", "off", "--vulnerability-service", service),
                *("--format", "json", "--output", report),
            )
        except UvFailed:
            # It ends with 1 when it found something, too.
            if not report.exists():
                raise
        return msgspec.json.decode(report.read_bytes(), type=_Report)


def _vulnerabilities(report: _Report) -> tuple[Vulnerability, ...]:
    answered = [each for each in report.dependencies if each.vulns is not None]
    if report.dependencies and not answered:
        # A feed that cannot be reached looks to pip-audit like one that knows none of the packages.
        raise LookupError("it knows none of the packages")
    return tuple(
        Vulnerability(each.name, each.version or "", known.id, known.aliases, known.fix_versions)
        for each in answered
        for known in each.vulns or ()
    )
