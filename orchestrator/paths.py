"""Finds the workspace and names every path in it. Nothing else builds a path from parts."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from orchestrator.errors import NoWorkspace

CONFIG_FILE = "orchestrator.toml"


@dataclass(frozen=True, slots=True)
class Paths:
    """The paths of one workspace. `root` is absolute; ids are checked by config before they come here."""

    root: Path

    @property
    def config(self) -> Path:
        return self.root / CONFIG_FILE

    @property
    def envs(self) -> Path:
        return self.root / "envs"

    @property
    def catalogs(self) -> Path:
        return self.root / "catalogs"

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def at_work(self) -> Path:
        """What taps are handed while they run, in a folder for each process that runs one."""
        return self.state / ".work"

    @property
    def secrets(self) -> Path:
        """What stays on this machine; never in git."""
        return self.root / "secrets"

    @property
    def vault(self) -> Path:
        """The secrets, encrypted; committed to git."""
        return self.root / "secrets.age"

    def lock(self, tap: str) -> Path:
        """The pinned requirements of a tap's environment, committed to git."""
        return self.envs / f"{tap}.lock"

    def hub_entry(self, tap: str) -> Path:
        """What the hub says of a tap that was added from there, committed to git."""
        return self.envs / f"{tap}.hub.json"

    def builds(self, tap: str) -> Path:
        """The folder that holds one environment per lock hash, and the receipt that names the one in use."""
        return self.envs / tap

    def receipt(self, tap: str) -> Path:
        return self.builds(tap) / "receipt.json"

    def build(self, tap: str, environment: str) -> Path:
        """One virtual environment of a tap."""
        return self.builds(tap) / environment

    def built_lock(self, tap: str, environment: str) -> Path:
        """The lock that an environment was built from."""
        return self.build(tap, environment) / "tap.lock"

    def build_log(self, tap: str, environment: str) -> Path:
        """What was said while an environment was built."""
        return self.build(tap, environment) / "build.log"

    def build_log_aside(self, tap: str) -> Path:
        """The same while it is being built, and after it failed."""
        return self.envs / f".{tap}.log"

    def built_about(self, tap: str, environment: str) -> Path:
        """What a tap that can say so said of itself and its settings."""
        return self.build(tap, environment) / "about.json"

    def built_receipt(self, tap: str, environment: str) -> Path:
        """Written last: an environment without it was never finished."""
        return self.build(tap, environment) / "receipt.json"

    @property
    def bytecode(self) -> Path:
        """What Pythons compiled of the modules of all environments, with a folder for each minor version."""
        return self.envs / ".bytecode"

    def building(self, tap: str) -> Path:
        """The OS lock of whoever builds environments of this tap. Beside the folder, so that it outlives it."""
        return self.envs / f".{tap}.building"

    def catalog(self, tap: str) -> Path:
        return self.catalogs / f"{tap}.json"

    def without_catalog(self, tap: str) -> Path:
        """Stands where a tap turned out to offer none or to take none, in the environment that it names."""
        return self.catalogs / f"{tap}.none"

    def own_config(self, tap: str) -> Path:
        """The config of a tap that finds it in a file, while it runs."""
        return self.secrets / f"{tap}.json"

    def handed_config(self, tap: str) -> Path:
        """What such a tap was told when it was started last, and what orchestrator.toml led to then."""
        return self.secrets / f"{tap}.age"

    def handed_config_unsealed(self, tap: str) -> Path:
        """The same where there is no identity that it could be sealed for."""
        return self.secrets / f"{tap}.handed.json"

    def config_at_work(self, file: Path) -> Path:
        """Held by every run that is at work with a config in a file."""
        return file.with_name(f".{file.stem}.at-work")

    def cassette(self, tap: str) -> Path:
        """A recorded run of a tap, for tests; committed to git."""
        return self.root / "cassettes" / tap

    def flow(self, flow: str) -> Path:
        """What is remembered of one flow: commit log, runs, the lock that says it runs."""
        return self.state / flow

    def commit_log(self, flow: str) -> Path:
        return self.flow(flow) / "commits.jsonl"

    def running(self, flow: str) -> Path:
        return self.flow(flow) / "running.lock"

    def pause(self, flow: str) -> Path:
        """Stands where the schedule of a flow is paused, and says why."""
        return self.flow(flow) / "paused.json"

    def planned(self, flow: str) -> Path:
        """The schedule that a flow was seen with, and since when."""
        return self.flow(flow) / "schedule.json"

    @property
    def up(self) -> Path:
        """The OS lock of the process that keeps the schedules of the workspace."""
        return self.state / ".up.lock"

    @property
    def service_variables(self) -> Path:
        """Variables of the environment for the service that is that process."""
        return self.secrets / "up.env"

    @property
    def up_socket(self) -> Path:
        """Where that process can be asked."""
        return self.state / ".up.sock"

    @property
    def notices(self) -> Path:
        """What was told of flows, and what waits to be."""
        return self.state / ".notices.json"

    @property
    def notices_lock(self) -> Path:
        return self.state / ".notices.lock"

    @property
    def courier(self) -> Path:
        """The OS lock of the process that brings messages on their way."""
        return self.state / ".courier.lock"

    def runs(self, flow: str) -> Path:
        return self.flow(flow) / "runs"

    def run(self, flow: str, number: int) -> Path:
        """One run: run.json, tap.log, messages.zst, files/."""
        return self.runs(flow) / f"{number:06d}"

    def totals(self, flow: str) -> Path:
        """What all runs came to, also those that are gone."""
        return self.flow(flow) / "totals.json"

    def documents(self, flow: str) -> Path:
        """What runs of a flow ran with, each kept once for all of them."""
        return self.flow(flow) / "ran-with"

    def document(self, flow: str, name: str) -> Path:
        return self.documents(flow) / name

    def record(self, flow: str, number: int) -> Path:
        """What is known of a run: when, by whom, how it ended."""
        return self.run(flow, number) / "run.json"

    def tap_log(self, flow: str, number: int) -> Path:
        """What the tap said on stderr."""
        return self.run(flow, number) / "tap.log"

    def archive(self, flow: str, number: int) -> Path:
        """The messages of a run, compressed."""
        return self.run(flow, number) / "messages.zst"

    def batch_files(self, flow: str, number: int) -> Path:
        """The files that BATCH messages of a run named, kept for its replay."""
        return self.run(flow, number) / "files"


def find_workspace(start: Path | None = None) -> Paths:
    """The workspace at `start` (default: the current folder) or in the nearest folder above it.

    Raises NoWorkspace when there is none.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / CONFIG_FILE).is_file():
            return Paths(folder)
    raise NoWorkspace(
        f"there is no workspace in {start} or above it",
        cause=f"no {CONFIG_FILE} was found",
        hint="orchestrator init",
    )


def home() -> Path:
    """The home folder; a user of a container may have none, and then it names nothing that is there."""
    return Path(os.path.expanduser("~"))


def inside(path: Path, roots: Iterable[Path], closed: Iterable[Path] = ()) -> bool:
    """Whether `path`, all links followed, lies in one of `roots` (or is one), and not in what is `closed` in there. In
    what is closed there may be roots again."""

    def depth(folders: Iterable[Path]) -> int:
        real = (Path(os.path.realpath(folder)) for folder in folders)
        return max((len(folder.parts) for folder in real if place.is_relative_to(folder)), default=0)

    place = Path(os.path.realpath(path))
    return depth(roots) > depth(closed)
