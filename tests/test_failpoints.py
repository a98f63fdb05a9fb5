"""Failpoints: a process that its environment tells to dies, or fails, at the edge of a step, and else does not."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.failpoints import VARIABLE, Point, Step, failpoint

WRITES_TWICE = """
import sys
from pathlib import Path
from orchestrator import durable

for content in ("old", "new"):
    durable.write(Path(sys.argv[1]), content)
"""


def write_twice(path: Path, armed: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, VARIABLE: armed}
    return subprocess.run(
        [sys.executable, "-c", WRITES_TWICE, str(path)], env=environ, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(("moment", "content"), [("before", "old"), ("after", "new")])
def test_a_process_is_killed_before_or_after_a_step(tmp_path, moment, content):
    ended = write_twice(tmp_path / "file", f"{moment} file.rename:kill@2")

    assert ended.returncode == -signal.SIGKILL
    assert (tmp_path / "file").read_text() == content


def test_a_step_fails_with_the_error_that_was_asked_for(tmp_path):
    ended = write_twice(tmp_path / "file", "before file.sync:error=EIO@2")

    assert ended.returncode == 1
    assert f"[Errno {errno.EIO}]" in ended.stderr
    assert (tmp_path / "file").read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_only_what_has_the_name_is_hit():
    hit = failpoint("before file.sync manifest-*:error=ENOSPC")

    hit(Point("before", Step.FILE_SYNC, Path("run.json")))
    hit(Point("after", Step.FILE_SYNC, Path("manifest-00000001.json")))
    with pytest.raises(OSError, match=r"manifest-00000001\.json") as caught:
        hit(Point("before", Step.FILE_SYNC, Path("manifest-00000001.json")))
    assert caught.value.errno == errno.ENOSPC


@pytest.mark.parametrize("written", ["file.sync:kill", "before nothing:kill", "before file.sync:error=EWRONG"])
def test_a_failpoint_that_is_none_is_told_and_not_passed_over(written):
    with pytest.raises(ValueError, match=r".+"):
        failpoint(written)
