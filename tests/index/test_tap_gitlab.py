"""tap-gitlab 0.5.1 of 2021, as it is on PyPI: no discovery, a flat state, and a bookmark for issues and milestones."""

import os
import signal
import subprocess
import sys
from urllib.parse import quote

import pytest

from examples.gitlab_api import GitLab, Served
from orchestrator import Workspace
from orchestrator.state import Status
from tests.index.source import Listing, held, landed
from tests.workspaces import wait_until

pytestmark = pytest.mark.index

PROJECTS = ("projects/3101", "projects/3102")


def of_projects(kind: str, *columns: str) -> Listing:
    return Listing(tuple(f"{project}/{kind}" for project in PROJECTS), columns)


STREAMS = {
    "branches": of_projects("repository/branches", "name", "merged", "protected"),
    "commits": of_projects("repository/commits", "id", "title", "author_email", "created_at"),
    "issues": of_projects("issues", "id", "iid", "title", "description", "state", "created_at", "updated_at"),
    "project_milestones": of_projects("milestones", "id", "title", "state"),
    "users": of_projects("users", "id", "username", "name"),
    "projects": Listing(("projects",), ("id", "name", "last_activity_at")),
    "group_milestones": Listing(("groups/310/milestones",), ("id", "title")),
    "groups": Listing(("groups",), ("id", "name", "path")),
}


def add_tap(workspace: Workspace, gitlab: GitLab, destination: str) -> None:
    workspace.add_tap("tap-gitlab==0.5.1", extras=["pytz"], overrides=["urllib3==1.26.20"], destination=destination)
    workspace.configure(
        "gitlab",
        set={
            "api_url": gitlab.api_url,
            "private_token": {"env": "GITLAB_PRIVATE_TOKEN"},
            "groups": "310",
            "projects": "",
            "start_date": "2024-01-01T00:00:00Z",
        },
    )


@pytest.mark.parametrize("destination", ["warehouse", "lake"])
def test_what_lands_is_what_the_source_holds_run_after_run(workspace, gitlab, destination):
    add_tap(workspace, gitlab, destination)

    first = workspace.run("gitlab")

    assert first.run.read["issues"] == 2500
    assert with_branches_once(landed(workspace, "gitlab", STREAMS)) == held(gitlab, STREAMS)

    gitlab.touch_issues(42)
    second = workspace.run("gitlab")

    # Those that changed, and in each project the one that stands at the bookmark itself.
    assert second.run.read["issues"] == 42 + len(PROJECTS)
    assert with_branches_once(landed(workspace, "gitlab", STREAMS)) == held(gitlab, STREAMS)
    assert set(second.bookmarks) == {"project_3101", "project_3102"}


@pytest.mark.parametrize("destination", ["warehouse", "lake"])
def test_a_run_that_is_killed_in_between_loses_nothing_and_doubles_nothing(workspace, gitlab, destination):
    add_tap(workspace, gitlab, destination)
    command = [sys.executable, "-m", "orchestrator", "run", "gitlab", "--commit-rows", "1"]
    environment = {**os.environ, "ORCHESTRATOR_WORKSPACE": str(workspace.paths.root)}

    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            # The tap sends a STATE after each project; it is kept from ending while it reads the second one.
            wait_until(lambda: issues_served(gitlab) > 1600)
            with gitlab.paused():
                wait_until(lambda: workspace.history("gitlab"))
                process.kill()
                process.wait()
        finally:
            process.kill()
    (killed,) = workspace.runs("gitlab")
    landed_before = landed(workspace, "gitlab", STREAMS)["issues"]
    workspace.run("gitlab")

    assert process.returncode == -signal.SIGKILL
    assert killed.status is Status.CRASHED
    assert len(landed_before) == 1500
    assert with_branches_once(landed(workspace, "gitlab", STREAMS)) == held(gitlab, STREAMS)


def issues_served(gitlab: GitLab) -> int:
    return gitlab.served().get("projects/:id/issues", Served()).objects


def with_branches_once(rows: dict[str, list[tuple[object, ...]]]) -> dict[str, list[tuple[object, ...]]]:
    """Both projects have branches of the same names; the source lists are compared without the project."""
    return rows | {"branches": sorted(set(rows["branches"]), key=str)}


def test_a_token_that_it_prints_in_addresses_when_the_network_fails_shows_nowhere(workspace, gitlab, monkeypatch):
    token = "glpat/when+nobody=answers&"
    monkeypatch.setenv("GITLAB_PRIVATE_TOKEN", token)
    add_tap(workspace, gitlab, "warehouse")
    workspace.configure("gitlab", set={"api_url": "http://127.0.0.1:9/api/v4"})
    command = [sys.executable, "-m", "orchestrator", "run", "gitlab", "-v", "--json"]

    ended = subprocess.run(command, cwd=workspace.paths.root, capture_output=True, text=True)

    assert ended.returncode == 1
    log = workspace.paths.tap_log("gitlab", 1).read_text()
    assert "private_token=***" in log
    said = [ended.stdout, ended.stderr, log, workspace.paths.record("gitlab", 1).read_text()]
    for spelled in (token, quote(token), quote(token, safe=""), "nobody", "answers"):
        assert not [text for text in said if spelled in text]
