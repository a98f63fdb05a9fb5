"""What this GitLab holds: a group with two projects, invented from fixed seeds, the same on every start."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from random import Random
from typing import Any

from examples.gitlab_api import words

Json = dict[str, Any]

# No clock is read: this GitLab's time stands still at TODAY, and moves a minute with each edit.
FIRST_DAY = datetime(2024, 1, 8, 7, 30, tzinfo=UTC)
TODAY = datetime(2025, 12, 19, 16, 45, tzinfo=UTC)
EDIT_TAKES = timedelta(minutes=1)

GROUP_ID = 310
SITE = "https://gitlab.example.com"


@dataclass(frozen=True, eq=False, kw_only=True)
class Project:
    """One project; each of its lists is invented when somebody first asks for it.

    Lists are in the order of GitLab's answers: what was created last comes first.
    """

    id: int
    name: str
    description: str
    things: Sequence[str]
    members: slice
    issue_count: int
    merge_request_count: int
    commit_count: int

    @property
    def path(self) -> str:
        return self.name.lower()

    @property
    def full_path(self) -> str:
        return f"harbour/{self.path}"

    @property
    def web_url(self) -> str:
        return f"{SITE}/{self.full_path}"

    def describe(self) -> Json:
        """The project itself, as `GET /projects/:id` shows it."""
        return {
            "id": self.id,
            "name": self.name,
            "name_with_namespace": f"Harbour / {self.name}",
            "path": self.path,
            "path_with_namespace": self.full_path,
            "description": self.description,
            "default_branch": "main",
            "visibility": "private",
            "created_at": _iso(FIRST_DAY),
            "last_activity_at": max(item["updated_at"] for item in (*self.issues, *self.merge_requests)),
            "creator_id": self.users[0]["id"],
            "namespace": {
                "id": GROUP_ID,
                "name": "Harbour",
                "path": "harbour",
                "kind": "group",
                "full_path": "harbour",
                "parent_id": None,
                "web_url": f"{SITE}/groups/harbour",
            },
            "ssh_url_to_repo": f"git@gitlab.example.com:{self.full_path}.git",
            "http_url_to_repo": f"{self.web_url}.git",
            "web_url": self.web_url,
            "readme_url": f"{self.web_url}/-/blob/main/README.md",
            "avatar_url": None,
            "star_count": len(self.users) // 3,
            "forks_count": 2,
            "open_issues_count": sum(issue["state"] == "opened" for issue in self.issues),
            "archived": False,
            "tag_list": ["ferries", "sjøfart"],
            "topics": ["ferries", "sjøfart"],
            "issues_enabled": True,
            "merge_requests_enabled": True,
            "wiki_enabled": False,
            "jobs_enabled": True,
            "snippets_enabled": True,
            "container_registry_enabled": True,
            "shared_runners_enabled": True,
            "lfs_enabled": False,
            "request_access_enabled": True,
            "public_jobs": True,
            "only_allow_merge_if_pipeline_succeeds": True,
            "only_allow_merge_if_all_discussions_are_resolved": True,
            "approvals_before_merge": 1,
            "shared_with_groups": [],
            "permissions": {
                "project_access": None,
                "group_access": {"access_level": 40, "notification_level": 3},
            },
        }

    @cached_property
    def users(self) -> list[Json]:
        return [_user(number) for number in range(len(words.PEOPLE))[self.members]]

    @cached_property
    def labels(self) -> list[Json]:
        return [
            {
                "id": self.id * 100 + position,
                "name": name,
                "description": description,
                "color": color,
                "text_color": "#FFFFFF",
                "subscribed": False,
                "priority": None,
                "is_project_label": True,
            }
            for position, (name, color, description) in enumerate(words.LABELS)
        ]

    @cached_property
    def milestones(self) -> list[Json]:
        versions = [
            _milestone(
                id=self.id * 10 + quarter,
                iid=quarter + 1,
                title=f"{self.name} {1 + quarter // 4}.{quarter % 4}",
                starts=FIRST_DAY + timedelta(days=91 * quarter),
            )
            for quarter in range(8)
        ]
        for milestone in versions:
            milestone["project_id"] = self.id
            milestone["web_url"] = f"{self.web_url}/-/milestones/{milestone['iid']}"
        return versions[::-1]

    @cached_property
    def issues(self) -> list[Json]:
        chance = Random(f"issues of {self.full_path}")
        return [self._issue(iid, chance) for iid in range(self.issue_count, 0, -1)]

    @cached_property
    def merge_requests(self) -> list[Json]:
        chance = Random(f"merge requests of {self.full_path}")
        return [self._merge_request(iid, chance) for iid in range(self.merge_request_count, 0, -1)]

    @cached_property
    def commits(self) -> list[Json]:
        chance = Random(f"commits of {self.full_path}")
        return [self._commit(number, chance) for number in range(self.commit_count, 0, -1)]

    @cached_property
    def branches(self) -> list[Json]:
        names = ["main", *(f"release/1.{minor}" for minor in range(4)), *(f"{100 + n}-spike" for n in range(8))]
        return [
            {
                "name": name,
                "merged": name.startswith("release/"),
                "protected": not name.endswith("-spike"),
                "default": name == "main",
                "developers_can_push": name.endswith("-spike"),
                "developers_can_merge": name != "main",
                "can_push": True,
                "web_url": f"{self.web_url}/-/tree/{name}",
                "commit": self.commits[20 * position],
            }
            for position, name in enumerate(names)
        ]

    def _issue(self, iid: int, chance: Random) -> Json:
        created, updated = _lifetime(iid, self.issue_count, chance)
        author = chance.choice(self.users)
        assignees = chance.sample(self.users, k=chance.choice((0, 0, 1, 1, 1, 2)))
        closed = chance.random() < 0.72
        due = chance.random() < 0.2
        return {
            "id": self.id * 10_000 + iid,
            "iid": iid,
            "project_id": self.id,
            "title": f"{chance.choice(self.things)} {chance.choice(words.TROUBLES)} {chance.choice(words.OCCASIONS)}",
            "description": chance.choice((None, *words.REPORTS)),
            "state": "closed" if closed else "opened",
            "created_at": _iso(created),
            "updated_at": _iso(updated),
            "closed_at": _iso(updated) if closed else None,
            "closed_by": chance.choice(self.users) if closed else None,
            "labels": sorted(label[0] for label in chance.sample(words.LABELS, k=chance.randrange(4))),
            "milestone": chance.choice((None, *self.milestones)),
            "assignees": assignees,
            "assignee": assignees[0] if assignees else None,
            "author": author,
            "type": "ISSUE",
            "issue_type": "issue",
            "user_notes_count": chance.randrange(12),
            "merge_requests_count": chance.randrange(3),
            "upvotes": chance.randrange(5),
            "downvotes": 0,
            "due_date": (created + timedelta(days=30)).date().isoformat() if due else None,
            "confidential": chance.random() < 0.05,
            "discussion_locked": None,
            "weight": chance.choice((None, None, 1, 2, 3, 5)),
            "web_url": f"{self.web_url}/-/issues/{iid}",
            "time_stats": {
                "time_estimate": 0,
                "total_time_spent": 0,
                "human_time_estimate": None,
                "human_total_time_spent": None,
            },
            "task_completion_status": {"count": 0, "completed_count": 0},
            "references": {"short": f"#{iid}", "relative": f"#{iid}", "full": f"{self.full_path}#{iid}"},
        }

    def _merge_request(self, iid: int, chance: Random) -> Json:
        created, updated = _lifetime(iid, self.merge_request_count, chance)
        state = chance.choice(("merged", "merged", "merged", "merged", "opened", "closed"))
        reviewers = chance.sample(self.users, k=chance.randrange(3))
        title = f"{chance.choice(words.EDITS)} {chance.choice(self.things).lower()}"
        sha = _sha(f"{self.full_path}!{iid}")
        return {
            "id": self.id * 20_000 + iid,
            "iid": iid,
            "project_id": self.id,
            "title": title,
            "description": chance.choice((None, *words.REPORTS)),
            "state": state,
            "created_at": _iso(created),
            "updated_at": _iso(updated),
            "merged_at": _iso(updated) if state == "merged" else None,
            "merged_by": chance.choice(self.users) if state == "merged" else None,
            "closed_at": _iso(updated) if state == "closed" else None,
            "closed_by": chance.choice(self.users) if state == "closed" else None,
            "source_branch": f"{iid}-{title.lower().replace(' ', '-')}",
            "target_branch": "main",
            "source_project_id": self.id,
            "target_project_id": self.id,
            "author": chance.choice(self.users),
            "assignees": reviewers[:1],
            "assignee": reviewers[0] if reviewers else None,
            "reviewers": reviewers,
            "labels": sorted(label[0] for label in chance.sample(words.LABELS, k=chance.randrange(3))),
            "milestone": chance.choice((None, *self.milestones)),
            "draft": state == "opened" and chance.random() < 0.3,
            "merge_when_pipeline_succeeds": False,
            "merge_status": "can_be_merged",
            "has_conflicts": False,
            "sha": sha,
            "merge_commit_sha": _sha(sha) if state == "merged" else None,
            "squash": False,
            "user_notes_count": chance.randrange(20),
            "upvotes": chance.randrange(3),
            "downvotes": 0,
            "web_url": f"{self.web_url}/-/merge_requests/{iid}",
            "references": {"short": f"!{iid}", "relative": f"!{iid}", "full": f"{self.full_path}!{iid}"},
        }

    def _commit(self, number: int, chance: Random) -> Json:
        committed, _ = _lifetime(number, self.commit_count, chance)
        author = chance.choice(self.users)
        title = f"{chance.choice(words.EDITS)} {chance.choice(self.things).lower()}"
        sha = _sha(f"{self.full_path}@{number}")
        # GitLab writes the times of a commit with an offset, and all others with a Z.
        time = committed.isoformat(timespec="milliseconds")
        return {
            "id": sha,
            "short_id": sha[:8],
            "created_at": time,
            "parent_ids": [_sha(f"{self.full_path}@{number - 1}")] if number > 1 else [],
            "title": title,
            "message": f"{title}\n\n{chance.choice(words.REPORTS)}\n",
            "author_name": author["name"],
            "author_email": f"{author['username']}@example.com",
            "authored_date": time,
            "committer_name": author["name"],
            "committer_email": f"{author['username']}@example.com",
            "committed_date": time,
            "trailers": {},
            "web_url": f"{self.web_url}/-/commit/{sha}",
        }


class Group:
    """The group, its projects, and the edits that people make while somebody reads."""

    def __init__(self) -> None:
        self.id = GROUP_ID
        self.full_path = "harbour"
        self.projects = (
            Project(
                id=3101,
                name="Ferry",
                description="Tickets for people, cars and pets",
                things=words.FERRY_THINGS,
                members=slice(0, 28),
                issue_count=1_500,
                merge_request_count=380,
                commit_count=900,
            ),
            Project(
                id=3102,
                name="Beacon",
                description="Where the ships are — and when they come ⚓",
                things=words.BEACON_THINGS,
                members=slice(16, 40),
                issue_count=1_000,
                merge_request_count=220,
                commit_count=600,
            ),
        )
        self._now = TODAY

    def describe(self) -> Json:
        """The group itself, as `GET /groups/:id` shows it."""
        return {
            "id": self.id,
            "name": "Harbour",
            "path": "harbour",
            "full_name": "Harbour",
            "full_path": self.full_path,
            "description": "Software for a small ferry line",
            "visibility": "private",
            "lfs_enabled": True,
            "request_access_enabled": False,
            "avatar_url": None,
            "web_url": f"{SITE}/groups/harbour",
            "parent_id": None,
            "created_at": _iso(FIRST_DAY),
            "projects": [project.describe() for project in self.projects],
        }

    @cached_property
    def milestones(self) -> list[Json]:
        years = [
            _milestone(
                id=GROUP_ID * 10 + half,
                iid=half + 1,
                title=("Winter timetable ❄️", "Summer timetable ☀️")[half % 2],
                starts=FIRST_DAY + timedelta(days=182 * half),
            )
            for half in range(4)
        ]
        for milestone in years:
            milestone["group_id"] = self.id
            milestone["web_url"] = f"{SITE}/groups/harbour/-/milestones/{milestone['iid']}"
        return years[::-1]

    def touch_issues(self, count: int) -> list[int]:
        """Edit the `count` issues that nobody has edited for longest: title, state, `updated_at`.

        Gives their ids in the order of the edits. Raises ValueError when there are fewer issues than that.
        """
        issues = [issue for project in self.projects for issue in project.issues]
        if not 0 <= count <= len(issues):
            raise ValueError(f"there are {len(issues)} issues to touch, not {count}")
        stalest = sorted(issues, key=lambda issue: str(issue["updated_at"]))[:count]
        for issue in stalest:
            self._now += EDIT_TAKES
            closes = issue["state"] == "opened"
            issue["title"] += " (triaged)"
            issue["updated_at"] = _iso(self._now)
            issue["state"] = "closed" if closes else "opened"
            issue["closed_at"] = _iso(self._now) if closes else None
            issue["closed_by"] = issue["author"] if closes else None
        return [issue["id"] for issue in stalest]


def _user(number: int) -> Json:
    return {
        "id": 501 + number,
        "username": f"harbour{number + 1:02}",
        "name": words.PEOPLE[number],
        "state": "blocked" if number % 13 == 12 else "active",
        "avatar_url": None if number % 4 == 3 else f"{SITE}/uploads/user/avatar/{501 + number}/avatar.png",
        "web_url": f"{SITE}/harbour{number + 1:02}",
    }


def _milestone(id: int, iid: int, title: str, starts: datetime) -> Json:
    ends = starts + timedelta(days=90)
    return {
        "id": id,
        "iid": iid,
        "title": title,
        "description": "" if iid % 2 else "What we promise, and by when",
        "state": "closed" if ends < TODAY else "active",
        "created_at": _iso(starts),
        "updated_at": _iso(min(ends, TODAY - timedelta(days=iid))),
        "start_date": starts.date().isoformat(),
        "due_date": ends.date().isoformat(),
        "expired": ends < TODAY,
    }


def _lifetime(number: int, count: int, chance: Random) -> tuple[datetime, datetime]:
    """When one of `count` was created and last edited: creation follows the numbers, and most edits follow soon."""
    created = FIRST_DAY + (TODAY - FIRST_DAY) * ((number - chance.random()) / count)
    return created, created + (TODAY - created) * chance.random() ** 4


def _iso(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _sha(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
