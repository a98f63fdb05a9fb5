"""The tap: its settings. What it offers are the tables of the database, as they are found."""

from singer_sdk import typing as th
from singer_sdk.sql import SQLTap

from tap_example.client import ExampleStream


class TapExample(SQLTap):
    name = "tap-example"

    config_jsonschema = th.PropertiesList(
        th.Property(
            "sqlalchemy_url",
            th.StringType,
            required=True,
            secret=True,
            description="Where the database is, with user and password: sqlite:///shop.db, postgresql://…",
        ),
    ).to_dict()

    default_stream_class = ExampleStream
    # Schemas of the database that hold nothing of yours.
    exclude_schemas = ("information_schema",)


if __name__ == "__main__":
    TapExample.cli()
