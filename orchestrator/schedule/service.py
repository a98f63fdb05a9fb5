"""`up` as a service of the user, which the system starts and starts again: a unit of systemd, or an agent of
launchd."""

import hashlib
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator import durable
from orchestrator.config import Config
from orchestrator.errors import UsageError
from orchestrator.paths import Paths, home
from orchestrator.schedule.launchd import agent
from orchestrator.schedule.systemd import unit


@dataclass(frozen=True, slots=True)
class Service:
    """A file in which a service is described, and the commands that start it, show its log, and end it."""

    file: Path
    text: str
    start: tuple[str, ...]
    follow: str
    end: str
    links: tuple[Path, ...] = ()
    """What the system makes where the service is enabled."""

    def install(self) -> bool:
        """Writes the file. Whether it is another than before."""
        if self.file.exists() and self.file.read_text() == self.text:
            return False
        # The folders are those of the user's other services, not ours alone.
        self.file.parent.mkdir(parents=True, exist_ok=True)
        durable.write(self.file, self.text, mode=0o644)
        return True

    def uninstall(self) -> bool:
        """Whether there was one."""
        was_there = self.file.exists()
        for each in (*self.links, self.file):
            each.unlink(missing_ok=True)
        return was_there


def service_of(paths: Paths, config: Config, options: Sequence[str], system: str = sys.platform) -> Service:
    """The service that keeps the schedules of a workspace: `up` with these options. Raises UsageError for a path that a
    unit cannot name, and for a system without services of users."""
    name = _name(paths.root)
    command = [sys.executable, "-P", "-m", "orchestrator", "up", "--workspace", str(paths.root), *options]
    if any(re.search(r"[\x00-\x1f\x7f]", word) for word in command):
        raise UsageError(f"{paths.root} cannot be the folder of a service", cause="a letter of its name is none")
    if system == "darwin":
        file = home() / "Library" / "LaunchAgents" / f"{name}.plist"
        label, domain = f"{name}", f"gui/{os.getuid()}"
        log = paths.state / "up.log"
        return Service(
            file,
            agent(label, command, paths.root, log),
            start=(f"launchctl bootstrap {domain} {_word(file)}",),
            follow=f"tail -f {_word(log)}",
            end=f"launchctl bootout {domain}/{label}",
        )
    if system != "linux":
        raise UsageError(f"services are installed on Linux and macOS, and this is {system}", hint="orchestrator up")
    folder = Path(os.environ.get("XDG_CONFIG_HOME") or home() / ".config") / "systemd" / "user"
    return Service(
        folder / f"{name}.service",
        unit(command, paths.root, paths.service_variables, _written_by(paths, config)),
        start=(
            "systemctl --user daemon-reload",
            f"systemctl --user enable --now {name}",
            "loginctl enable-linger        (it then runs without you being logged in)",
        ),
        follow=f"journalctl --user -u {name} -f",
        end=f"systemctl --user stop {name}; systemctl --user daemon-reload",
        links=(folder / "default.target.wants" / f"{name}.service",),
    )


def _name(root: Path) -> str:
    """One for each workspace, also where folders have the same name."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", root.name).strip("-") or "workspace"
    return f"orchestrator-{plain}-{hashlib.blake2b(os.fsencode(root), digest_size=3).hexdigest()}"


def _written_by(paths: Paths, config: Config) -> list[Path]:
    """What runs write: the workspace, the folders of destinations, and what taps may write."""
    folders = {paths.root, *(each.path.parent for each in config.destinations.values())}
    folders |= {folder for tap in config.taps.values() for folder in tap.allow_write}
    return sorted(each for each in folders if each == paths.root or not each.is_relative_to(paths.root))


def _word(path: Path) -> str:
    # Only who installs pays for the import.
    import shlex

    return shlex.quote(str(path))
