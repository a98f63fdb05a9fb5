"""Packages come from where uv is told that they do, and the lock says nothing of it."""

import pytest

from orchestrator.actions.add_tap import add_tap
from orchestrator.errors import CannotResolve
from tests.packages.index import Index
from tests.packages.served import served

LOGIN = "ci:hunter2"


@pytest.fixture
def private(tmp_path, monkeypatch):
    """A tap on an index of one's own, beside that which everybody uses."""
    folder = tmp_path / "private"
    folder.mkdir()
    index = Index(folder)
    index.add("tap-of-ours", requires=["of-everybody"])
    with served(index, login=LOGIN) as address:
        monkeypatch.setenv("UV_INDEX", f"ours={address}")
        yield address


def test_a_private_index_is_asked_with_the_password_that_uv_is_told(shop, served_index, private, monkeypatch):
    served_index.add("of-everybody", commands=[])
    name, _, password = LOGIN.partition(":")
    monkeypatch.setenv("UV_INDEX_OURS_USERNAME", name)
    monkeypatch.setenv("UV_INDEX_OURS_PASSWORD", password)

    added = add_tap(shop, "tap-of-ours")

    assert added.dependencies == 1
    written = [path.read_text() for path in shop.envs.rglob("*") if path.suffix in (".lock", ".log", ".json")]
    assert len(written) > 3
    assert not any(password in text for text in written)
    assert private not in added.lock.read_text()


def test_without_the_password_the_error_says_what_the_index_answered(shop, served_index, private):
    with pytest.raises(CannotResolve) as raised:
        add_tap(shop, "tap-of-ours")

    assert f"({private}) could not be queried" in str(raised.value.cause)
    assert "401 Unauthorized" in str(raised.value.cause)
    assert "UV_INDEX_NAME_PASSWORD" in str(raised.value.hint)
