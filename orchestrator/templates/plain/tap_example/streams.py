"""What there is to read. A stream needs a name, a key, the columns it brings, and `get_records`."""

from collections.abc import Iterable
from pathlib import Path

from singer_sdk import Stream
from singer_sdk import typing as th
from singer_sdk.helpers.types import Context, Record

from tap_example.client import read_lines


class Items(Stream):
    """Read on from the bookmark: the newest `updated_at` that was seen."""

    name = "items"
    primary_keys = ("id",)
    replication_key = "updated_at"

    schema = th.PropertiesList(
        th.Property("id", th.IntegerType, required=True),
        th.Property("name", th.StringType),
        th.Property("price", th.NumberType),
        th.Property("updated_at", th.DateTimeType),
    ).to_dict()

    def get_records(self, context: Context | None) -> Iterable[Record]:
        since = self.get_starting_replication_key_value(context)
        for record in read_lines(Path(self.config["folder"]) / "items.jsonl"):
            # Then or later: another row of the same moment may have come since.
            if since is None or record["updated_at"] >= since:
                yield record


class Labels(Stream):
    """Read whole in each run: nothing tells what is new."""

    name = "labels"
    primary_keys = ("id",)

    schema = th.PropertiesList(
        th.Property("id", th.IntegerType, required=True),
        th.Property("name", th.StringType),
    ).to_dict()

    def get_records(self, context: Context | None) -> Iterable[Record]:
        return read_lines(Path(self.config["folder"]) / "labels.jsonl")


STREAMS: tuple[type[Stream], ...] = (Items, Labels)
