"""What there is to read. A stream needs a name, a path, a key, and the columns it brings."""

from singer_sdk import typing as th

from tap_example.client import ExampleStream


class Items(ExampleStream):
    """Read on from the bookmark: the newest `updated_at` that was seen."""

    name = "items"
    path = "/items"
    primary_keys = ("id",)
    replication_key = "updated_at"
    # Rows come in the order of the replication key, so that a run that breaks off goes on where it was.
    is_sorted = True

    schema = th.PropertiesList(
        th.Property("id", th.IntegerType, required=True),
        th.Property("name", th.StringType),
        th.Property("price", th.NumberType),
        th.Property("updated_at", th.DateTimeType),
    ).to_dict()


class Labels(ExampleStream):
    """Read whole in each run: nothing tells what is new."""

    name = "labels"
    path = "/labels"
    primary_keys = ("id",)

    schema = th.PropertiesList(
        th.Property("id", th.IntegerType, required=True),
        th.Property("name", th.StringType),
    ).to_dict()


STREAMS: tuple[type[ExampleStream], ...] = (Items, Labels)
