"""The agent of launchd that keeps schedules, on macOS."""

import plistlib
from collections.abc import Sequence
from pathlib import Path


def agent(label: str, command: Sequence[str], root: Path, log: Path) -> str:
    """The text of the agent; see launchd.plist(5)."""
    described = {
        "Label": label,
        "ProgramArguments": list(command),
        "WorkingDirectory": str(root),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": 10,
        # up asks its runs to stop after their next commit.
        "ExitTimeOut": 300,
        "ProcessType": "Background",
        "Umask": 0o077,
        "StandardOutPath": str(log),
        "StandardErrorPath": str(log),
    }
    return plistlib.dumps(described).decode()
