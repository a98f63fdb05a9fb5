"""The tap: its settings, and the streams it offers."""

from collections.abc import Sequence

from singer_sdk import Tap
from singer_sdk import typing as th

from tap_example.client import ExampleStream
from tap_example.streams import STREAMS


class TapExample(Tap):
    name = "tap-example"

    config_jsonschema = th.PropertiesList(
        th.Property("api_url", th.StringType, required=True, description="Where the API is, without a / at its end"),
        th.Property("auth_token", th.StringType, required=True, secret=True, description="The token it asks for"),
        th.Property("start_date", th.DateTimeType, description="Nothing that changed earlier is read"),
        th.Property("page_size", th.IntegerType, default=100, description="Rows asked for at a time"),
    ).to_dict()

    # A tap that specialises this one may add to it, or put its own in the place of one.
    streams_offered: Sequence[type[ExampleStream]] = STREAMS

    def discover_streams(self) -> list[ExampleStream]:
        return [stream(self) for stream in self.streams_offered]


if __name__ == "__main__":
    TapExample.cli()
