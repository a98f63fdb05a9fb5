"""What the GitLab of the examples holds, and what landed of it, in the same words."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.request import Request, urlopen

from examples.gitlab_api import GitLab
from orchestrator import Workspace
from tests.index.conftest import TOKEN

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Listing:
    """Where the source lists the objects of a stream, and what of each is compared."""

    paths: tuple[str, ...]
    columns: tuple[str, ...]


def held(gitlab: GitLab, listings: Mapping[str, Listing]) -> dict[str, Rows]:
    """What the source holds now: each object once, whoever lists it."""
    rows = {
        stream: {_row(each, listing.columns) for path in listing.paths for each in _read_all(gitlab, path)}
        for stream, listing in listings.items()
    }
    return {stream: sorted(each, key=str) for stream, each in rows.items()}


def landed(workspace: Workspace, schema: str, listings: Mapping[str, Listing]) -> dict[str, Rows]:
    """The rows that a reader of the only destination in use finds."""
    answers = {
        stream: workspace.query(f"select {', '.join(listing.columns)} from {schema}.{stream}").to_pylist()
        for stream, listing in listings.items()
    }
    return {
        stream: sorted((_row(each, listings[stream].columns) for each in rows), key=str)
        for stream, rows in answers.items()
    }


def _row(each: Mapping[str, Any], columns: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(_instant(each[column]) if column.endswith("_at") else each[column] for column in columns)


def _instant(value: Any) -> Any:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _read_all(gitlab: GitLab, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    page = "1"
    while page:
        url = f"{gitlab.api_url}/{path}?per_page=100&page={page}"
        with urlopen(Request(url, headers={"PRIVATE-TOKEN": TOKEN})) as response:
            found += json.load(response)
            page = response.headers["X-Next-Page"]
    return found
