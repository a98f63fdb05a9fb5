"""The unit of systemd that keeps schedules, with as little as `up`, its runs and their taps need.

What is not there, and why: `RestrictNamespaces`, because `sandbox = "bubblewrap"` makes namespaces;
`MemoryDenyWriteExecute`, because taps may run code that is made on the spot; `ProtectKernelModules`,
`ProtectKernelLogs`, `ProtectClock` and `CapabilityBoundingSet`, because a manager of a user may not drop what it
does not have, and the service would not start.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

_UNIT = """\
# Written by orchestrator up --install; orchestrator up --uninstall takes it away.
[Unit]
Description=Schedules of {root}
# However often it fails, it is started again.
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart={command}
WorkingDirectory={folder}
EnvironmentFile=-{variables}
Restart=on-failure
RestartSec=10
# Somebody else keeps the schedules of this workspace already.
RestartPreventExitStatus=5
# up asks its runs to stop after their next commit.
KillMode=mixed
TimeoutStopSec=5min

UMask=0077
NoNewPrivileges=yes
PrivateTmp={private}
ProtectSystem=strict
ReadWritePaths={written}
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictSUIDSGID=yes
RestrictRealtime=yes
LockPersonality=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
SystemCallFilter=~@clock @cpu-emulation @module @obsolete @raw-io @reboot @swap
SystemCallErrorNumber=EPERM

[Install]
WantedBy=default.target
"""


_TEMPORARY = ("/tmp", "/var/tmp")


def unit(command: Sequence[str], root: Path, variables: Path, written: Iterable[Path]) -> str:
    """The text of the unit; `variables` is a file of them that need not be there, `written` are the folders that it may
    write. See
    https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html."""
    program, *arguments = command
    written = list(written)
    # One that lies there would be gone.
    is_temporary = any(path.is_relative_to(folder) for path in written for folder in _TEMPORARY)
    return _UNIT.format(
        root=_expanded(str(root)),
        folder=_expanded(str(root)),
        variables=_expanded(str(variables)),
        command=" ".join([_quoted(program), *(_quoted(word).replace("$", "$$") for word in arguments)]),
        private="no" if is_temporary else "yes",
        # One that is not there yet is made by the first run, if it may.
        written=" ".join([_quoted(str(path) if path == root else f"-{path}") for path in written]),
    )


def _quoted(word: str) -> str:
    """A word of a list of words; see "Quoting" in systemd.syntax(7)."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{_expanded(escaped)}"'


def _expanded(text: str) -> str:
    """Text in which specifiers are filled in, such as %h."""
    return text.replace("%", "%%")
