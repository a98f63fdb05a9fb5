"""What a workspace keeps is for its owner alone, whatever the umask of who runs it."""

import os
import stat

import pytest


@pytest.fixture
def generous():
    """A umask that takes nothing away."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("generous")
def test_what_is_kept_is_for_its_owner_alone_whatever_the_umask(workspace):
    workspace.source(issues={"rows": 3})
    workspace.behave(accidents=[{"after": 1, "log": "INFO"}], config_in="file")
    workspace.run()
    workspace.replay(1)

    kept = [workspace.paths.state, *workspace.paths.state.rglob("*"), workspace.paths.catalogs]
    assert len(kept) > 8
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in kept}
    assert {path: oct(mode) for path, mode in modes.items() if mode != (0o700 if path.is_dir() else 0o600)} == {}
    # Rows lie in a folder that was made for them.
    assert stat.S_IMODE((workspace.paths.root / "data").stat().st_mode) == 0o700
