"""A tap's process is read in blocks, is told little, and ends with all that it started."""

import os
import signal
import sys
import threading
import time
from functools import partial

import psutil
import pytest

from orchestrator.errors import EnvironmentBroken, Stopped
from orchestrator.supervisor.command import Command
from orchestrator.supervisor.process import TapProcess
from orchestrator.supervisor.stopping import Stop
from tests.workspaces import is_alive, wait_until

# A tap that is not ended, or not seen to end, is waited for without end.
pytestmark = pytest.mark.timeout(60)

FOREVER = "import time; time.sleep(600)"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
WITH_A_CHILD = "import subprocess; child = subprocess.Popen(['sleep', '600']); print(child.pid, flush=True)"


@pytest.fixture
def tap(tmp_path):
    """A function that starts a Python program as a tap; its log is `log` in `tmp_path`."""

    def start(*lines, grace=5.0, **options):
        command = Command(
            (sys.executable, "-IS", "-c", "\n".join(lines)), os.environ, tmp_path, tmp_path / "config.json"
        )
        return TapProcess(command, tmp_path / "log", grace=grace, **options)

    return start


def first_line(process):
    printed = b""
    for block in process.blocks():
        printed += block
        if b"\n" in printed:
            return printed.decode().splitlines()[0]
    raise AssertionError(f"it printed only {printed!r}")


# ── what it says ─────────────────────────────────────────────────────────────────────────────────


def test_all_that_a_tap_prints_is_read(tap):
    with tap("import sys", "for n in range(50): sys.stdout.write(str(n % 10) * 100_000)") as process:
        printed = b"".join(process.blocks())
        exit_code = process.wait()

    assert printed == b"".join(b"%d" % (n % 10) * 100_000 for n in range(50))
    assert exit_code == 0


def test_a_pause_is_told_by_an_empty_block(tap):
    with tap("import time", "print(1, flush=True)", "time.sleep(0.5)", "print(2)") as process:
        blocks = list(process.blocks())

    assert blocks[0] == b"1\n"
    assert b"" in blocks
    assert blocks[-1] == b"2\n"


def test_the_exit_code_of_a_tap_is_told_or_the_signal_that_ended_it(tap):
    with tap("raise SystemExit(3)") as failed, tap("import os", "os.kill(os.getpid(), 9)") as killed:
        assert (list(failed.blocks()), failed.wait()) == ([], 3)
        assert (list(killed.blocks()), killed.wait()) == ([], -signal.SIGKILL)


def test_a_flood_on_stderr_neither_blocks_a_tap_nor_is_lost(tap, tmp_path):
    with tap("import sys", "for n in range(20_000): print(n, 'x' * 500, file=sys.stderr)", "print('done')") as process:
        assert b"".join(process.blocks()) == b"done\n"
        process.wait()

    lines = (tmp_path / "log").read_text().splitlines()
    assert [line.split()[0] for line in lines] == [str(n) for n in range(20_000)]
    assert len(process.stderr.last) == 20
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600


def test_metric_lines_are_added_up(tap):
    with tap(
        "import json, sys",
        "def metric(**point): print('INFO METRIC: ' + json.dumps(point), file=sys.stderr)",
        "metric(type='counter', metric='record_count', value=3, tags={'endpoint': 'issues'})",
        "metric(type='counter', metric='record_count', value=4, tags={'endpoint': 'issues'})",
        "metric(type='counter', metric='record_count', value=5, tags={'stream': 'events', 'context': {'a': 1}})",
        "metric(type='timer', metric='http_request_duration', value=0.25, tags={'http_status_code': 200})",
        "metric(metric='without a value')",
        "print('INFO METRIC: no JSON', file=sys.stderr)",
    ) as process:
        list(process.blocks())
        process.wait()

    assert process.stderr.metrics == {
        "record_count:issues": 7,
        "record_count:events": 5,
        "http_request_duration_seconds": 0.25,
    }


@pytest.mark.parametrize(
    "line",
    [
        "requests.exceptions.HTTPError: 404 Client Error: Not Found for url: https://api.example.com/issues",
        "WARNING HTTP-error-code: 404, Error: The resource you have specified cannot be found.",
        "CRITICAL Error making request to GitLab API: GET /groups/310 [401 - b'401 Unauthorized']",
        'DEBUG "GET /api/v4/issues HTTP/1.1" 403 27',
        'INFO METRIC: {"metric": "http_request_duration", "tags": {"http_status_code": 410}}',
    ],
)
def test_a_line_that_tells_of_a_refusal_is_remembered(tap, line):
    with tap("import sys", f"print({line!r}, file=sys.stderr)") as process:
        process.wait()

    assert process.stderr.refusals == [line]


@pytest.mark.parametrize(
    "line",
    [
        "INFO 404 records of issues",
        "INFO status: read 404 of 1000",
        "INFO GET /projects/404/issues HTTP/1.1 200",
        "WARNING HTTP-error-code: 429, will try again",
        "INFO issue 4040 Not Found anywhere",
    ],
)
def test_other_lines_tell_of_none(tap, line):
    with tap("import sys", f"print({line!r}, file=sys.stderr)") as process:
        process.wait()

    assert process.stderr.refusals == []


@pytest.mark.parametrize("log", ["/dev/full", "/missing/log"])
def test_a_log_that_cannot_be_written_does_not_hold_up_a_tap(tap, tmp_path, log):
    (tmp_path / "log").symlink_to(log)
    with tap("import sys", "for n in range(20_000): print(n, file=sys.stderr)", "print('done')") as process:
        printed = b"".join(process.blocks())
        exit_code = process.wait()

    assert (printed, exit_code) == (b"done\n", 0)
    assert process.stderr.last[-1] == "19999"


def test_what_is_logged_is_scrubbed(tap, tmp_path):
    with tap(
        "import sys", "print('token is s3cret', file=sys.stderr)", scrub=lambda text: text.replace("s3cret", "***")
    ) as process:
        list(process.blocks())
        process.wait()

    assert (tmp_path / "log").read_text() == "token is ***\n"
    assert list(process.stderr.last) == ["token is ***"]


# ── how it ends ──────────────────────────────────────────────────────────────────────────────────


def test_leaving_ends_a_tap_that_would_go_on(tap):
    with tap(FOREVER) as process:
        pass

    assert not is_alive(process.pid)


def test_a_tap_that_does_not_listen_is_killed_after_the_grace(tap):
    with tap(DEAF, "print(flush=True)", FOREVER, grace=0.3) as process:
        first_line(process)
        began = time.monotonic()

    assert not is_alive(process.pid)
    assert time.monotonic() - began >= 0.3


def test_a_tap_may_say_goodbye(tap, tmp_path):
    with tap(
        "import signal, sys, time",
        "def end(number, frame): time.sleep(0.3); print('goodbye', file=sys.stderr); sys.exit()",
        "signal.signal(signal.SIGTERM, end)",
        "print(flush=True)",
        FOREVER,
    ) as process:
        first_line(process)

    assert (tmp_path / "log").read_text() == "goodbye\n"


def test_what_a_tap_started_ends_with_it(tap):
    with tap(WITH_A_CHILD, FOREVER) as process:
        child = int(first_line(process))
        assert is_alive(child)

    wait_until(lambda: not is_alive(child))


def test_what_does_not_listen_either_is_killed_with_it(tap):
    with tap(
        "import subprocess, sys",
        f"child = subprocess.Popen([sys.executable, '-IS', '-c', {'; '.join([DEAF, 'print(flush=True)', FOREVER])!r}])",
        FOREVER,
        grace=0.3,
    ) as process:
        first_line(process)
        (child,) = psutil.Process(process.pid).children()

    wait_until(lambda: not is_alive(child.pid))


def test_the_output_ends_with_the_tap_though_a_child_holds_the_pipes(tap):
    with tap(WITH_A_CHILD, "import sys", "sys.stdout.write('x' * 3_000_000)") as process:
        child, _, rest = b"".join(process.blocks()).partition(b"\n")
        exit_code = process.wait()

    assert (exit_code, rest) == (0, b"x" * 3_000_000)
    wait_until(lambda: not is_alive(int(child)))


def test_a_tap_that_closes_its_stdout_and_goes_on_is_not_waited_for(tap):
    with tap("import os", "os.close(1)", FOREVER, grace=0.3) as process:
        assert list(process.blocks()) == []
        assert process.wait() == -signal.SIGTERM


def test_a_third_signal_does_not_save_a_tap_from_its_end(tap):
    """Whoever presses Ctrl-C while a tap takes its time to end wants it to end all the more."""
    interrupt = partial(os.kill, os.getpid(), signal.SIGINT)

    def run_until_interrupted():
        with Stop().on_signals(), tap(DEAF, "print(flush=True)", FOREVER, grace=1.0) as process:
            pids.append(process.pid)
            first_line(process)
            interrupt()
            threading.Timer(0.3, interrupt).start()
            interrupt()

    pids: list[int] = []
    with pytest.raises(Stopped):
        run_until_interrupted()

    wait_until(lambda: not is_alive(pids[0]))


def test_a_program_that_is_not_there_is_an_environment_that_is_broken(tmp_path):
    with pytest.raises(EnvironmentBroken, match="tap-gone cannot be started"):
        TapProcess(Command((str(tmp_path / "tap-gone"),), {}, tmp_path, tmp_path / "config.json"), tmp_path / "log")
