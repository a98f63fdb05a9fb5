"""A tap of the Singer SDK without a source: `tasks` are read for each of `projects`, of which its config gives the
number; `without_tasks` makes it a later version that does not offer them any more."""

from collections.abc import Iterable
from typing import Any

from singer_sdk import Stream, Tap
from singer_sdk import typing as th


class Projects(Stream):
    name = "projects"
    primary_keys = ("id",)
    schema = th.PropertiesList(th.Property("id", th.IntegerType)).to_dict()

    def get_records(self, context: Any) -> Iterable[dict[str, Any]]:
        for number in range(1, self.config["projects"] + 1):
            yield {"id": number}

    def get_child_context(self, record: Any, context: Any) -> dict[str, Any]:
        return {"project": record["id"]}


class Tasks(Stream):
    name = "tasks"
    primary_keys = ("id",)
    parent_stream_type = Projects
    schema = th.PropertiesList(th.Property("id", th.IntegerType), th.Property("project", th.IntegerType)).to_dict()

    def get_records(self, context: Any) -> Iterable[dict[str, Any]]:
        yield {"id": context["project"] * 10 + 1, "project": context["project"]}


class TapSdk(Tap):
    name = "tap-sdk"
    config_jsonschema = th.PropertiesList(th.Property("projects", th.IntegerType)).to_dict()

    def discover_streams(self) -> list[Stream]:
        return [Projects(self)] if self.config.get("without_tasks") else [Projects(self), Tasks(self)]


if __name__ == "__main__":
    TapSdk.cli()
