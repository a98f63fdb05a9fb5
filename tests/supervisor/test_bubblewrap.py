"""With bubblewrap the rest of the machine is not there for a tap, and no other process. It ends as any other.

Where there is no bwrap, that of Debian is taken out of its package, which has to be fetched.
"""

import os
import shutil
import subprocess
from dataclasses import replace

import psutil
import pytest

from orchestrator.actions.doctor import doctor
from orchestrator.config import Limits, Sandbox
from orchestrator.errors import ConfigError, TapFailed
from orchestrator.supervisor.bubblewrap import flaw_of_bubblewrap
from orchestrator.supervisor.process import TapProcess
from tests.supervisor.test_sandbox import attempts, command_in, home
from tests.workspaces import FakeWorkspace, wait_until

__all__ = ["attempts", "home"]

pytestmark = [] if shutil.which("bwrap") else [pytest.mark.index]


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """The folder of a bwrap that works here."""
    folder = tmp_path_factory.mktemp("bubblewrap")
    if shutil.which("bwrap") is None:
        if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
            pytest.skip("here is neither bwrap nor a package of Debian")
        fetched = subprocess.run(["apt-get", "download", "bubblewrap"], cwd=folder, capture_output=True, timeout=60)
        for package in folder.glob("*.deb"):
            subprocess.run(["dpkg-deb", "--extract", package, folder], check=True)
        if not (folder / "usr" / "bin" / "bwrap").exists():
            pytest.skip(f"bubblewrap cannot be fetched: {fetched.stderr.decode()}")
    return folder / "usr" / "bin"


@pytest.fixture
def bwrap(program, monkeypatch):
    monkeypatch.setenv("PATH", f"{program}:{os.environ['PATH']}")
    if flaw := flaw_of_bubblewrap():
        pytest.skip(f"nothing can be enclosed here: {flaw}")


ENCLOSED = {"sandbox": Sandbox.BUBBLEWRAP}


@pytest.mark.usefixtures("bwrap")
def test_a_tap_sees_what_it_may_and_nothing_else(attempts):
    allowed = attempts(
        "open('{home}/source/file').read()", "open('source/file').read()", "os.listdir('{home}')", **ENCLOSED
    )
    refused = attempts(
        "open('{home}/private/file').read()",
        "open('/etc/shadow').read()",
        f"open({__file__!r}).read()",
        "os.listdir('/var')",
        **ENCLOSED,
    )

    assert allowed[:2] == ["source", "source"]
    assert set(allowed[2]) == {"source", "work"}
    assert set(map(str, refused)) == {"FileNotFoundError"}


@pytest.mark.usefixtures("bwrap")
def test_a_tap_writes_where_it_may_and_nowhere_else(attempts, home):
    allowed = attempts(
        "open('{home}/work/file', 'w').write('mine') and None", "open('/dev/null', 'w').close()", **ENCLOSED
    )
    refused = attempts(
        "open('{home}/source/file', 'a').close()",
        "open('{home}/new', 'w').close()",
        "open('/new', 'w').close()",
        "os.unlink('{home}/source/file')",
        **ENCLOSED,
    )

    assert allowed == ["done", "done"]
    assert set(refused) == {"OSError"}
    assert (home / "work" / "file").read_text() == "mine"


@pytest.mark.usefixtures("bwrap")
def test_a_tap_sees_no_process_but_its_own_and_has_shared_memory_of_its_own(attempts):
    said = attempts(
        "[each for each in os.listdir('/proc') if each.isdecimal()]",
        "os.listdir('/dev/shm') == [] and None",
        "__import__('multiprocessing').Lock() and None",
        f"os.kill({os.getpid()}, 0)",
        **ENCLOSED,
    )

    assert said == [["1", "2"], "done", "done", "ProcessLookupError"]


LEAVE = """
import os, signal, sys, time
def leave(*_): os.write(1, b"bye\\n"); sys.exit(7)
signal.signal(signal.SIGTERM, leave)
print("here", flush=True)
time.sleep(60)
"""


def said_by(process):
    return b"".join(process.blocks()).decode().split()


@pytest.mark.usefixtures("bwrap")
def test_a_tap_takes_its_leave_when_it_is_asked_to_end_and_its_exit_code_is_heard(home):
    with TapProcess(command_in(home, LEAVE, **ENCLOSED), home / "log") as process:
        blocks = process.blocks()
        assert next(each for each in blocks if each) == b"here\n"
        process.ask_to_end()

        assert b"".join(blocks) == b"bye\n"
        assert process.wait() == 7


@pytest.mark.usefixtures("bwrap")
def test_the_signal_that_ended_a_tap_is_told(home):
    with TapProcess(command_in(home, "import os; os.kill(os.getpid(), 11)", **ENCLOSED), home / "log") as process:
        assert not said_by(process)
        assert process.wait() == -11


HANG = """
import signal, subprocess, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen(["/bin/sleep", "61"], start_new_session=True)
print("here", flush=True)
time.sleep(61)
"""


def family_of(pid):
    return [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]


def are_gone(processes):
    return not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in processes)


@pytest.mark.usefixtures("bwrap")
def test_a_tap_that_does_not_listen_is_ended_with_all_that_it_started(home):
    with TapProcess(command_in(home, HANG, **ENCLOSED), home / "log", grace=0.2) as process:
        next(each for each in process.blocks() if each)
        family = family_of(process.pid)
        process.stop()

        # bwrap, the first process in there, the tap and its child.
        assert len(family) == 4
        assert are_gone(family)


@pytest.mark.usefixtures("bwrap")
def test_after_kill_9_of_its_launcher_nothing_of_a_tap_is_left(home):
    with TapProcess(command_in(home, HANG, **ENCLOSED), home / "log", grace=0.2) as process:
        next(each for each in process.blocks() if each)
        family = family_of(process.pid)
        launcher = psutil.Process(process.pid).parent()
        assert launcher is not None
        launcher.kill()

        wait_until(lambda: are_gone(family))


@pytest.mark.usefixtures("bwrap")
def test_limits_hold_in_there(home):
    program = "import time; held = bytearray(300_000_000); time.sleep(60)"
    command = replace(command_in(home, program, **ENCLOSED), limits=Limits(memory=100_000_000))
    with TapProcess(command, home / "log", grace=0.2) as process:
        assert not said_by(process)
        process.wait()

    assert process.over == "memory"


@pytest.mark.usefixtures("bwrap")
def test_a_run_in_there_reads_its_config_and_is_told_what_is_closed(tmp_path):
    workspace = FakeWorkspace(tmp_path)
    workspace.choose(sandbox="bubblewrap", allow_write=[])
    workspace.source(issues={"rows": 3})
    workspace.run()
    assert workspace.numbers("issues") == [1, 2, 3]

    workspace.source(issues={"rows": 3, "breaks": f"No such file or directory: '{workspace.paths.config}'"})
    with pytest.raises(TapFailed) as failed:
        workspace.run()

    assert f'allow_read = ["{workspace.paths.config}"]' in str(failed.value.hint)
    workspace.source(issues={"rows": 3})
    workspace.behave(accidents=[{"after": 1, "touch": str(tmp_path / "new")}])
    with pytest.raises(TapFailed) as failed:
        workspace.run()

    assert f'allow_write = ["{tmp_path}"]' in str(failed.value.hint)


def test_where_there_is_no_bwrap_it_is_an_error_and_no_silence(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    workspace = FakeWorkspace(tmp_path)
    workspace.choose(sandbox="bubblewrap")
    workspace.source(issues={"rows": 3})

    with pytest.raises(ConfigError, match="asks for a sandbox that is not there") as refused:
        workspace.run()

    assert refused.value.cause == "there is no bwrap on the PATH"
    (told,) = (check for check in doctor(workspace.paths) if check.name == "sandbox")
    assert (told.verdict, told.hint) == ("fail", "bwrap --version")


@pytest.mark.usefixtures("bwrap")
@pytest.mark.parametrize("place", ["memory", "file"])
def test_a_token_that_a_tap_renews_in_there_goes_to_the_next_run(tmp_path, monkeypatch, place):
    monkeypatch.setenv("SHOP_TOKEN", "refresh-token-1")
    workspace = FakeWorkspace(tmp_path)
    workspace.install("config", "state")
    workspace.choose(sandbox="bubblewrap", config_in=place)
    workspace.source(issues={"rows": 3})
    workspace.behave(rotates=str(tmp_path / "source"), login={"user": "ada", "token": {"env": "SHOP_TOKEN"}})

    workspace.run()

    assert workspace.run().run.status == "succeeded"
    assert (tmp_path / "source").read_text() == "refresh-token-3"
