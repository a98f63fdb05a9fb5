"""Runs uv, and finds the reason in what it says."""

import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

from orchestrator.envs.surroundings import Confine, unconfined
from orchestrator.envs.variables import inherited
from orchestrator.errors import EnvironmentBroken

_EXCEPTION = re.compile(r"^[A-Za-z_][\w.]*(?:: .*)?$")
_COMPLAINT = re.compile(r"(?:^|\s)(?:error|fatal|Error|ERROR): ?\S")
_BLOCK = re.compile(r"^(?:error|  cause): ", re.MULTILINE)


_HEAD, _TAIL = 100_000, 1_000_000
"""Bytes at either end of what uv said that are looked at for a reason: what it says itself stands first, and what went
wrong in a build last. In between a build may have printed without end."""


class UvFailed(Exception):
    """uv ended with an exit code other than 0; its message is what it said on stderr."""

    @property
    def said(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True, slots=True)
class Uv:
    """uv in one workspace: relative paths are meant from `folder`. While it runs it holds the lock `held`, if any; what
    it and the builds it starts say is added to the file `log`, if any. `longest` is how many seconds it may take. It is
    started by `confine`, with the folder `temporary` for what it needs for a while."""

    folder: Path
    held: int | None = None
    log: Path | None = None
    longest: float | None = None
    confine: Confine = unconfined
    temporary: Path | None = None

    def run(self, *arguments: str | Path, text: str = "") -> str:
        """Gives uv `text` on stdin and returns its stdout.

        Raises UvFailed; EnvironmentBroken when there is no uv, or it takes longer than it may.
        """
        command = [
            _binary(),
            # A pyproject.toml or uv.toml around the workspace is about another project; above / there is none.
            *("--no-progress", "--color", "never", "--project", "/"),
            *map(str, arguments),
        ]
        # A file takes whatever is said, however much it is; a pipe that nobody empties would stop the build.
        with (
            self.log.open("a+b") if self.log else tempfile.TemporaryFile() as said,
            self.confine(command, self.temporary) as (started, handed),
        ):
            said.write(f"$ uv {shlex.join(map(str, arguments))}\n".encode())
            said.flush()
            begin = said.tell()
            process = subprocess.Popen(
                started,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                cwd=self.folder,
                env=inherited() | ({"TMPDIR": str(self.temporary)} if self.temporary else {}),
                # If we are killed, uv still writes for a moment, and nobody else may start before it ends.
                pass_fds=(*handed, *(() if self.held is None else (self.held,))),
                start_new_session=True,
            )
            try:
                out, _ = process.communicate(text.encode(), self.longest)
            except subprocess.TimeoutExpired as late:
                raise EnvironmentBroken(f"uv did not end within {late.timeout:g} s") from late
            finally:
                _end(process)
            if process.returncode:
                raise UvFailed(_both_ends(said, begin))
            return out.decode(errors="replace")


def _both_ends(file: IO[bytes], begin: int) -> str:
    end = file.seek(0, os.SEEK_END)
    file.seek(begin)
    if end - begin <= _HEAD + _TAIL:
        return file.read().decode(errors="replace")
    head = file.read(_HEAD)
    file.seek(end - _TAIL)
    return f"{head.decode(errors='replace')}\n…\n{file.read().decode(errors='replace')}"


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends uv and the builds that it started, if they still run: who was interrupted must leave nobody who writes."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


@cache
def _binary() -> str:
    import uv

    try:
        return uv.find_uv_bin()
    except FileNotFoundError as error:
        raise EnvironmentBroken(
            "uv, which builds environments, is not where its package should have put it",
            hint="python -m pip install --force-reinstall uv",
        ) from error


def as_typed(*words: str) -> str:
    """How a person calls our uv, which may not be on their PATH."""
    return shlex.join([*(["uv"] if shutil.which("uv") else [sys.executable, "-m", "uv"]), *words])


def reason(said: str) -> str:
    """Why uv failed, in one line: the resolver's own sentence, or the complaint of whatever it ran."""
    blocks = [block for block in _BLOCK.split(said)[1:] if block.strip()]
    if not blocks:
        return _one_line(said) or "uv gave no reason"
    blocks[-1] = re.split(r"^(?:hint|warning): |^For more information", blocks[-1], flags=re.MULTILINE)[0]
    innermost = blocks[-1]
    if "No solution found" in blocks[0] or len(blocks) == 1:
        return _one_line(innermost)
    if output := re.search(r"(?:\[stderr\]|--- stderr|^…)\n(.*)", innermost, re.DOTALL | re.MULTILINE):
        return complaint(output[1])
    return f"{_one_line(blocks[0])}: {_one_line(innermost)}"


def complaint(output: str) -> str:
    """The line of a program's stderr that says why it failed: the exception, the first error, or the last line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    if not lines:
        return "it gave no reason"
    if "Traceback (most recent call last)" in output:
        return exception_line(output) or lines[-1]
    return next((line for line in lines if _COMPLAINT.search(line)), lines[-1])


def exception_line(output: str) -> str | None:
    """The line that names the exception of the last traceback; its message may go on below it."""
    last = output.rpartition("Traceback (most recent call last)")[2].splitlines()
    margin = min((len(line) - len(line.lstrip()) for line in last[1:] if line.strip()), default=0)
    return next((line[margin:] for line in last[1:] if _EXCEPTION.match(line[margin:])), None)


def _one_line(text: str) -> str:
    return " ".join(text.split())
