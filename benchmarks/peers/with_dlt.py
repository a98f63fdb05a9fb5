"""The records on stdin into DuckDB with dlt, which reads no Singer messages itself. Runs in dlt's environment."""

import json
import os
import sys
from collections.abc import Iterator
from typing import Any

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"

import dlt  # type: ignore[import-not-found]

_ROWS_A_PAGE = 5_000


def records() -> Iterator[list[Any]]:
    page = []
    for line in sys.stdin.buffer:
        message = json.loads(line)
        if message["type"] == "RECORD":
            page.append(message["record"])
            if len(page) == _ROWS_A_PAGE:
                yield page
                page = []
    yield page


# Nested values become JSON, as they do with everyone else here, and not tables of their own.
resource = dlt.resource(records, name="rows", max_table_nesting=0, write_disposition="append")
destination = dlt.destinations.duckdb("rows.duckdb")
dlt.pipeline("bench", pipelines_dir="pipelines", destination=destination, dataset_name="bench").run(resource)
