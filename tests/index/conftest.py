"""A GitLab to read, and a workspace that reads it with a tap from the package index."""

from collections.abc import Iterator

import pytest

from examples.gitlab_api import GitLab
from orchestrator import Workspace

TOKEN = "glpat-for-real-taps"


@pytest.fixture
def gitlab(monkeypatch) -> Iterator[GitLab]:
    monkeypatch.setenv("GITLAB_PRIVATE_TOKEN", TOKEN)
    with GitLab(TOKEN) as serving:
        yield serving


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    """With two destinations: `warehouse` is a DuckDB file, `lake` a parquet folder."""
    workspace = Workspace.init(tmp_path / "shop")
    with workspace.paths.config.open("a") as file:
        file.write('\n[destinations.lake]\ntype = "parquet"\npath = "data/lake"\n')
    return workspace
