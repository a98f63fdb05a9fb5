"""The GitLab of the examples: what the demo and the tests of real taps stand on."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from examples.gitlab_api import GitLab

TOKEN = "glpat-for-tests"
PROJECTS = (3101, 3102)
LISTS = (
    "issues",
    "merge_requests",
    "repository/commits",
    "repository/branches",
    "users",
    "labels",
    "milestones",
)


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: Any


def ask(
    url: str, path: str, query: Mapping[str, str | int] | None = None, *, method: str = "GET", token: str = TOKEN
) -> Reply:
    connection = HTTPConnection(urlsplit(url).netloc)
    try:
        connection.request(method, f"{path}?{urlencode(query or {})}", headers={"PRIVATE-TOKEN": token})
        response = connection.getresponse()
        return Reply(response.status, dict(response.headers), json.load(response))
    finally:
        connection.close()


def read_all(url: str, path: str, query: Mapping[str, str | int] | None = None) -> list[Any]:
    """Every object of a list, page after page, as long as there is a next one."""
    found: list[Any] = []
    page = "1"
    while page:
        reply = ask(url, f"/api/v4/{path}", {"per_page": 100, **(query or {}), "page": page})
        found += reply.body
        page = reply.headers["X-Next-Page"]
    return found


def everything(url: str) -> dict[str, list[Any]]:
    paths = [f"projects/{project}/{kind}" for project in PROJECTS for kind in LISTS]
    return {path: read_all(url, path) for path in ["groups", "projects", "groups/310/milestones", *paths]}


@pytest.fixture
def gitlab() -> Iterator[GitLab]:
    with GitLab(TOKEN) as serving:
        yield serving


@pytest.mark.parametrize(("header", "query"), [(TOKEN, {}), ("", {"private_token": TOKEN})])
def test_the_token_opens_the_api_as_a_header_or_in_the_url(gitlab, header, query):
    reply = ask(gitlab.url, "/api/v4/projects", query, token=header)

    assert reply.status == 200
    assert [project["id"] for project in reply.body] == list(PROJECTS)


@pytest.mark.parametrize(("header", "query"), [("", {}), ("glpat-other", {}), ("", {"private_token": "glpat-other"})])
def test_without_the_right_token_nothing_is_told(gitlab, header, query):
    reply = ask(gitlab.url, "/api/v4/projects", query, token=header)

    assert (reply.status, reply.body) == (401, {"message": "401 Unauthorized"})
    assert gitlab.served() == {}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("projects/7", {"message": "404 Project Not Found"}),
        ("projects/7/issues", {"message": "404 Project Not Found"}),
        ("groups/harbor", {"message": "404 Group Not Found"}),
        ("projects/3101/sonnets", {"error": "404 Not Found"}),
    ],
)
def test_what_is_not_there_is_told_as_gitlab_tells_it(gitlab, path, body):
    reply = ask(gitlab.url, f"/api/v4/{path}")

    assert (reply.status, reply.body) == (404, body)


def test_a_project_goes_by_its_number_and_by_its_path(gitlab):
    by_number = ask(gitlab.url, "/api/v4/projects/3101")
    by_path = ask(gitlab.url, "/api/v4/projects/harbour%2Fferry")

    assert by_path.body == by_number.body


@pytest.mark.parametrize("per_page", [7, 20, 100])
def test_pages_give_every_object_exactly_once(gitlab, per_page):
    iids = [issue["iid"] for issue in read_all(gitlab.url, "projects/3102/issues", {"per_page": per_page})]

    assert iids == list(range(1000, 0, -1))


def test_a_page_says_where_it_stands(gitlab):
    first = ask(gitlab.url, "/api/v4/projects/3102/issues")
    last = ask(gitlab.url, "/api/v4/projects/3102/issues", {"page": 10, "per_page": 500})
    beyond = ask(gitlab.url, "/api/v4/projects/3102/issues", {"page": 51})

    assert {name: value for name, value in first.headers.items() if name.startswith("X-")} == {
        "X-Page": "1",
        "X-Per-Page": "20",
        "X-Prev-Page": "",
        "X-Next-Page": "2",
        "X-Total": "1000",
        "X-Total-Pages": "50",
    }
    assert last.headers["X-Per-Page"] == "100"
    assert last.headers["X-Next-Page"] == ""
    assert len(last.body) == 100
    assert beyond.body == []


@pytest.mark.parametrize("query", [{"page": 0}, {"per_page": "many"}, {"updated_after": "yesterday"}])
def test_a_parameter_that_makes_no_sense_is_refused(gitlab, query):
    reply = ask(gitlab.url, "/api/v4/projects/3101/issues", query)

    assert (reply.status, reply.body) == (400, {"error": f"{next(iter(query))} is invalid"})


@pytest.mark.parametrize("kind", ["issues", "merge_requests"])
def test_updated_after_gives_what_was_edited_then_or_later(gitlab, kind):
    items = read_all(gitlab.url, f"projects/3101/{kind}")
    moment = sorted(item["updated_at"] for item in items)[-50]

    later = read_all(gitlab.url, f"projects/3101/{kind}", {"updated_after": moment})

    assert later == [item for item in items if item["updated_at"] >= moment]
    assert len(later) == 50


def test_touching_changes_exactly_the_issues_it_names(gitlab):
    before = {
        issue["id"]: issue for project in PROJECTS for issue in read_all(gitlab.url, f"projects/{project}/issues")
    }

    touched = gitlab.touch_issues(42)

    after = {issue["id"]: issue for project in PROJECTS for issue in read_all(gitlab.url, f"projects/{project}/issues")}
    assert len(set(touched)) == 42
    assert {id for id in before if before[id] != after[id]} == set(touched)
    for id in touched:
        assert after[id]["title"] != before[id]["title"]
        assert after[id]["state"] != before[id]["state"]
        assert after[id]["updated_at"] > max(issue["updated_at"] for issue in before.values())


def test_after_a_touch_only_the_touched_issues_are_new(gitlab):
    bookmarks = {
        project["id"]: max(issue["updated_at"] for issue in read_all(gitlab.url, f"projects/{project['id']}/issues"))
        for project in read_all(gitlab.url, "projects")
    }

    touched = gitlab.touch_issues(42)

    new = [
        issue["id"]
        for project, bookmark in bookmarks.items()
        for issue in read_all(gitlab.url, f"projects/{project}/issues", {"updated_after": bookmark})
        if issue["updated_at"] > bookmark
    ]
    assert sorted(new) == sorted(touched)


def test_a_project_was_last_active_when_its_newest_issue_or_merge_request_was(gitlab):
    gitlab.touch_issues(1)
    gitlab.touch_issues(42)

    for project in read_all(gitlab.url, "projects"):
        issues = read_all(gitlab.url, f"projects/{project['id']}/issues")
        assert project["last_activity_at"] == max(issue["updated_at"] for issue in issues)


def test_touching_more_issues_than_there_are_changes_none(gitlab):
    before = read_all(gitlab.url, "projects/3101/issues")

    with pytest.raises(ValueError, match="there are 2500 issues to touch, not 2501"):
        gitlab.touch_issues(2501)

    assert read_all(gitlab.url, "projects/3101/issues") == before


def test_the_control_endpoints_touch_and_count_for_another_process(gitlab):
    touched = ask(gitlab.url, "/control/touch-issues", {"count": 3}, method="POST")
    ask(gitlab.url, "/api/v4/projects/3101/issues")
    ask(gitlab.url, "/api/v4/projects/3101/issues", {"page": 2, "per_page": 5})
    ask(gitlab.url, "/api/v4/projects/3101")
    ask(gitlab.url, "/api/v4/projects/7")
    served = ask(gitlab.url, "/control/served")

    assert len(touched.body["issues"]) == 3
    assert served.body == {
        "projects/:id/issues": {"requests": 2, "objects": 25},
        "projects/:id": {"requests": 1, "objects": 1},
    }
    assert {endpoint: vars(count) for endpoint, count in gitlab.served().items()} == served.body


def test_while_it_is_paused_it_answers_nobody(gitlab):
    with ThreadPoolExecutor() as threads:
        with gitlab.paused():
            asked = threads.submit(ask, gitlab.url, "/api/v4/projects")
            with pytest.raises(TimeoutError):
                asked.result(timeout=0.2)

        assert asked.result(timeout=10).status == 200


def test_it_holds_a_few_thousand_objects_with_ids_of_their_own(gitlab):
    content = everything(gitlab.url)

    def both(kind: str, key: str) -> list[Any]:
        return [item[key] for project in PROJECTS for item in content[f"projects/{project}/{kind}"]]

    assert len(both("issues", "id")) == len(set(both("issues", "id"))) == 2500
    assert len(both("merge_requests", "id")) == len(set(both("merge_requests", "id"))) == 600
    assert len(both("repository/commits", "id")) == len(set(both("repository/commits", "id"))) == 1500
    # Some people work on both projects.
    assert len(both("users", "id")) == 52
    assert len(set(both("users", "id"))) == 40


def test_another_process_serves_the_same_objects_and_ends_well_when_told_to_stop(gitlab):
    command = [sys.executable, "-m", "examples.gitlab_api", "--port", "0", "--token", TOKEN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            first_line = process.stdout.readline()
            other = everything(first_line.strip())
            process.send_signal(signal.SIGTERM)
            status = process.wait(timeout=10)
        finally:
            process.kill()

    assert re.fullmatch(r"http://127\.0\.0\.1:\d+\n", first_line)
    assert other == everything(gitlab.url)
    assert status == 0
