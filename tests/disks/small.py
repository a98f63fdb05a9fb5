"""Runs on a disk that is small and full: `python -m tests.disks.small WORKSPACE DESTINATION PLACE KILOBYTES...`

To be started by a user who may mount, or with `unshare --map-root-user --mount`. PLACE is the folder of the workspace
that lies on the small disk; as many kilobytes are left when a run begins. Prints a line of JSON for each.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from os import statvfs
from pathlib import Path

from tests.disks.refused import Refused, refused
from tests.faults.oracle import Oracle
from tests.workspaces import FakeWorkspace

SIZE = "24m"
_UNMOUNTABLE = 77
"""The exit code of what cannot be tried here, as test suites know it."""


class Unmountable(RuntimeError):
    """No disk can be made here."""


def runs_on_a_small_disk(folder: Path, destination: str, place: str, kilobytes: list[int]) -> list[Refused]:
    """How runs fared, each with so much room. Raises Unmountable."""
    command = [sys.executable, "-m", "tests.disks.small", str(folder), destination, place, *map(str, kilobytes)]
    done = subprocess.run([*_apart(), *command], capture_output=True, text=True)
    if done.returncode == _UNMOUNTABLE:
        raise Unmountable(done.stderr.strip()[-500:])
    assert done.returncode == 0, done.stderr
    return [Refused(**json.loads(line)) for line in done.stdout.splitlines()]


def _apart() -> list[str]:
    """What starts a command among mounts of its own."""
    if shutil.which("unshare") is None:
        raise Unmountable("there is no unshare")
    for apart in (["unshare", "--map-root-user", "--mount"], ["unshare", "--mount"]):
        if subprocess.run([*apart, "true"], capture_output=True).returncode == 0:
            return apart
    raise Unmountable("the system lets nobody mount anything here")


def main(folder: str, destination: str, place: str, *kilobytes: str) -> None:
    mount = Path(folder) / place
    mount.mkdir(exist_ok=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(mount)]).returncode:
        sys.exit(_UNMOUNTABLE)
    # A tap that writes files would have no room for them.
    oracle = Oracle.of(FakeWorkspace(Path(folder), destination), with_files=False)
    oracle.grow()
    oracle.workspace.run()
    for free in map(int, kilobytes):
        oracle.grow()
        with filled(mount, free):
            fared = refused(f"{destination}, {free} KB left for {place}", oracle.workspace.run, mount)
        print(json.dumps(asdict(fared.checked(oracle))), flush=True)


@contextmanager
def filled(mount: Path, kilobytes: int) -> Iterator[None]:
    """The disk with no more than so much left."""
    filler = mount / "filler"
    status = statvfs(mount)
    filler.write_bytes(bytes(max(0, status.f_bavail * status.f_frsize - kilobytes * 1024)))
    try:
        yield
    finally:
        filler.unlink()


if __name__ == "__main__":
    main(*sys.argv[1:])
