"""tap-rest-api-msdk 1.4.2, a tap of the Singer SDK: it discovers what it offers by asking the source."""

from contextlib import ExitStack

import pytest

from examples.gitlab_api import GitLab, Served
from orchestrator import Workspace
from orchestrator.errors import DoesNotStart
from tests.index.runs import kill_run, read_by
from tests.index.source import Listing, held, landed

pytestmark = pytest.mark.index

PACKAGE = "tap-rest-api-msdk==1.4.2"
PAGE = 100
STREAMS = {
    "issues": Listing(("projects/3101/issues",), ("id", "title", "state", "created_at", "updated_at")),
    "labels": Listing(("projects/3101/labels",), ("id", "name", "color")),
}


def configure(workspace: Workspace, gitlab: GitLab) -> None:
    follows_updates = {
        "replication_key": "updated_at",
        "source_search_field": "updated_after",
        "source_search_query": "$last_run_date",
    }
    workspace.configure(
        "rest",
        set={
            "api_url": gitlab.api_url,
            "headers": {"PRIVATE-TOKEN": {"env": "GITLAB_PRIVATE_TOKEN"}},
            "params": {"per_page": "100"},
            "pagination_request_style": "simple_header_paginator",
            "start_date": "2024-01-01T00:00:00Z",
            "streams": [
                stream("issues") | follows_updates,
                stream("merge_requests") | follows_updates,
                stream("labels"),
            ],
        },
    )


def stream(name: str) -> dict[str, object]:
    return {"name": name, "path": f"/projects/3101/{name}", "primary_keys": ["id"], "records_path": "$[*]"}


@pytest.mark.parametrize("destination", ["warehouse", "lake"])
def test_it_is_added_discovered_selected_and_run_twice(workspace, gitlab, destination):
    workspace.add_tap(PACKAGE, id="rest", extras=["setuptools<81"], destination=destination)
    configure(workspace, gitlab)

    offered = workspace.discover("rest")
    chosen = workspace.select("rest", ["issues", "labels", "!issues.description"])
    first = workspace.run("rest")

    assert {stream.id for stream in offered.streams} == {"issues", "labels", "merge_requests"}
    assert {choice.stream.id for choice in chosen if choice.selected} == {"issues", "labels"}
    assert first.run.read == {"issues": 1500, "labels": 14}
    assert landed(workspace, "rest", STREAMS) == held(gitlab, STREAMS)
    assert "description" not in workspace.query("from rest.issues limit 0").column_names

    touched = [id for id in gitlab.touch_issues(42) if id // 10_000 == 3101]
    asked_for = gitlab.served()["projects/:id/issues"].objects
    second = workspace.run("rest")

    # Those that changed, and the one that stands at the bookmark itself.
    assert second.run.read["issues"] == len(touched) + 1
    # It infers its schema from the first page in each start; all else that it asks for is new.
    assert gitlab.served()["projects/:id/issues"].objects - asked_for == 100 + len(touched) + 1
    assert landed(workspace, "rest", STREAMS) == held(gitlab, STREAMS)


def test_a_run_that_is_killed_in_between_loses_nothing_and_doubles_nothing(workspace, gitlab):
    workspace.add_tap(PACKAGE, id="rest", extras=["setuptools<81"])
    configure(workspace, gitlab)
    workspace.select("rest", ["issues", "labels", "merge_requests"])
    read_by(workspace, "rest")
    gitlab.touch_issues(42)
    asked_for = merge_requests_served(gitlab)

    with ExitStack() as pause:
        paused = False

        def has_committed_the_issues() -> bool:
            """The pages of the merge requests come after the issues; the second page has to wait."""
            nonlocal paused
            if not paused and merge_requests_served(gitlab) > asked_for + PAGE:
                pause.enter_context(gitlab.paused())
                paused = True
            return paused and len(workspace.history("rest")) > 1

        kill_run(workspace, "rest", when=has_committed_the_issues)
    read = read_by(workspace, "rest")

    # Those that stand at the bookmark itself.
    assert read["issues"] == 1
    assert landed(workspace, "rest", STREAMS) == held(gitlab, STREAMS)


def merge_requests_served(gitlab: GitLab) -> int:
    return gitlab.served().get("projects/:id/merge_requests", Served()).objects


def test_what_it_needs_and_does_not_say_is_in_the_hint(workspace):
    with pytest.raises(DoesNotStart) as raised:
        workspace.add_tap(PACKAGE, id="rest")

    assert raised.value.cause == "ModuleNotFoundError: No module named 'pkg_resources'"
    assert raised.value.hint == f"orchestrator add-tap {PACKAGE} --as rest --with 'setuptools<81'"
