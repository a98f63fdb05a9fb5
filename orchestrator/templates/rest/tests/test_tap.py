"""What every tap of the Singer SDK has to do, and what this one promises."""

from typing import Any

import pytest
from singer_sdk.exceptions import FatalAPIError
from singer_sdk.testing import TapTestRunner, get_tap_test_class

from tap_example.tap import TapExample

from .source import TOKEN, Source

SOURCE = Source()

# The SDK's own tests: discovery, records that fit their schema, keys that are there and tell rows apart.
TestTheTap = get_tap_test_class(TapExample, config=SOURCE.config)


def read(source: Source, state: Any = None, **settings: Any) -> TapTestRunner:
    """A sync, with what it said."""
    runner = TapTestRunner(TapExample, config=source.config | settings, state=state)
    runner.sync_all()
    return runner


def ids(runner: TapTestRunner, stream: str) -> list[int]:
    return [record["id"] for record in runner.records[stream]]


def test_every_page_is_read() -> None:
    runner = read(SOURCE)

    assert ids(runner, "items") == [1, 2, 3, 4, 5]
    assert ids(runner, "labels") == [1, 2]


def test_the_next_run_goes_on_from_the_bookmark() -> None:
    source = Source()
    first = read(source)
    source.items.append({"id": 6, "name": "item 6", "price": 1.5, "updated_at": "2026-01-06T00:00:00+00:00"})

    second = read(source, state=first.state_messages[-1]["value"])

    # The row that stands at the bookmark comes again: it may have a twin of the same moment.
    assert ids(second, "items") == [5, 6]


def test_nothing_older_than_the_start_date_is_read() -> None:
    assert ids(read(SOURCE, start_date="2026-01-04T00:00:00+00:00"), "items") == [4, 5]


def test_a_token_that_is_refused_ends_the_run_and_is_not_printed(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(FatalAPIError) as refused:
        read(SOURCE, auth_token="a-token-that-is-wrong")

    assert "401" in str(refused.value)
    assert "a-token-that-is-wrong" not in str(refused.value) + caplog.text
    assert TOKEN not in caplog.text
