"""Looks a workspace over: what would keep a run from working, each with what mends it."""

import os
import shutil
import stat
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from orchestrator.actions.deliver import address_of, told
from orchestrator.actions.list_taps import list_taps
from orchestrator.actions.literals import passwords_in_addresses, refuse_literals
from orchestrator.actions.query import reading
from orchestrator.actions.telling import ready, understood
from orchestrator.config import Config, Destination, Sandbox, Tap, read_config
from orchestrator.envs.standing import Standing
from orchestrator.envs.switch import receipt_or_none
from orchestrator.envs.uv import Uv
from orchestrator.errors import DestinationBusy, OrchestratorError
from orchestrator.paths import Paths
from orchestrator.secrets.identity import identity_file
from orchestrator.secrets.vault import Vault
from orchestrator.supervisor.bubblewrap import flaw_of_bubblewrap
from orchestrator.supervisor.launcher import landlock_version

LITTLE_SPACE = 1_000_000_000
NO_SPACE = 100_000_000
"""Bytes free on the disk of the workspace."""


class Verdict(StrEnum):
    OK = "ok"
    WARN = "warn"
    """It works, but not as it should, or not for long."""
    FAIL = "fail"
    """A run that needs it does not work."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at, what was found, and a command that mends it where something does."""

    name: str
    verdict: Verdict
    text: str
    hint: str | None = None


def doctor(paths: Paths) -> tuple[Check, ...]:
    """Looks at everything and changes nothing. Raises nothing that it could tell instead."""
    return tuple(_checks(paths))


def _checks(paths: Paths) -> Iterator[Check]:
    yield _programs(paths)
    yield _space(paths.root)
    yield _privacy(paths)
    if paths.vault.exists():
        yield _vault(paths)
    try:
        config = read_config(paths.config)
    except OrchestratorError as error:
        yield _failed("orchestrator.toml", error)
        return
    known = {"taps": config.taps, "destinations": config.destinations, "flows": config.flows}
    text = "; ".join(f"{kind}: {', '.join(names) or 'none'}" for kind, names in known.items())
    yield Check("orchestrator.toml", Verdict.OK, text)
    yield _sandbox(config.taps.values())
    yield from _environments(paths)
    for tap in config.taps.values():
        yield _settings(paths, tap)
    for destination in config.destinations.values():
        yield _destination(destination)
    if config.notify:
        yield from _notices(paths, config)


def _programs(paths: Paths) -> Check:
    python = f"Python {sys.version.split()[0]}"
    try:
        return Check("programs", Verdict.OK, f"{python}, {Uv(paths.root).run('--version').strip()}")
    except (OrchestratorError, OSError) as error:
        return Check(
            "programs", Verdict.FAIL, f"{python}, but uv does not start: {error}", f"{sys.executable} -m pip install uv"
        )


def _space(root: Path) -> Check:
    free = shutil.disk_usage(root).free
    verdict = Verdict.FAIL if free < NO_SPACE else Verdict.WARN if free < LITTLE_SPACE else Verdict.OK
    return Check("disk", verdict, f"{free / 1e9:.1f} GB free", None if verdict is Verdict.OK else f"df -h {root}")


def _privacy(paths: Paths) -> Check:
    """State and logs may hold what the source keeps from others."""
    open_to_others = [
        folder
        for folder in (paths.state, *(paths.state.iterdir() if paths.state.is_dir() else ()))
        if folder.is_dir() and stat.S_IMODE(folder.stat().st_mode) & 0o077
    ]
    if stat.S_IMODE(paths.root.stat().st_mode) & 0o022:
        # Whoever may write orchestrator.toml says what is run, and is told the secrets.
        return Check("privacy", Verdict.WARN, "others can write into the workspace", f"chmod go-w {paths.root}")
    if not open_to_others:
        return Check("privacy", Verdict.OK, "state/ is readable by you alone")
    return Check("privacy", Verdict.WARN, "others can read state/", f"chmod -R go= {paths.state}")


def _sandbox(taps: Collection[Tap]) -> Check:
    """What is really enforced here, whatever orchestrator.toml says."""
    enclosed = [f'"{tap.id}"' for tap in taps if tap.sandbox is Sandbox.BUBBLEWRAP]
    if enclosed and (flaw := flaw_of_bubblewrap()):
        text = f"tap {', '.join(enclosed)} cannot be started in bubblewrap: {flaw}"
        return Check("sandbox", Verdict.FAIL, text, "bwrap --version")
    version = landlock_version()
    if not version:
        text = "the kernel has no Landlock (Linux has it from 5.13 on): taps reach all that you do"
        if enclosed:
            text += f", but for {', '.join(enclosed)} in bubblewrap"
        return Check("sandbox", Verdict.WARN, text, "uname -r")
    text = f"Landlock {version} keeps taps to what they need"
    if enclosed:
        text += f"; bubblewrap keeps tap {', '.join(enclosed)}"
    gaps = [gap for since, gap in _LANDLOCK_LACKS.items() if version < since]
    if gaps:
        text += f"; before a later kernel not from {', '.join(gaps)}"
    free = [f'"{tap.id}"' for tap in taps if tap.sandbox is Sandbox.NONE]
    if free:
        text += f"; nothing keeps tap {', '.join(free)}"
    return Check("sandbox", Verdict.WARN if gaps or free else Verdict.OK, text)


_LANDLOCK_LACKS = {
    3: "cutting off files (Linux 6.2)",
    6: "signals and abstract sockets of others (Linux 6.12)",
}
"""What Landlock does not know before a version of it."""


def _vault(paths: Paths) -> Check:
    identity = identity_file()
    if identity.exists() and stat.S_IMODE(identity.stat().st_mode) & 0o077:
        return Check("secrets", Verdict.WARN, "others can read the identity that opens them", f"chmod 600 {identity}")
    try:
        content = Vault(paths).read()
    except OrchestratorError as error:
        return _failed("secrets", error)
    people = ", ".join(content.recipients)
    return Check("secrets", Verdict.OK, f"{paths.vault.name} opens here, and holds {len(content.secrets)} for {people}")


def _environments(paths: Paths) -> Iterator[Check]:
    for tap in list_taps(paths):
        name, version = f'tap "{tap.id}"', f"{tap.package} {tap.version or ''}".rstrip()
        match tap.standing:
            case Standing.READY:
                yield Check(name, Verdict.OK, f"{version} is ready on Python {tap.python}")
            case Standing.DIFFERS:
                text = f"its environment is not what envs/{tap.environment}.lock or orchestrator.toml say"
                yield Check(name, Verdict.WARN, text, "orchestrator install")
            case Standing.NOT_INSTALLED:
                yield Check(name, Verdict.FAIL, f"{tap.package} is not installed", "orchestrator install")


def _notices(paths: Paths, config: Config) -> Iterator[Check]:
    """Whether messages could be sent, as far as it can be told without sending one."""
    for each in told(paths, config):
        name, hint = f'notify "{each.notify.name}"', f"orchestrator notify test {each.notify.name}"
        try:
            address_of(paths, each.notify)
        except OrchestratorError as error:
            yield Check(name, Verdict.WARN, " ".join(filter(None, (error.message, error.cause))), hint)
        else:
            said = f"{each.waiting} messages wait: {each.said}"
            yield (
                Check(name, Verdict.WARN, said, hint) if each.said else Check(name, Verdict.OK, "its address is there")
            )


def _settings(paths: Paths, tap: Tap) -> Check:
    name = f'settings of "{tap.id}"'
    try:
        known = understood(paths, tap, receipt_or_none(paths, tap.environment))
        refuse_literals(paths, tap, known)
        ready(paths, tap, known)
    except OrchestratorError as error:
        return _failed(name, error)
    if places := passwords_in_addresses(tap, known):
        text = f"a password stands in orchestrator.toml, in {', '.join(places)}"
        return Check(name, Verdict.WARN, text, f"orchestrator secret move {tap.id}")
    return Check(name, Verdict.OK, "the tap can be told them, and its secrets are there")


def _destination(destination: Destination) -> Check:
    name = f'destination "{destination.id}"'
    place = destination.path if destination.path.exists() else _nearest(destination.path)
    if not os.access(place, os.W_OK):
        return Check(name, Verdict.FAIL, f"{place} cannot be written", f"ls -ld {place}")
    if place != destination.path:
        return Check(name, Verdict.OK, f"{destination.path} will be made by the first run")
    try:
        with reading(destination, patience=1.0):
            return Check(name, Verdict.OK, f"{destination.path} can be read and written")
    except DestinationBusy as error:
        return Check(name, Verdict.WARN, error.message, error.hint)
    except OrchestratorError as error:
        return _failed(name, error)


def _nearest(path: Path) -> Path:
    """The folder that is there, on the way to a path that is not."""
    return next(parent for parent in path.parents if parent.exists())


def _failed(name: str, error: OrchestratorError) -> Check:
    text = f"{error.message}: {error.cause}" if error.cause else error.message
    return Check(name, Verdict.FAIL, text, error.hint)
