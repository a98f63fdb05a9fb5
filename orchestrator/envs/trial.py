"""Starts a tap once, to see that it does and what it can."""

import contextlib
import os
import re
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from orchestrator.envs.about import About
from orchestrator.envs.uv import complaint
from orchestrator.envs.variables import inherited

CAPABILITIES = ("about", "catalog", "config", "discover", "properties", "state", "test")
"""The options of Singer taps that we tell apart; a tap has those that its `--help` names."""

LONGEST_START = 60.0
"""Seconds after which a tap that says nothing counts as not starting. A cold one may import for ten."""

_QUESTIONS = ("--help", "--version", "--about")
_LONGEST_ANSWER = 1_000_000
_NAMED = re.compile(rf"(?<![\w-])--({'|'.join(CAPABILITIES)})(?![\w-])")
_MISSING = re.compile(r"No module named '([^'.]+)")
_BROUGHT_BY = {
    "pkg_resources": "setuptools<81",
    "distutils": "setuptools<81",
    "dateutil": "python-dateutil",
    "yaml": "pyyaml",
}
"""Modules that old taps miss most and whose distribution has another name."""
_LAST_SEEN = (
    (re.compile(r"from 'collections'|'collections' has no attribute"), "3.9"),
    (re.compile(r"No module named '(?:asynchat|asyncore|imp|[\w.]*\bsix\.moves)'"), "3.11"),
    (re.compile(r"No module named '(?:cgi|pipes|telnetlib)'"), "3.12"),
)
"""What old taps use of Python itself, and the last version that has it (or, for six.moves, that lets six do it)."""


class TrialFailed(Exception):
    """The tap does not start; `cause` is its own last word."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause

    @property
    def missing(self) -> str | None:
        """The distribution that brings the module which was not found, if that is what failed."""
        module = None if self.last_python else _MISSING.search(self.cause)
        return _BROUGHT_BY.get(module[1], module[1]) if module else None

    @property
    def last_python(self) -> str | None:
        """The last Python that has what was not found, if Python itself once had it."""
        return next((python for gone, python in _LAST_SEEN if gone.search(self.cause)), None)


@dataclass(frozen=True, slots=True)
class Started:
    """What a tap said when it was started: the options that its help names, and its answer to `--about`, if it has one
    that a machine can read."""

    capabilities: tuple[str, ...]
    about: bytes | None = None


@dataclass(frozen=True, slots=True)
class _Answer:
    ended_well: bool
    out: str
    err: str


def start_once(executable: Path, *, longest: float = LONGEST_START) -> Started:
    """Asks a tap for help, or for its version, and then what it says of itself. Raises TrialFailed."""
    answers: list[_Answer] = []
    for question in _QUESTIONS:
        answer = _ask([str(executable), question], longest)
        if answer.ended_well:
            # What does not understand --help may still name its options when it complains.
            said = "\n".join(each.out + each.err for each in [*answers, answer])
            capabilities = tuple(sorted(set(_NAMED.findall(said))))
            return Started(capabilities, _about(executable, longest) if "about" in capabilities else None)
        answers.append(answer)
    raise TrialFailed(complaint(answers[0].err or answers[0].out))


def _about(executable: Path, longest: float) -> bytes | None:
    answer = _ask([str(executable), "--about", "--format", "json"], longest)
    said = answer.out.encode()
    return said if answer.ended_well and About.parse(said) else None


def _ask(command: list[str], longest: float) -> _Answer:
    # Files, not pipes: a tap may answer without end, and then it is cut off.
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=folder,
                env=inherited(),
                start_new_session=True,
            )
        except OSError as error:
            return _Answer(False, "", f"{command[0]}: {error.strerror}")
        try:
            too_much = _too_much(process, out, longest)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if too_much:
            return _Answer(False, _beginning(out), f"asked for {command[1]}, {too_much}")
        return _Answer(process.returncode == 0, _beginning(out), _beginning(err))


def _too_much(process: subprocess.Popen[bytes], out: IO[bytes], longest: float) -> str | None:
    """Waits for the end of a process. What it took too much of, if it has to be ended for that."""
    deadline = time.monotonic() + longest
    while process.poll() is None:
        if time.monotonic() > deadline:
            return f"it did not end within {longest:g} s"
        if os.fstat(out.fileno()).st_size > _LONGEST_ANSWER:
            return f"it printed more than {_LONGEST_ANSWER // 1_000_000} MB"
        time.sleep(0.01)
    return None


def _beginning(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read(_LONGEST_ANSWER).decode(errors="replace")
