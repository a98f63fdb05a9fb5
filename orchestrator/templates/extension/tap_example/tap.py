"""The tap: what is different from tap-base. All else it takes over."""

from collections.abc import Sequence
from typing import Any, ClassVar

from singer_sdk import Stream
from singer_sdk import typing as th

from base_module import TapBase
from tap_example.streams import changed


class TapExample(TapBase):
    name = "tap-example"

    # The settings of tap-base, and those that only this one has.
    config_jsonschema: ClassVar[dict[str, Any]] = {
        **TapBase.config_jsonschema,
        "properties": {
            **TapBase.config_jsonschema["properties"],
            **th.PropertiesList(
                th.Property("only", th.ArrayType(th.StringType), description="The streams to offer; all unless given"),
            ).to_dict()["properties"],
        },
    }

    def discover_streams(self) -> Sequence[Stream]:
        only = self.config.get("only")
        streams = [changed(stream) for stream in super().discover_streams()]
        # Streams that only this one has are added here.
        return [stream for stream in streams if only is None or stream.name in only]


if __name__ == "__main__":
    TapExample.cli()
