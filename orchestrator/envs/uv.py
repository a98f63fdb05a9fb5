"""Runs uv, and finds the reason in what it says."""

import re
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from orchestrator.envs.variables import inherited
from orchestrator.errors import EnvironmentBroken

_EXCEPTION = re.compile(r"^[A-Za-z_][\w.]*(?:: .*)?$")
_COMPLAINT = re.compile(r"(?:^|\s)(?:error|fatal|Error|ERROR): ?\S")
_BLOCK = re.compile(r"^(?:error|  cause): ", re.MULTILINE)


class UvFailed(Exception):
    """uv ended with an exit code other than 0; its message is all that it said on stderr."""

    @property
    def said(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True, slots=True)
class Uv:
    """uv in one workspace: relative paths are meant from `folder`. While it runs it holds the lock `held`, if any."""

    folder: Path
    held: int | None = None

    def run(self, *arguments: str | Path, text: str = "") -> str:
        """Gives uv `text` on stdin and returns its stdout. Raises UvFailed; EnvironmentBroken when there is no uv."""
        finished = subprocess.run(
            [
                _binary(),
                # A pyproject.toml or uv.toml around the workspace is about another project; above / there is none.
                *("--no-progress", "--color", "never", "--project", "/"),
                *map(str, arguments),
            ],
            input=text,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            cwd=self.folder,
            env=inherited(),
            # If we are killed, uv still writes for a moment, and nobody else may start before it ends.
            pass_fds=() if self.held is None else (self.held,),
        )
        if finished.returncode:
            raise UvFailed(finished.stderr)
        return finished.stdout


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


def reason(said: str) -> str:
    """Why uv failed, in one line: the resolver's own sentence, or the complaint of whatever it ran."""
    blocks = [block for block in _BLOCK.split(said)[1:] if block.strip()]
    if not blocks:
        return _one_line(said) or "uv gave no reason"
    blocks[-1] = re.split(r"^(?:hint|warning): |^For more information", blocks[-1], flags=re.MULTILINE)[0]
    innermost = blocks[-1]
    if "No solution found" in blocks[0] or len(blocks) == 1:
        return _one_line(innermost)
    if output := re.search(r"(?:\[stderr\]|--- stderr)\n(.*)", innermost, re.DOTALL):
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
