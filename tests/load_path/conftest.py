"""A destination of each kind, in a folder of its own."""

from pathlib import Path

import pytest

from tests.load_path.places import KINDS, Place


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return Place(request.param, tmp_path)
