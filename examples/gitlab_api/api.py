"""From a request to an answer, as GitLab's REST API v4 gives it: token, routes, pages. No sockets."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote, urlsplit

from examples.gitlab_api.content import Group, Json, Project

PER_PAGE = 20
MOST_PER_PAGE = 100

PROJECT_LISTS: dict[str, Callable[[Project], list[Json]]] = {
    "issues": lambda project: project.issues,
    "merge_requests": lambda project: project.merge_requests,
    "repository/commits": lambda project: project.commits,
    "repository/branches": lambda project: project.branches,
    "users": lambda project: project.users,
    "labels": lambda project: project.labels,
    "milestones": lambda project: project.milestones,
}
KNOW_UPDATED_AFTER = {"projects/:id/issues", "projects/:id/merge_requests"}


@dataclass(frozen=True)
class Answer:
    status: HTTPStatus
    body: Json | list[Json]
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Served:
    """How often an endpoint was read, and how many objects it gave."""

    requests: int = 0
    objects: int = 0


class Refusal(Exception):
    """A request that GitLab would turn down; `answer` is what it says."""

    def __init__(self, status: HTTPStatus, body: Json) -> None:
        super().__init__(status, body)
        self.answer = Answer(status, body)


class Api:
    """Answers requests over one group. Not safe for threads: whoever has several lets one in at a time."""

    def __init__(self, token: str) -> None:
        self.group = Group()
        self.served: dict[str, Served] = {}
        self._token = token

    def answer(self, method: str, target: str, token: str | None = None) -> Answer:
        """What `method target` gives; `token` is the PRIVATE-TOKEN header, which `?private_token=` may replace."""
        url = urlsplit(target)
        query = dict(parse_qsl(url.query))
        segments = [unquote(segment) for segment in url.path.strip("/").split("/")]
        try:
            match [method, *segments]:
                case ["GET", "api", "v4", *resource]:
                    if (token or query.get("private_token")) != self._token:
                        raise Refusal(HTTPStatus.UNAUTHORIZED, {"message": "401 Unauthorized"})
                    return self._read(resource, query)
                case ["GET", "control", "served"]:
                    return Answer(HTTPStatus.OK, {endpoint: vars(served) for endpoint, served in self.served.items()})
                case ["POST", "control", "touch-issues"]:
                    return self._touch_issues(query)
                case _:
                    raise Refusal(HTTPStatus.NOT_FOUND, {"error": "404 Not Found"})
        except Refusal as refusal:
            return refusal.answer

    def _read(self, resource: Sequence[str], query: Mapping[str, str]) -> Answer:
        endpoint, found = self._find(resource)
        if isinstance(found, list):
            if endpoint in KNOW_UPDATED_AFTER and "updated_after" in query:
                found = _updated_after(found, _time(query, "updated_after"))
            answer = _page(found, query)
        else:
            answer = Answer(HTTPStatus.OK, found)
        before = self.served.get(endpoint, Served())
        objects = len(answer.body) if isinstance(answer.body, list) else 1
        self.served[endpoint] = Served(before.requests + 1, before.objects + objects)
        return answer

    def _find(self, resource: Sequence[str]) -> tuple[str, Json | list[Json]]:
        match resource:
            case ["groups"]:
                return "groups", [self.group.describe()]
            case ["groups", name]:
                return "groups/:id", self._group(name).describe()
            case ["groups", name, "projects"]:
                return "groups/:id/projects", [project.describe() for project in self._group(name).projects]
            case ["groups", name, "milestones"]:
                return "groups/:id/milestones", self._group(name).milestones
            case ["projects"]:
                return "projects", [project.describe() for project in self.group.projects]
            case ["projects", name]:
                return "projects/:id", self._project(name).describe()
            case ["projects", name, *rest] if (kind := "/".join(rest)) in PROJECT_LISTS:
                return f"projects/:id/{kind}", PROJECT_LISTS[kind](self._project(name))
            case _:
                raise Refusal(HTTPStatus.NOT_FOUND, {"error": "404 Not Found"})

    def _group(self, name: str) -> Group:
        if name not in (str(self.group.id), self.group.full_path):
            raise Refusal(HTTPStatus.NOT_FOUND, {"message": "404 Group Not Found"})
        return self.group

    def _project(self, name: str) -> Project:
        for project in self.group.projects:
            if name in (str(project.id), project.full_path):
                return project
        raise Refusal(HTTPStatus.NOT_FOUND, {"message": "404 Project Not Found"})

    def _touch_issues(self, query: Mapping[str, str]) -> Answer:
        try:
            touched = self.group.touch_issues(_count(query, "count", default=1))
        except ValueError as error:
            raise Refusal(HTTPStatus.BAD_REQUEST, {"error": str(error)}) from error
        return Answer(HTTPStatus.OK, {"issues": touched})


def _page(found: Sequence[Json], query: Mapping[str, str]) -> Answer:
    number = _count(query, "page", default=1)
    size = min(_count(query, "per_page", default=PER_PAGE), MOST_PER_PAGE)
    pages = max(1, -(-len(found) // size))
    # GitLab stopped counting commits in 2020. Older taps count pages by X-Total-Pages, so here it counts them still.
    headers = {
        "X-Page": str(number),
        "X-Per-Page": str(size),
        "X-Prev-Page": str(number - 1) if number > 1 else "",
        "X-Next-Page": str(number + 1) if number < pages else "",
        "X-Total": str(len(found)),
        "X-Total-Pages": str(pages),
    }
    return Answer(HTTPStatus.OK, list(found[(number - 1) * size : number * size]), headers)


def _updated_after(found: Sequence[Json], time: datetime) -> list[Json]:
    # GitLab's "after" takes in the very moment as well.
    return [item for item in found if datetime.fromisoformat(item["updated_at"]) >= time]


def _count(query: Mapping[str, str], name: str, default: int) -> int:
    value = query.get(name, str(default))
    if not (value.isascii() and value.isdigit() and int(value) > 0):
        raise Refusal(HTTPStatus.BAD_REQUEST, {"error": f"{name} is invalid"})
    return int(value)


def _time(query: Mapping[str, str], name: str) -> datetime:
    try:
        time = datetime.fromisoformat(query[name])
    except ValueError as error:
        raise Refusal(HTTPStatus.BAD_REQUEST, {"error": f"{name} is invalid"}) from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)
