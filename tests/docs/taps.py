"""docs/reference/taps.md: what `add-tap NAME` makes of well-known taps. It needs an index.

python -m tests.docs.taps                     every tap; writes the document
python -m tests.docs.taps tap-gitlab tap-x    only these, on stdout
"""

import datetime
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from orchestrator import Workspace
from orchestrator.actions.add_tap import TapAdded
from orchestrator.envs.interpreter import interpreters
from orchestrator.envs.uv import Uv
from orchestrator.errors import OrchestratorError
from tests.docs.markdown import ROOT

PATH = ROOT / "docs" / "reference" / "taps.md"
OLDEST, NEWEST = (3, 9), (3, 13)

TAPS = (
    "tap-gitlab==1.0.1",
    "tap-gitlab==0.5.1",
    "meltanolabs-tap-postgres",
    "pipelinewise-tap-postgres",
    "tap-mysql",
    "pipelinewise-tap-mysql",
    "tap-rest-api-msdk",
    "tap-csv-folder",
    "tap-singer-jsonl",
    "tap-jsonl",
    "tap-spreadsheets",
    "tap-s3-csv",
    "tap-salesforce",
    "tap-stripe",
    "tap-zendesk",
    "tap-hubspot",
    "tap-facebook",
    "tap-jira",
    "meltanolabs-tap-github",
    "tap-dynamodb",
    "tap-postgres",
)
MORE = (
    "tap-google-analytics",
    "tap-shopify",
    "tap-mongodb",
    "tap-slack",
    "tap-asana",
    "tap-intercom",
    "tap-exchangeratesapi",
    "tap-quickbooks",
    "tap-xero",
    "tap-marketo",
    "tap-mssql",
    "tap-airbyte",
    "tap-adwords",
    "tap-bing-ads",
    "pipelinewise-tap-kafka",
)

INTRODUCTION = """\
# Taps that were tried

What `orchestrator add-tap NAME --fix` made of taps from PyPI, without another word: {started} of {tried} start. `make
taps` tries them anew and writes this page; the figures are of {day}, {machine}, orchestrator on Python {python}, beside
Python {pythons}.

"By itself" says how far the name alone leads. Where that does not start, the command is what the error ended with, and
what `--fix` took. Seconds are for everything from the name to a tap that has started once, remedies that failed
included; beside them those of `uv venv` and `uv pip install NAME` on our Python, whether or not anything starts then.
Cold is with an empty cache, warm with what the first time left in it.
"""

HEAD = ("tap", "by itself", "what it took", "Python", "takes", "cold", "uv cold", "warm", "uv warm")


@dataclass(frozen=True)
class Tried:
    """One tap: what came of its name, and the command that was taken in its place, if one was."""

    name: str
    added: TapAdded | None
    error: str | None
    command: str | None
    seconds: tuple[float, float]
    plain: tuple[float, float]

    @property
    def row(self) -> tuple[str, ...]:
        cold, warm = (f"{each:.1f} s" for each in self.seconds)
        plain_cold, plain_warm = (f"{each:.1f} s" for each in self.plain)
        times = (cold, plain_cold, warm, plain_warm)
        if self.added is None:
            return (self.name, "does not start", self.error or "", "", "", *times)
        name = f"{self.name.partition('==')[0]} {self.added.version}"
        itself = "proposes a command" if self.command else "starts"
        took = f"`{self.command}`" if self.command else ""
        python = ".".join(self.added.python.split(".")[:2])
        return (name, itself, took, python, ", ".join(self.added.capabilities), *times)


def measure(name: str) -> Tried:
    """Adds a tap twice, the second time with a warm cache; then twice without us."""
    command: list[str] = []

    def agree(proposed: str) -> bool:
        command[:] = [proposed]
        return True

    added, error = None, None
    with fresh_cache():
        seconds = []
        for _ in range(2):
            with tempfile.TemporaryDirectory() as folder:
                workspace = Workspace.init(Path(folder) / "shop")
                started = time.monotonic()
                try:
                    added = workspace.add_tap(name, fix=agree)
                except OrchestratorError as failed:
                    error = str(failed.hint)
                seconds.append(time.monotonic() - started)
    with fresh_cache():
        plain = [plain_install(name) for _ in range(2)]
    return Tried(name, added, error, next(iter(command), None), (seconds[0], seconds[1]), (plain[0], plain[1]))


def plain_install(name: str) -> float:
    """The seconds that uv alone takes to install a tap on our Python."""
    with tempfile.TemporaryDirectory() as folder:
        uv = [sys.executable, "-m", "uv"]
        started = time.monotonic()
        subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
        subprocess.run(
            [*uv, "pip", "install", "--quiet", "--python", f"{folder}/bin/python", name], capture_output=True
        )
        return time.monotonic() - started


@contextmanager
def fresh_cache() -> Iterator[None]:
    with tempfile.TemporaryDirectory() as folder, variable("UV_CACHE_DIR", folder):
        yield


@contextmanager
def variable(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


@contextmanager
def some_pythons() -> Iterator[list[str]]:
    """Only Pythons that taps of today run on: what a machine has, and no museum. Yields their versions."""
    here = [each for each in interpreters(Uv(Path("/"))) if OLDEST <= each.age <= NEWEST]
    with tempfile.TemporaryDirectory() as folder:
        for each in here:
            python = Path(folder, "versions", each.version, "bin", "python")
            python.parent.mkdir(parents=True)
            python.symlink_to(each.path)
        with variable("PYENV_ROOT", folder):
            yield [each.minor for each in here]


def as_markdown(tried: Iterable[Tried], pythons: list[str]) -> str:
    """The whole document."""
    rows = [*tried]
    introduction = INTRODUCTION.format(
        started=sum(each.added is not None for each in rows),
        tried=len(rows),
        day=datetime.datetime.now(datetime.UTC).date().isoformat(),
        machine=f"{platform.system()} on {os.cpu_count()} cores",
        python=platform.python_version(),
        pythons=", ".join(pythons),
    )
    return f"{introduction}\n{as_table(rows)}\n"


def as_table(rows: Iterable[Tried]) -> str:
    lines = [HEAD, ("---",) * len(HEAD), *(each.row for each in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(names: list[str]) -> None:
    tried = []
    with some_pythons() as pythons:
        for name in names or (*TAPS, *MORE):
            tried.append(measure(name))
            print(f"| {' | '.join(tried[-1].row)} |", file=sys.stderr, flush=True)
    if names:
        print(as_table(tried))
    else:
        PATH.write_text(as_markdown(tried, pythons))


if __name__ == "__main__":
    main(sys.argv[1:])
