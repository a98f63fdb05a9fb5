"""A server from start to end: a folder, a port and a process, of which nothing stays."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from examples.databases.debian import Packages

LOOPBACK = "127.0.0.1"
PATIENCE = 60.0
"""Seconds that a server has to take its first connection."""
NOBODY = "nobody"


class Server:
    """What one kind of server says of itself; it serves on 127.0.0.1 while it is entered, port 0 takes a free one.

    Entering raises NotProvided where the server cannot be had, RuntimeError where it does not start.
    """

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self._stack = ExitStack()

    def packages(self, packages: Packages) -> Sequence[str]:
        """The names of the packages that it is made of."""
        raise NotImplementedError

    def prepare(self, packages: Packages, data: Path) -> Sequence[str]:
        """Fills its data folder. Gives the command that serves."""
        raise NotImplementedError

    def is_ready(self) -> bool:
        """Whether it takes connections."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        with self._stack as stack:
            # Not in the folder of a test or a checkout: a server that is no longer root must be let in.
            folder = Path(
                stack.enter_context(tempfile.TemporaryDirectory(prefix="database-", ignore_cleanup_errors=True))
            )
            folder.chmod(0o755)
            packages = Packages(folder)
            packages.unpack(self.packages(packages))
            self._environment = {"LD_LIBRARY_PATH": packages.libraries, "PATH": os.environ["PATH"], "LC_ALL": "C"}
            # Held until it is needed: any connection of the machine may be given a port that is free.
            held = stack.enter_context(socket.create_server((LOOPBACK, self.port)))
            self.port = held.getsockname()[1]
            data = folder / "data"
            data.mkdir(0o700)
            if os.geteuid() == 0:
                shutil.chown(data, NOBODY)
            command = self.prepare(packages, data)
            log = stack.enter_context((folder / "server.log").open("w+b"))
            held.close()
            process = stack.enter_context(
                subprocess.Popen(self._as_nobody(command), env=self._environment, stdout=log, stderr=log, cwd=data)
            )
            stack.callback(process.kill)
            _wait(self.is_ready, process, folder / "server.log")
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *raised: object) -> None:
        self._stack.close()

    def run(self, command: Sequence[str], stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Runs one of its programs to the end."""
        return subprocess.run(self._as_nobody(command), env=self._environment, input=stdin, capture_output=True)

    def _as_nobody(self, command: Sequence[str]) -> list[str]:
        """Servers refuse to be root; and whatever becomes of us, they go with us."""
        became = ["--reuid", NOBODY, "--regid", "nogroup", "--clear-groups"] if os.geteuid() == 0 else []
        return ["setpriv", *became, "--pdeathsig", "KILL", *command]


def check(done: subprocess.CompletedProcess[bytes]) -> None:
    """Raises RuntimeError for a program that failed."""
    if done.returncode:
        said = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise RuntimeError(f"{' '.join(done.args)} ended with exit code {done.returncode}: {said[-500:]}")


def _wait(is_ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the server does not serve: {log.read_text(errors='replace')[-500:]}")
        time.sleep(0.05)
