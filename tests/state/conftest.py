"""A workspace with nothing in it but the folder where things are remembered."""

import pytest

from orchestrator.paths import Paths


@pytest.fixture
def paths(tmp_path):
    return Paths(tmp_path)
