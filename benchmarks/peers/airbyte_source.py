"""An Airbyte source that prints rows which are already written in Airbyte's messages: a shell that shows files."""

import json
from pathlib import Path

from benchmarks.data import Data

_PROGRAM = """#!/bin/sh
exec cat "{folder}/$1"
"""


def write_source(folder: Path, data: Data) -> Path:
    """Makes a source of the data in `folder`, and gives its program. One file answers each command."""
    (stream,) = data.streams
    catalog = {"name": stream.name, "json_schema": {"type": "object", "properties": stream.properties}}
    catalog["supported_sync_modes"] = ["full_refresh"]
    done = {"stream_descriptor": {"name": stream.name}, "status": "COMPLETE"}
    answers = {
        "spec": {"type": "SPEC", "spec": {"connectionSpecification": {"type": "object", "properties": {}}}},
        "check": {"type": "CONNECTION_STATUS", "connectionStatus": {"status": "SUCCEEDED"}},
        "discover": {"type": "CATALOG", "catalog": {"streams": [catalog]}},
        "read": {"type": "TRACE", "trace": {"type": "STREAM_STATUS", "emitted_at": 1, "stream_status": done}},
    }
    with (folder / "read").open("w") as messages, data.bare.open() as rows:
        for row in rows:
            record = f'{{"stream": "{stream.name}", "data": {row[:-1]}, "emitted_at": 1}}'
            messages.write(f'{{"type": "RECORD", "record": {record}}}\n')
    for command, answer in answers.items():
        with (folder / command).open("a") as messages:
            messages.write(json.dumps(answer) + "\n")
    program = folder / "source-bench"
    program.write_text(_PROGRAM.format(folder=folder))
    program.chmod(0o755)
    return program
