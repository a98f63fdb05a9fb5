"""The tap: its settings, and the streams it offers."""

from collections.abc import Sequence

from singer_sdk import Stream, Tap
from singer_sdk import typing as th

from tap_example.streams import STREAMS


class TapExample(Tap):
    name = "tap-example"

    config_jsonschema = th.PropertiesList(
        th.Property("folder", th.StringType, required=True, description="Where the files are"),
    ).to_dict()

    # A tap that specialises this one may add to it, or put its own in the place of one.
    streams_offered: Sequence[type[Stream]] = STREAMS

    def discover_streams(self) -> list[Stream]:
        return [stream(self) for stream in self.streams_offered]


if __name__ == "__main__":
    TapExample.cli()
