"""SIGTERM ends a command, and with it what the command had started."""

import signal
import subprocess
import sys
import time

from orchestrator.cli import main
from tests.workspaces import TAP, FakeWorkspace, is_alive, wait_until


def test_sigterm_in_discovery_ends_the_tap_too(tmp_path):
    workspace = FakeWorkspace(tmp_path)
    program = workspace.paths.build(TAP, "made-up") / "bin" / "tap-fake"
    program.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 60\n")

    command = [sys.executable, "-m", "orchestrator", "--workspace", str(tmp_path), "discover", TAP]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        wait_until((tmp_path / "pid").exists)
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=20)

    assert process.returncode == 143
    assert said == "error: stopped\n"
    assert not is_alive(int((tmp_path / "pid").read_text()))


def test_who_calls_the_command_line_from_python_keeps_the_handlers_of_signals():
    before = signal.getsignal(signal.SIGTERM)

    main(["--version"])

    assert signal.getsignal(signal.SIGTERM) is before
