"""What every tap of the Singer SDK has to do, and what this one promises."""

import tempfile
from pathlib import Path
from typing import Any

import pytest
from singer_sdk.testing import TapTestRunner, get_tap_test_class

from tap_example.tap import TapExample

from .source import Source


def selected(source: Source, *, cursor: str | None = None) -> dict[str, Any]:
    """The catalog with all of its tables selected; items are read on by the column `cursor`."""
    catalog = TapExample(config=source.config).catalog_dict
    for entry in catalog["streams"]:
        (root,) = [each["metadata"] for each in entry["metadata"] if not each["breadcrumb"]]
        root["selected"] = True
        if cursor and entry["table_name"] == "items":
            entry |= {"replication_method": "INCREMENTAL", "replication_key": cursor}
    return catalog


FOLDER = tempfile.TemporaryDirectory()
SOURCE = Source(Path(FOLDER.name))

# The SDK's own tests: discovery, records that fit their schema, keys that are there and tell rows apart.
TestTheTap = get_tap_test_class(TapExample, config=SOURCE.config, catalog=selected(SOURCE))


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source(tmp_path)


def read(source: Source, state: Any = None, *, cursor: str | None = None) -> TapTestRunner:
    """A sync, with what it said."""
    catalog = selected(source, cursor=cursor)
    runner = TapTestRunner(TapExample, config=source.config, catalog=catalog, state=state)
    runner.sync_all()
    return runner


def ids(runner: TapTestRunner, table: str) -> list[int]:
    return [record["id"] for record in runner.records[f"main-{table}"]]


def test_every_table_is_read(source: Source) -> None:
    runner = read(source)

    assert ids(runner, "items") == [1, 2, 3, 4, 5]
    assert ids(runner, "labels") == [1, 2]


def test_the_next_run_goes_on_from_the_bookmark(source: Source) -> None:
    first = read(source, cursor="id")
    source.add(6)

    second = read(source, state=first.state_messages[-1]["value"], cursor="id")

    # The row that stands at the bookmark comes again: it may have a twin.
    assert ids(second, "items") == [5, 6]
