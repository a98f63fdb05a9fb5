"""The launcher as we see it: the order that it is given, and what it tells of the tap."""

import contextlib
import dataclasses
import marshal
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from typing import IO, Any

from orchestrator.config import Sandbox
from orchestrator.errors import EnvironmentBroken
from orchestrator.supervisor import launcher
from orchestrator.supervisor.bubblewrap import enclosing
from orchestrator.supervisor.command import Command
from orchestrator.supervisor.sandbox import Confinement

_SLOWEST_KILL = 2.0
"""Seconds that the launcher has to end all that the tap started."""


class Launched:
    """A tap that was started by a launcher; `pid` is that of the tap. `grace` are the seconds that it may take to end
    when it is asked to.

    Raises EnvironmentBroken where it cannot be started.
    """

    def __init__(self, command: Command, *, grace: float, pipe: int) -> None:
        orders, lifeline = os.pipe()
        report, telling = os.pipe()
        self._lifeline = os.fdopen(lifeline, "wb")
        self._report = os.fdopen(report, "rb", buffering=0)
        self._half_told = b""
        self.pid = 0
        self._over: str | None = None
        self._exit_code: int | None = None
        self._is_enclosed = _is_enclosed(command)
        self._memory = 0
        try:
            self._process = subprocess.Popen(
                # It has nothing of our packages, and nothing of what the tap finds in its environment.
                (sys.executable, "-I", "-S", _program(), str(telling)),
                stdin=orders,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={},
                cwd=command.folder,
                pass_fds=(*command.open_files, telling),
                start_new_session=True,
                # Before it begins: a pipe in which more is waiting cannot be made narrower.
                pipesize=pipe,
            )
        except OSError as error:
            self._let_go()
            raise _cannot_start(command, str(error)) from error
        finally:
            os.close(orders)
            os.close(telling)
        try:
            self.pid = self._begin(command, grace)
        except BaseException:
            self.kill()
            self.stdout.close()
            self.stderr.close()
            raise

    @property
    def stdout(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout

    @property
    def stderr(self) -> IO[bytes]:
        assert self._process.stderr is not None
        return self._process.stderr

    @property
    def has_ended(self) -> bool:
        """Whether the tap has, and all that it started."""
        return self._process.poll() is not None

    @property
    def over(self) -> str | None:
        """What the tap took more of than it may, in a word of the launcher, which ends it for that."""
        self._hear()
        return self._over

    @property
    def memory(self) -> int:
        """Bytes that the largest process of a tap that has ended took at most; 0 where nobody knows."""
        self._hear()
        return self._memory

    @property
    def exit_code(self) -> int:
        """Of a tap that has ended; below zero it is the number of the signal that ended it."""
        self._hear()
        if self._exit_code is None:
            return self._process.returncode
        # bwrap tells of a signal as shells do.
        return 128 - self._exit_code if self._is_enclosed and self._exit_code > 128 else self._exit_code

    def wait(self, seconds: float) -> None:
        """Until it has ended. Raises subprocess.TimeoutExpired."""
        self._process.wait(seconds)

    def ask(self) -> None:
        """Asks the tap to end, which it may take as it likes. Does not wait."""
        self._say(launcher.ASK)

    def end(self) -> None:
        """Asks the tap to end; what remains of it after the grace is killed. Does not wait."""
        self._say(launcher.END)

    def kill(self) -> None:
        """Ends the tap and all that it started. Afterwards it has ended, and nothing of it is open but its output."""
        self._say(launcher.KILL)
        try:
            self._process.wait(_SLOWEST_KILL)
        except subprocess.TimeoutExpired:
            self._process.kill()
        finally:
            self._process.wait()
            self._hear()
            self._let_go()
            if self._exit_code is None and self.pid:
                # Somebody killed the launcher; the tap ended with it, what the tap started did not.
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self.pid, signal.SIGKILL)

    def _begin(self, command: Command, grace: float) -> int:
        """Gives the order. The process of the tap."""
        order = marshal.dumps(_order(command, grace))
        self._say(len(order).to_bytes(4, "big") + order)
        said = b""
        while not said.endswith(b"\n"):
            said += (heard := self._report.read(1))
            if not heard:
                raise _cannot_start(command, "its launcher broke off")
        word, _, rest = said.decode().rstrip("\n").partition(" ")
        if word == "cannot":
            raise _cannot_start(command, rest)
        return int(rest)

    def _say(self, words: bytes) -> None:
        with contextlib.suppress(BrokenPipeError, ValueError):
            self._lifeline.write(words)
            self._lifeline.flush()

    def _hear(self) -> None:
        """Takes in what the launcher told since."""
        waiting = select.poll()
        if not self._report.closed:
            waiting.register(self._report, select.POLLIN)
        while waiting.poll(0) and (told := self._report.read(4096)):
            *lines, self._half_told = (self._half_told + told).split(b"\n")
            for line in lines:
                word, _, rest = line.decode().partition(" ")
                if word == "over":
                    self._over = rest
                elif word == "took":
                    self._memory = int(rest)
                elif word == "ended":
                    self._exit_code = int(rest)

    def _let_go(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._lifeline.close()
        self._report.close()


@contextlib.contextmanager
def confined(command: Sequence[str], confinement: Confinement) -> Iterator[tuple[Sequence[str], Sequence[int]]]:
    """The command that becomes another one, given by its path, with no more than that is allowed; and the descriptors
    that it has to be handed."""
    if confinement.sandbox is Sandbox.BUBBLEWRAP:
        yield (*enclosing(confinement.allowed), *command), ()
        return
    with tempfile.TemporaryFile() as order:
        order.write(marshal.dumps(_confinement(confinement)))
        order.flush()
        order.seek(0)
        launch = (sys.executable, "-I", "-S", _program(), launcher.CONFINE, str(order.fileno()))
        yield (*launch, *command), (order.fileno(),)


def _program() -> str:
    """The file of the launcher; compiled, if it is, which halves the time that it takes to start."""
    compiled = launcher.__spec__.cached
    return compiled if compiled and is_compiled_from(compiled, launcher.__file__) else launcher.__file__


def is_compiled_from(compiled: str, source: str) -> bool:
    """Whether the one file is what Python made of the other, as it is now: https://peps.python.org/pep-3147/. Where
    nothing may be written, one that was made of an earlier source stays."""
    try:
        with open(compiled, "rb") as file:
            head = file.read(16)
        found = os.stat(source)
    except OSError:
        return False
    made_of = (0, int(found.st_mtime) & 0xFFFFFFFF, found.st_size & 0xFFFFFFFF)
    return head[4:] == b"".join(number.to_bytes(4, "little") for number in made_of)


def _is_enclosed(command: Command) -> bool:
    return command.confinement is not None and command.confinement.sandbox is Sandbox.BUBBLEWRAP


def _order(command: Command, grace: float) -> dict[str, Any]:
    """What the launcher is told of a command."""
    confinement, is_enclosed = command.confinement, _is_enclosed(command)
    before = enclosing(confinement.allowed, command.folder) if confinement is not None and is_enclosed else ()
    return {
        "supervisor": os.getpid(),
        "arguments": [os.fsencode(argument) for argument in (*before, *command.arguments)],
        "is_enclosed": is_enclosed,
        "environment": {os.fsencode(name): os.fsencode(value) for name, value in command.environment.items()},
        "grace": grace,
        "limits": dataclasses.asdict(command.limits),
        **_confinement(None if is_enclosed else confinement),
    }


def _confinement(confinement: Confinement | None) -> dict[str, Any]:
    if confinement is None or confinement.sandbox is Sandbox.NONE:
        return {"allowed": None, "must_confine": False}
    allowed = dataclasses.asdict(confinement.allowed)
    return {
        "allowed": {kind: [os.fsencode(path) for path in paths] for kind, paths in allowed.items()},
        "must_confine": confinement.sandbox is not Sandbox.AUTO,
    }


def _cannot_start(command: Command, why: str) -> EnvironmentBroken:
    return EnvironmentBroken(f"{command.arguments[0]} cannot be started", cause=why, hint="orchestrator install")
