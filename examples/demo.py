"""`make demo`: the main job from end to end, with a real tap of 2021, a GitLab made up on the spot, and DuckDB.

Every command is printed as it is run, and can be typed in the same way. The workspace is the folder around this one.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from examples.gitlab_api import GitLab

WORKSPACE = Path(__file__).resolve().parent.parent
OF_THE_LAST_DEMO = ("data/warehouse.duckdb", "data/warehouse.duckdb.wal", "data/lake", "state/gitlab")
TOKEN = "glpat-demo"
TOUCHED = 42
PATIENCE = 20.0
"""Seconds that a command has to end once it is asked to."""

BY_STATE = "select state, count(*) as issues, max(updated_at) as last_update from gitlab.issues group by state"
BY_COMMIT = (
    "select run, number as commit, row_counts->'issues' as issues, row_counts->'commits' as commits, "
    "row_counts->'users' as users from _orchestrator.commits"
)
FINGERPRINTS = 'orchestrator query "$(cat examples/fingerprints.sql)" --to'


def main() -> None:
    began = time.monotonic()
    start_afresh()

    chapter("Install the tap, as envs/gitlab.lock says: tap-gitlab 0.5.1 in an environment of its own")
    shell = Shell(surroundings())
    shell.run("orchestrator install --frozen")

    with GitLab(TOKEN) as gitlab:
        chapter("A GitLab to read, on a free port: 2 500 issues, 1 500 commits, 40 people")
        source = {"GITLAB_API_URL": gitlab.api_url, "GITLAB_PRIVATE_TOKEN": TOKEN}
        tell("$ export " + " ".join(f"{name}={value}" for name, value in source.items()))
        shell = Shell(surroundings() | source)

        chapter("Run 1: everything there is, into DuckDB")
        shell.run("orchestrator run gitlab")
        shell.run(f'orchestrator query "{BY_STATE}"')
        first = shell.answer(f"{FINGERPRINTS} warehouse")

        chapter(f"Somebody edits {TOUCHED} issues")
        tell(f"$ curl -X POST '{gitlab.url}/control/touch-issues?count={TOUCHED}'      (done from in here)")
        gitlab.touch_issues(TOUCHED)

        chapter("Run 2: from the bookmark on")
        shell.run("orchestrator run gitlab")
        shell.run(f'orchestrator query "{BY_COMMIT}"')
        tell(
            f"Of the issues came the {TOUCHED} that changed, and those that stand at a bookmark itself. Of commits,\n"
            "users and the like this tap keeps no bookmark: it sends them whole, and each row finds its key."
        )
        shell.run("orchestrator state show gitlab")
        second = shell.answer(f"{FINGERPRINTS} warehouse")

    chapter("The GitLab is gone. Replay run 1 from its archive, into a folder of parquet files")
    shell.run("orchestrator replay gitlab --run 1 --to lake")
    same(shell.answer(f"{FINGERPRINTS} lake"), first, "The lake holds what the warehouse held after run 1")

    chapter("And run 2 on top")
    shell.run("orchestrator replay gitlab --run 2 --to lake")
    same(shell.answer(f"{FINGERPRINTS} lake"), second, "Both hold the same rows now")

    tell(f"\nDone in {time.monotonic() - began:.0f} s; nothing is left running. Look around:\n\n{LOOK_AROUND}")


LOOK_AROUND = """\
    . .venv/bin/activate
    orchestrator query "from gitlab.issues select title, state order by updated_at desc limit 5"
    orchestrator query "from gitlab.users" --to lake
    orchestrator runs gitlab
    orchestrator status
    orchestrator logs gitlab --run 1
    orchestrator state export gitlab
    orchestrator doctor"""


def start_afresh() -> None:
    """Takes away what the last demo left, so that the first run is run 1 again."""
    there = [name for name in OF_THE_LAST_DEMO if (WORKSPACE / name).exists()]
    if there:
        tell(f"Starting afresh: removing {', '.join(there)} of the last demo.")
    for name in there:
        path = WORKSPACE / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def surroundings() -> dict[str, str]:
    """Our environment variables, with the program in reach and no setting of another workspace."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("ORCHESTRATOR_")}
    return ours | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}


@dataclass(frozen=True)
class Shell:
    """Runs command lines in the workspace, each printed first."""

    environment: Mapping[str, str]

    def run(self, line: str) -> None:
        """Runs a command that talks to the terminal itself. Raises SystemExit with its exit code when it fails."""
        self._run(line)

    def answer(self, line: str) -> str:
        """The same, and gives what it printed on stdout."""
        return self._run(line, stdout=subprocess.PIPE)

    def _run(self, line: str, stdout: int | None = None) -> str:
        tell(f"$ {line}")
        # exec: whoever ends the shell ends the command, and not only the shell around it.
        command = ["/bin/sh", "-c", f"exec {line}"]
        process = subprocess.Popen(command, cwd=WORKSPACE, env=self.environment, stdout=stdout, text=True)
        try:
            printed, _ = process.communicate()
        finally:
            end(process)
        if printed:
            tell(printed.rstrip("\n"))
        if process.returncode:
            print(f"\nThe demo ends here: {line} gave exit code {process.returncode}", file=sys.stderr)
            sys.exit(process.returncode)
        return printed or ""


def end(process: subprocess.Popen[str]) -> None:
    """Sees to it that a command has ended: first it may end well, and stop its tap."""
    for stop in (process.terminate, process.kill):
        if process.poll() is None:
            stop()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                continue


def same(one: str, other: str, claim: str) -> None:
    if one != other:
        print(f"\nThe demo ends here; this is not so: {claim}", file=sys.stderr)
        sys.exit(1)
    tell(f"✓ {claim}")


def chapter(title: str) -> None:
    tell(f"\n\x1b[1m── {title}\x1b[0m" if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else f"\n── {title}")


def tell(text: str) -> None:
    # Flushed, because commands write to the same place.
    print(text, flush=True)


if __name__ == "__main__":
    # As Ctrl-C does, SIGTERM unwinds: the command at work is ended, and the GitLab with it.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
