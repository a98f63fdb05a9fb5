"""A destination that stands still while its tap has far more to say than fits into memory."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.faults.figures import Figure
from tests.processes import Command
from tests.workspaces import FakeWorkspace, wait_until

FLOOD = Path(__file__).parents[1] / "taps" / "tap_flood.py"
GB = 1_000_000_000
MOST_MEMORY = 400_000_000
STILL = 10.0
IDLE = 3.0

_READER = """
import duckdb, sys, time
held = None
while held is None:
    try:
        held = duckdb.connect(sys.argv[1], read_only=True)
    except duckdb.IOException:
        time.sleep(0.01)
print(flush=True)
sys.stdin.read()
"""


class CannotMount(Exception):
    pass


Pause = Callable[[FakeWorkspace], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run whose destination stood still. `stood` are the seconds for which its tap could write nothing;
    `rows` are those at the destination, `told` those that the bookmark tells of."""

    exit_code: int
    peak: int
    stood: float
    rows: int
    told: int
    said: str

    @property
    def is_whole(self) -> bool:
        return self.exit_code == 0 and self.rows == self.told > 0


def figures(folder: Path) -> Iterator[Figure]:
    paused = {
        "DuckDB file that a reader holds": ("duckdb", held_by_a_reader),
        "parquet folder on a disk that stands still": ("parquet", frozen),
    }
    for what, (kind, pause) in paused.items():
        promise = f"5 GB into a {what} for {STILL:.0f} s"
        to_reach = f"≤ {MOST_MEMORY / 1e6:.0f} MB in the run, the tap waits and is not idle (limit {IDLE:.0f} s)"
        try:
            with prepared(folder / kind, kind, 5 * GB) as workspace:
                outcome = flooded(workspace, pause, STILL, patience=1800)
        except CannotMount as error:
            yield Figure(promise, to_reach, str(error), None)
            continue
        reached = f"{outcome.peak / 1e6:.0f} MB; the tap waited {outcome.stood:.0f} s; "
        reached += f"{outcome.rows} of {outcome.told} rows, exit {outcome.exit_code}"
        held = outcome.is_whole and outcome.peak <= MOST_MEMORY and outcome.stood > IDLE
        yield Figure(promise, to_reach, reached, held)


@contextmanager
def prepared(
    folder: Path, kind: str, size: int, *, rows_a_commit: int = 200_000, idle: float = IDLE
) -> Iterator[FakeWorkspace]:
    """A workspace whose tap says so many bytes, and may be idle for so many seconds. That of a parquet folder has a
    disk of its own. Raises CannotMount."""
    folder.mkdir()
    workspace = FakeWorkspace(folder, kind)
    workspace.install("config", program=str(FLOOD))
    workspace.behave(bytes=size)
    workspace.choose(limits={"idle_timeout": idle})
    workspace.settle(commit_rows=rows_a_commit)
    if kind != "parquet":
        yield workspace
        return
    image, data = folder / "disk", folder / "data"
    data.mkdir()
    with image.open("wb") as file:
        # Sparse: it takes what is written to it.
        file.truncate(size + GB)
    try:
        subprocess.run(["mkfs.ext4", "-q", str(image)], check=True, capture_output=True)
        subprocess.run(["mount", "-o", "loop", str(image), str(data)], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise CannotMount("no file system can be mounted here") from error
    try:
        yield workspace
    finally:
        subprocess.run(["umount", str(data)], check=True)


def flooded(workspace: FakeWorkspace, pause: Pause, still: float, *, patience: float) -> Outcome:
    """A run whose destination stands still after its first commit, for so many seconds from when the tap could write
    nothing any more."""
    with Command(workspace.paths.root, "run", "shop") as command:
        wait_until(lambda: workspace.commits or command.process.poll() is not None, patience)
        with pause(workspace):
            stood = _stands_still(command, still)
        exit_code = command.ended(patience)
    ((rows,),) = workspace.rows("issues", "count(*)") or [(0,)]
    told = json.loads(workspace.held_state() or b"{}").get("rows", 0)
    return Outcome(exit_code, command.peak, stood, rows, told, command.said)


@contextmanager
def held_by_a_reader(workspace: FakeWorkspace) -> Iterator[None]:
    """Another process has the file open, as somebody who looks at it."""
    program = "import duckdb, sys, time\nwhile True:\n    try:\n"
    program += "        held = duckdb.connect(sys.argv[1], read_only=True); break\n"
    program += "    except duckdb.IOException: time.sleep(0.01)\n"
    program += "print(flush=True); sys.stdin.read()\n"
    path = workspace.paths.root / "data" / "warehouse.duckdb"
    reader = [sys.executable, "-c", program, str(path)]
    with subprocess.Popen(reader, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield
        assert process.stdin is not None
        process.stdin.close()


@contextmanager
def frozen(workspace: FakeWorkspace) -> Iterator[None]:
    """Whoever writes to the disk waits: fsfreeze(8)."""
    data = str(workspace.paths.root / "data")
    subprocess.run(["fsfreeze", "--freeze", data], check=True)
    try:
        yield
    finally:
        subprocess.run(["fsfreeze", "--unfreeze", data], check=True)


def _stands_still(command: Command, seconds: float) -> float:
    """Waits until the tap has written nothing for so long. How long that was; less when it ended."""
    written, since = _written(command), time.monotonic()
    while time.monotonic() - since < seconds and command.process.poll() is None:
        time.sleep(0.02)
        if (now := _written(command)) != written:
            written, since = now, time.monotonic()
    return time.monotonic() - since


def _written(command: Command) -> int:
    """Bytes that the tap has written so far."""
    with suppress(psutil.NoSuchProcess):
        run = psutil.Process(command.process.pid)
        return sum(each.io_counters().write_chars for each in run.children(recursive=True))
    return 0
