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
from orchestrator.envs.surroundings import Surroundings
from orchestrator.envs.uv import complaint

CAPABILITIES = ("about", "catalog", "config", "discover", "properties", "state", "test")
"""The options of Singer taps that we tell apart; a tap has those that its `--help` names."""

LONGEST_START = 60.0
"""Seconds after which a tap that says nothing counts as not starting. A cold one may import for ten."""

_QUESTIONS = ("--help", "--version", "--about")
_LONGEST_ANSWER = 1_000_000
_USAGE_ERROR = 2
"""What programs that read options end with when they do not understand one."""
_NAMED = re.compile(rf"(?<![\w-])--({'|'.join(CAPABILITIES)})(?![\w-])")
_CANNOT_START = re.compile(r"(?:ModuleNotFoundError|ImportError|AttributeError|SyntaxError)\b")
"""What no other question helps against."""
_USAGE = re.compile(r"^usage: ", re.IGNORECASE | re.MULTILINE)


class TrialFailed(Exception):
    """The tap does not start; `cause` is its own last word, `said` all that it said."""

    def __init__(self, cause: str, said: str) -> None:
        super().__init__(cause)
        self.cause = cause
        self.said = said


@dataclass(frozen=True, slots=True)
class Started:
    """What a tap said when it was started: the options that its help names, and its answer to `--about`, if it has one
    that a machine can read."""

    capabilities: tuple[str, ...]
    about: bytes | None = None


@dataclass(frozen=True, slots=True)
class _Answer:
    started: bool
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err


def start_once(executable: Path, around: Surroundings, *, longest: float = LONGEST_START) -> Started:
    """Asks a tap for help, or for its version, and then what it says of itself. Raises TrialFailed.

    It is in the surroundings in which it will run.
    """
    answers: list[_Answer] = []
    for question in _QUESTIONS:
        answer = _ask([str(executable), question], around, longest)
        answers.append(answer)
        if _CANNOT_START.match(complaint(answer.err)):
            break
        if answer.started:
            # What does not understand --help may still name its options when it complains.
            capabilities = tuple(sorted(set(_NAMED.findall("\n".join(each.said for each in answers)))))
            return Started(capabilities, _about(executable, around, longest) if "about" in capabilities else None)
    raise TrialFailed(complaint(answers[0].err or answers[0].out), answers[0].said)


def _about(executable: Path, around: Surroundings, longest: float) -> bytes | None:
    answer = _ask([str(executable), "--about", "--format", "json"], around, longest)
    said = answer.out.encode()
    return said if answer.started and About.parse(said) else None


def _ask(command: list[str], around: Surroundings, longest: float) -> _Answer:
    # Files, not pipes: a tap may answer without end, and then it is cut off.
    with (
        tempfile.TemporaryDirectory() as folder,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
        around.starts(command, Path(folder)) as (started, handed),
    ):
        try:
            process = subprocess.Popen(
                started,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=folder,
                env={**around.shown, "TMPDIR": folder},
                pass_fds=handed,
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
        said = _beginning(out), _beginning(err)
        # Whoever complains of what it was asked, and says how to ask, has started.
        refused = process.returncode == _USAGE_ERROR and any(map(_USAGE.search, said))
        return _Answer(process.returncode == 0 or refused, *said)


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
