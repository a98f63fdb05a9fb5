"""All that a source gives into DuckDB with PyAirbyte. Runs in PyAirbyte's environment; its argument is the source."""

import os
import sys
from pathlib import Path

os.environ |= {"DO_NOT_TRACK": "1", "AIRBYTE_OFFLINE_MODE": "1", "AIRBYTE_LOGGING_ROOT": str(Path("logs").absolute())}

import airbyte  # type: ignore[import-not-found]

source = airbyte.get_source("source-bench", config={}, local_executable=Path(sys.argv[1]), streams="*")
cache = airbyte.new_local_cache(cache_name="bench", cache_dir="cache")
source.read(cache=cache, force_full_refresh=True, write_strategy="append")
