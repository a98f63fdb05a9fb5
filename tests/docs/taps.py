"""docs/reference/taps.md: what `add-tap NAME` makes of well-known taps. It needs an index.

python -m tests.docs.taps                     every tap; writes the document
python -m tests.docs.taps tap-gitlab tap-x    only these, on stdout
"""

import datetime
import os
import platform
import re
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from orchestrator import Workspace
from orchestrator.actions.add_tap import TapAdded
from orchestrator.envs.interpreter import interpreters
from orchestrator.envs.uv import Uv
from orchestrator.errors import OrchestratorError
from orchestrator.events import Event, Note
from tests.docs.markdown import ROOT

PATH = ROOT / "docs" / "reference" / "taps.md"
OLDEST, NEWEST = (3, 9), (3, 13)
LONGEST_CAUSE = 120

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
    "tap-klaviyo",
    "tap-chargebee",
    "tap-redshift",
    "pipelinewise-tap-kafka",
    "pipelinewise-tap-snowflake",
)

INTRODUCTION = """\
# Taps that were tried

What `orchestrator add-tap NAME --fix` made of taps from the package index, without another word: {started} of {tried}
start. `make taps` tries them anew and writes this page.

These are of {day}, {machine},
orchestrator on Python {python}, with Python {pythons} at hand.

"By itself" says how far the name alone leads: to a tap that starts, or to what keeps it from starting. Where it does
not start, the command is what the error ended with, and what `--fix` took. "Takes" are the options that its help names.

Seconds are for everything from the name to a tap that has started once, remedies that failed included, and how many
times they are those of `uv venv` and `uv pip install NAME` on our Python, whether or not anything starts then. Cold is
with an empty cache, warm with what the first time left in it.

"""

HEAD = ("tap", "by itself", "what it took", "Python", "takes", "cold", "warm")
_ADDRESS = re.compile(r"\bhttps?://\S+")
_FAILED = re.compile(r"(?:installs but does not start|cannot be built|no versions were found)[^:]*: (.*)")


@dataclass(frozen=True)
class Tried:
    """One tap: what came of its name, what kept that from starting, and the command that was taken in its place.
    `seconds` and those of `plain` uv are with a cold cache, and with a warm one."""

    name: str
    added: TapAdded | None
    cause: str | None
    command: str | None
    seconds: tuple[float, ...]
    plain: tuple[float, ...]

    @property
    def row(self) -> tuple[str, ...]:
        cause = textwrap.shorten(_ADDRESS.sub("…", self.cause or ""), LONGEST_CAUSE, placeholder=" …")
        cause = cause.replace("|", "\\|")
        command = f"`{self.command}`" if self.command else ""
        times = (f"{ours:.1f} s, {ours / plain:.1f} ×" for ours, plain in zip(self.seconds, self.plain, strict=True))
        if self.added is None:
            return (self.name, cause, f"does not start; {command}", "", "", *times)
        name = f"{self.name.partition('==')[0]} {self.added.version}"
        python = ".".join(self.added.python.split(".")[:2])
        return (name, cause or "starts", command, python, ", ".join(self.added.capabilities), *times)


def measure(name: str) -> Tried:
    """Adds a tap twice, the second time with a warm cache; then twice without us."""
    with fresh_cache():
        first, second = attempt(name), attempt(name)
    with fresh_cache():
        plain = (plain_install(name), plain_install(name))
    return replace(first, seconds=(*first.seconds, *second.seconds), plain=plain)


def attempt(name: str) -> Tried:
    """Adds a tap to a workspace of its own."""
    command, causes, added = None, [], None

    def agree(proposed: str) -> bool:
        nonlocal command
        command = proposed
        return True

    def listen(event: Event) -> None:
        if isinstance(event, Note) and (failed := _FAILED.search(event.text)):
            causes.append(failed[1])

    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.init(Path(folder) / "shop")
        started = time.monotonic()
        try:
            added = workspace.add_tap(name, fix=agree, listen=listen)
        except OrchestratorError as error:
            causes.append(str(error.cause or error.message))
            command = error.hint
        seconds = time.monotonic() - started
    return Tried(name, added, next(iter(causes), None), command, (seconds,), ())


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
    # What a version manager puts on the PATH leads to all that it keeps.
    path = os.pathsep.join(each for each in os.get_exec_path() if "shims" not in Path(each).parts)
    with tempfile.TemporaryDirectory() as folder:
        for each in here:
            python = Path(folder, "versions", each.version, "bin", "python")
            python.parent.mkdir(parents=True)
            python.symlink_to(each.path)
        with variable("PYENV_ROOT", folder), variable("PATH", path):
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
    return f"{introduction}{as_table(rows)}\n"


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
