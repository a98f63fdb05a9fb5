"""Each kind of destination, in a folder of its own; a test that asks for `place` holds for all of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.destinations import Destination
from tests.destinations.landing import KINDS, Place


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return KINDS[request.param](tmp_path)


@pytest.fixture
def destination(place: Place) -> Iterator[Destination]:
    with place.open() as opened:
        yield opened
