"""A tap and all that it started take no more than they may: memory, time, processes, files, room for the log."""

import os
import sys
import time

import pytest

from orchestrator.config import Limits
from orchestrator.supervisor.command import Command
from orchestrator.supervisor.process import TapProcess
from tests.supervisor.test_launcher import FOREVER, WITH_CHILDREN
from tests.workspaces import is_alive

# A tap that is not ended, or not seen to end, is waited for without end.
pytestmark = pytest.mark.timeout(60)

MB = 1_000_000
GRACE = 0.3


@pytest.fixture
def tap(tmp_path):
    """A function that starts a Python program as a tap with limits."""

    def start(*lines, **limits):
        program = (sys.executable, "-IS", "-c", "\n".join(lines))
        command = Command(program, os.environ, tmp_path, tmp_path / "config.json", limits=Limits(**limits))
        return TapProcess(command, tmp_path / "log", grace=GRACE)

    return start


def ended(process):
    """What it printed, its exit code, and what it took too much of."""
    with process:
        said = b"".join(process.blocks()).decode()
        return said, process.wait(), process.over


def test_a_tap_within_its_limits_is_left_alone(tap):
    plenty = {"memory": 500 * MB, "cpu_time": 60, "processes": 10, "timeout": 60, "idle_timeout": 60}

    assert ended(tap("import time; time.sleep(0.5); print('done')", **plenty)) == ("done\n", 0, None)


# ── memory, processes, files ─────────────────────────────────────────────────────────────────────

CHILDREN_WITH = """
import os, subprocess, sys, time
held = bytearray({before})
children = [os.fork() or "child" for _ in range(3)]
if "child" in children:
    own = bytearray({after})
    time.sleep(1)
    os._exit(0)
for _ in children: os.wait()
print("done")
"""


def test_what_a_tap_and_its_children_use_together_is_held_against_its_memory(tap):
    said, exit_code, over = ended(tap(CHILDREN_WITH.format(before=0, after=60 * MB), memory=100 * MB))

    assert (said, exit_code, over) == ("", -9, "memory")


def test_memory_that_processes_share_counts_once(tap):
    said, exit_code, over = ended(tap(CHILDREN_WITH.format(before=60 * MB, after=0), memory=130 * MB))

    assert (said, exit_code, over) == ("done\n", 0, None)


def test_a_tap_has_no_more_processes_than_it_may(tap):
    crowd = "import subprocess; crowd = [subprocess.Popen(['sleep', '600']) for _ in range(5)]"

    assert ended(tap(crowd, FOREVER, processes=4))[2] == "processes"
    assert ended(tap(crowd, "import time; time.sleep(0.5)", processes=6))[2] is None


def test_a_tap_opens_no_more_files_than_it_may(tap):
    said, _, _ = ended(tap("import resource; print(*resource.getrlimit(resource.RLIMIT_NOFILE))", open_files=50))

    assert said == "50 50\n"


# ── time ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_tap_and_its_children_use_no_more_processor_time_than_they_may(tap):
    busy = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'while True: pass'])"

    assert ended(tap(busy, cpu_time=0.3))[2] == "cpu_time"


def test_after_its_timeout_a_tap_may_take_its_leave(tap):
    said, exit_code, over = ended(
        tap(
            "import signal, sys, time",
            "signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(print('goodbye')))",
            "while True: print('working', flush=True); time.sleep(0.05)",
            timeout=0.5,
        )
    )

    assert said.startswith("working\n")
    assert said.endswith("goodbye\n")
    assert (exit_code, over) == (0, "timeout")


@pytest.mark.parametrize("limit", ["timeout", "idle_timeout"])
def test_a_tap_that_does_not_listen_is_killed_with_all_that_holds_its_pipes(tap, limit):
    said, exit_code, over = ended(tap(WITH_CHILDREN, FOREVER, **{limit: 1.0}))

    assert (exit_code, over) == (-9, limit)
    family = [int(pid) for pid in said.split()]
    assert len(family) == 3
    assert not any(map(is_alive, family))


@pytest.mark.parametrize("word", ["print(n, flush=True)", "print(n, file=sys.stderr, flush=True)"])
def test_a_tap_that_says_something_is_not_idle(tap, word):
    _, exit_code, over = ended(
        tap("import sys, time", f"for n in range(8): {word}; time.sleep(0.25)", idle_timeout=1.0)
    )

    assert (exit_code, over) == (0, None)


def test_a_tap_that_waits_for_us_is_not_idle(tap):
    with tap("import sys", "for n in range(50): sys.stdout.write('x' * 100_000)", idle_timeout=0.4) as process:
        size = 0
        for block in process.blocks():
            size += len(block)
            time.sleep(0.8)
        assert (process.wait(), process.over, size) == (0, None, 5_000_000)


# ── the log ──────────────────────────────────────────────────────────────────────────────────────


def test_of_a_log_that_grows_too_big_the_beginning_and_the_end_are_kept(tap, tmp_path):
    _, exit_code, _ = ended(tap("import sys", "for n in range(10_000): print(n, file=sys.stderr)", log_size=1000))

    lines = (tmp_path / "log").read_text().splitlines()
    first = [str(n) for n in range(277)]
    assert lines == [
        *first,
        "[1 kB, the log_size: nothing is kept from here but the last lines]",
        *(str(n) for n in range(9980, 10_000)),
    ]
    assert exit_code == 0


def test_of_a_line_without_an_end_only_the_beginning_is_kept(tap, tmp_path):
    ended(tap("import sys", "for n in range(50): sys.stderr.write('x' * 100_000)", "print('\\nbye', file=sys.stderr)"))

    line, last = (tmp_path / "log").read_text().splitlines()
    assert (set(line.removesuffix(" [...]")), last) == ({"x"}, "bye")
    assert len(line) < 1_100_000
