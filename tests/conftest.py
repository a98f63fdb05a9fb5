"""Fixtures that tests of every room share."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from orchestrator.paths import Paths
from tests.notices.service import Service, listening
from tests.packages.index import Index
from tests.packages.served import served
from tests.workspaces import FakeWorkspace

# How long an example takes says how busy the machine is; and what is red once must be red for whoever looks at it.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")

# A shell without job control starts what runs in the background deaf to Ctrl-C, and children inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def nobody(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who runs the tests has no identity yet, and no keyring; what theirs hold is no business of a test."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.delenv("ORCHESTRATOR_IDENTITY", raising=False)


@pytest.fixture
def service() -> Iterator[Service]:
    """A service that takes messages, for those who are told."""
    with listening() as service:
        yield service


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What installs other schedulers is run by who names it."""
    if "schedulers" not in config.option.markexpr:
        left = [item for item in items if item.get_closest_marker("schedulers")]
        items[:] = [item for item in items if item not in left]
        config.hook.pytest_deselected(items=left)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Tests of tests/index share servers and environments within a file: each of these files goes to one worker."""
    from xdist.scheduler import LoadScopeScheduling

    class ByServers(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return nodeid.partition("::")[0] if nodeid.startswith("tests/index/") else nodeid

    return ByServers(config, log)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    """A package index that is empty until a test adds to it; uv asks no other, and has a cache of its own."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("UV_FIND_LINKS", str(folder))
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    return Index(folder)


@pytest.fixture
def served_index(index: Index, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """The same as it is when one reaches it over the network: it tells when files were released, and for whom."""
    with served(index) as address:
        monkeypatch.delenv("UV_FIND_LINKS")
        monkeypatch.delenv("UV_OFFLINE")
        monkeypatch.setenv("UV_DEFAULT_INDEX", address)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield index


@pytest.fixture
def only_our_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hides all others, and compilers with them."""
    for name in ("PYENV_ROOT", "ASDF_DATA_DIR", "MISE_DATA_DIR", "UV_PYTHON_INSTALL_DIR"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("PATH", "/usr/sbin:/sbin")


@pytest.fixture
def shop(tmp_path: Path) -> Paths:
    """A workspace with one destination and nothing else."""
    root = tmp_path / "shop"
    root.mkdir()
    (root / "orchestrator.toml").write_text(
        '[destinations.warehouse]\ntype = "duckdb"\npath = "data/warehouse.duckdb"\n'
    )
    return Paths(root)


@pytest.fixture(params=["duckdb", "parquet"])
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> FakeWorkspace:
    """A workspace around the fake tap, once with each type of destination."""
    return FakeWorkspace(tmp_path, request.param)
