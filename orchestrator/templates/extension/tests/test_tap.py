"""What is different from tap-base, and that the rest is as it is there."""

from collections.abc import Sequence
from typing import Any

import pytest
from singer_sdk import Stream
from singer_sdk import typing as th

from base_module import TapBase
from tap_example.tap import TapExample


class OfTheBase(Stream):
    """Stands in for what tap-base offers, so that no source has to be there."""

    schema = th.PropertiesList(th.Property("id", th.IntegerType)).to_dict()

    def get_records(self, context: Any) -> list[dict[str, Any]]:
        return [{"id": 1}]


@pytest.fixture(autouse=True)
def base(monkeypatch: pytest.MonkeyPatch) -> None:
    def discover_streams(self: TapBase) -> Sequence[Stream]:
        return [OfTheBase(self, name="items"), OfTheBase(self, name="labels")]

    monkeypatch.setattr(TapBase, "discover_streams", discover_streams)


def offered(**settings: Any) -> set[str]:
    return set(TapExample(config=settings, validate_config=False).streams)


def test_it_offers_what_its_base_offers() -> None:
    assert offered() == {"items", "labels"}


def test_it_offers_only_what_is_asked_for() -> None:
    assert offered(only=["labels"]) == {"labels"}


def test_it_has_the_settings_of_its_base() -> None:
    own, of_the_base = TapExample.config_jsonschema, TapBase.config_jsonschema

    assert own["properties"].keys() > of_the_base["properties"].keys()
    assert own.get("required") == of_the_base.get("required")
