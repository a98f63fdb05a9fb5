"""Holds the locks against the vulnerabilities that were published."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.config import read_config
from orchestrator.envs.audit import Vulnerability, audit
from orchestrator.envs.lock import read_lock
from orchestrator.envs.uv import Uv
from orchestrator.errors import NotInstalled
from orchestrator.paths import Paths


@dataclass(frozen=True, slots=True)
class TapAudited:
    """What is known of the packages that the lock of a tap names; `packages` counts those that were looked up."""

    id: str
    packages: int
    vulnerabilities: tuple[Vulnerability, ...]


def audit_taps(paths: Paths, ids: Sequence[str] = ()) -> tuple[TapAudited, ...]:
    """Audits the environments that these taps run in; without any, those of all taps that have a lock.

    Raises UnknownName, ConfigError, DamagedFile; NotInstalled for a tap that was named and has no lock; CannotAudit.
    """
    config = read_config(paths.config)
    named = [config.tap(id).environment for id in ids]
    audited = []
    for id in dict.fromkeys(named or (tap.environment for tap in config.taps.values())):
        lock = read_lock(paths.lock(id))
        if lock is not None:
            packages = sum(pin.comes_from_a_registry for pin in lock.pins())
            audited.append(TapAudited(id, packages, audit(Uv(paths.root), lock)))
        elif named:
            raise NotInstalled(f'tap "{id}" has no lock yet', hint="orchestrator install")
    return tuple(audited)
