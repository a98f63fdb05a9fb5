"""Between us and a tap stands a launcher: with less than we may do a tap begins, and nothing of it outlives us."""

import json
import os
import py_compile
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from orchestrator.supervisor.command import Command
from orchestrator.supervisor.launching import is_compiled_from
from orchestrator.supervisor.process import TapProcess
from tests.workspaces import is_alive, wait_until

# A tap that is not ended, or not seen to end, is waited for without end.
pytestmark = pytest.mark.timeout(60)

ROOT = Path(__file__).parents[2]

DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
FOREVER = "import time; time.sleep(600)"
# One that stays in the group, and one that leaves session and group; both hold the pipes, neither listens.
WITH_CHILDREN = f"""
import os, subprocess, sys
{DEAF}
deaf = [sys.executable, "-IS", "-c", "{DEAF}; print(flush=True); {FOREVER}"]
children = [subprocess.Popen(deaf), subprocess.Popen(deaf, start_new_session=True)]
print(os.getpid(), *(child.pid for child in children), flush=True)
"""


def command_of(folder, *lines):
    program = (sys.executable, "-IS", "-c", "\n".join(lines))
    return Command(program, os.environ, folder, folder / "config.json")


@pytest.fixture
def tap(tmp_path):
    """A function that starts a Python program as a tap."""

    def start(*lines, **options):
        return TapProcess(command_of(tmp_path, *lines), tmp_path / "log", **{"grace": 0.3, **options})

    return start


def printed(process, lines=1):
    """The numbers that it prints in so many lines."""
    said = b""
    for block in process.blocks():
        said += block
        if said.count(b"\n") >= lines:
            return [int(word) for word in said.split()]
    raise AssertionError(f"it printed only {said!r}")


# ── nothing outlives us ──────────────────────────────────────────────────────────────────────────


@pytest.fixture
def supervisor(tmp_path):
    """A process that runs a tap with children, and tells the pids of the three. `before` is what it does before."""
    started: list[Any] = []

    def start(before=""):
        program = (
            "import os, sys, time\n"
            "from pathlib import Path\n"
            "from tests.supervisor.test_launcher import FOREVER, WITH_CHILDREN, command_of, printed\n"
            "from orchestrator.supervisor.process import TapProcess\n"
            f"folder = Path({str(tmp_path)!r})\n"
            "with TapProcess(command_of(folder, WITH_CHILDREN, FOREVER), folder / 'log') as process:\n"
            "    pids = printed(process, lines=3)\n"
            f"    {before}\n"
            "    print(*pids, flush=True)\n"
            "    time.sleep(600)\n"
        )
        started.append(subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=ROOT))
        return started[-1], [int(pid) for pid in started[-1].stdout.readline().split()]

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_after_kill_9_of_the_run_nothing_of_its_tap_is_left(supervisor):
    run, family = supervisor()
    assert len(family) == 3
    assert all(map(is_alive, family))

    run.kill()
    wait_until(lambda: not any(map(is_alive, family)))


def test_a_process_that_was_forked_off_the_run_does_not_keep_the_tap(supervisor):
    """It holds a copy of all that is open in the run."""
    run, family = supervisor(before="pids.append(os.fork()); pids[-1] or time.sleep(600)")
    *family, copy = family

    run.kill()
    try:
        wait_until(lambda: not any(map(is_alive, family)))
        assert is_alive(copy)
    finally:
        os.kill(copy, signal.SIGKILL)


def test_after_kill_9_of_the_tap_nothing_of_it_is_left(tap):
    with tap(WITH_CHILDREN, FOREVER) as process:
        family = printed(process, lines=3)
        os.kill(process.pid, signal.SIGKILL)

        assert b"".join(process.blocks()) == b""
        assert process.wait() == -signal.SIGKILL

    assert not any(map(is_alive, family))


def test_after_kill_9_of_the_launcher_the_tap_is_gone_and_failed(tap):
    with tap("import os; print(os.getppid(), flush=True)", FOREVER) as process:
        (launcher,) = printed(process)
        os.kill(launcher, signal.SIGKILL)
        list(process.blocks())

        assert process.wait() == -signal.SIGKILL
    wait_until(lambda: not is_alive(process.pid))


def test_without_its_launcher_a_tap_ends_though_nobody_else_is_there_to_end_it(supervisor):
    run, (tap, *_) = supervisor()
    run.send_signal(signal.SIGSTOP)

    launcher = psutil.Process(tap).parent()
    assert launcher is not None
    launcher.kill()
    wait_until(lambda: not is_alive(tap))


def test_what_left_the_session_of_the_tap_ends_with_it(tap):
    with tap(WITH_CHILDREN) as process:
        said = b"".join(process.blocks())
        assert process.wait() == 0

    assert not any(is_alive(int(pid)) for pid in said.split())


def test_what_a_tap_does_to_its_group_does_not_reach_the_run(tap):
    with tap("import os, signal", "os.killpg(0, signal.SIGTERM)") as process:
        assert (list(process.blocks()), process.wait()) == ([], -signal.SIGTERM)


# ── with what it begins ──────────────────────────────────────────────────────────────────────────

TELL = """
import json, os, resource
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines())
print(json.dumps({
    "open": sorted(int(name) for name in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{name}")),
    "stdin": os.readlink("/proc/self/fd/0"),
    "core": resource.getrlimit(resource.RLIMIT_CORE),
    "privileges": status["NoNewPrivs"],
}))
"""


def told(process):
    with process:
        said = json.loads(b"".join(process.blocks()))
        process.wait()
    return said


def test_a_tap_gains_no_privileges_and_dumps_no_core(tap):
    resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)
    said = told(tap(TELL))

    assert said["privileges"] == "1"
    assert said["core"] == [0, 0]


def test_a_tap_inherits_nothing_that_is_open(tap):
    with open(os.devnull) as held:
        os.set_inheritable(held.fileno(), True)
        said = told(tap(TELL))

    assert said["open"] == [0, 1, 2]
    assert said["stdin"] == os.devnull


def test_a_tap_ignores_no_signal(tmp_path):
    command = Command(("/bin/grep", "SigIgn", "/proc/self/status"), {}, tmp_path, tmp_path / "config.json")
    with TapProcess(command, tmp_path / "log") as process:
        ignored = int(b"".join(process.blocks()).split()[1], 16)

    # 32 and 33 are the C library's own.
    assert ignored & ~(1 << 31 | 1 << 32) == 0


def test_a_program_that_was_compiled_of_an_earlier_source_is_not_run(tmp_path):
    source, compiled = tmp_path / "program.py", str(tmp_path / "program.pyc")
    source.write_text("print(1)")
    py_compile.compile(str(source), compiled)
    assert is_compiled_from(compiled, str(source))

    source.write_text("print(1, 2)")

    assert not is_compiled_from(compiled, str(source))
    assert not is_compiled_from(str(tmp_path / "none.pyc"), str(source))


def test_a_tap_finds_the_environment_that_it_was_given_and_no_other(tmp_path):
    given = {"PYTHONUTF8": "1", "GREETING": "grüß Gott", "LD_LIBRARY_PATH": "/nowhere"}
    command = Command(("/usr/bin/env",), given, tmp_path, tmp_path / "config.json")
    with TapProcess(command, tmp_path / "log") as process:
        lines = b"".join(process.blocks()).decode().splitlines()

    assert sorted(lines) == sorted(f"{name}={value}" for name, value in given.items())
