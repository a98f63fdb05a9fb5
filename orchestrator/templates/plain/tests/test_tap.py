"""What every tap of the Singer SDK has to do, and what this one promises."""

import tempfile
from pathlib import Path
from typing import Any

import pytest
from singer_sdk.testing import TapTestRunner, get_tap_test_class

from tap_example.tap import TapExample

from .source import Source

FOLDER = tempfile.TemporaryDirectory()

# The SDK's own tests: discovery, records that fit their schema, keys that are there and tell rows apart.
TestTheTap = get_tap_test_class(TapExample, config=Source(Path(FOLDER.name)).config)


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source(tmp_path)


def read(source: Source, state: Any = None) -> TapTestRunner:
    """A sync, with what it said."""
    runner = TapTestRunner(TapExample, config=source.config, state=state)
    runner.sync_all()
    return runner


def ids(runner: TapTestRunner, stream: str) -> list[int]:
    return [record["id"] for record in runner.records[stream]]


def test_every_file_is_read(source: Source) -> None:
    runner = read(source)

    assert ids(runner, "items") == [1, 2, 3, 4, 5]
    assert ids(runner, "labels") == [1, 2]


def test_the_next_run_goes_on_from_the_bookmark(source: Source) -> None:
    first = read(source)
    source.add(6)

    second = read(source, state=first.state_messages[-1]["value"])

    # The row that stands at the bookmark comes again: it may have a twin of the same moment.
    assert ids(second, "items") == [5, 6]
