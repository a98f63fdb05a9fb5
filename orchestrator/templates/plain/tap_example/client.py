"""How the source is asked: here it is a folder of files with a JSON object in each line."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects in a file; none where there is no file."""
    if path.exists():
        with path.open() as lines:
            yield from map(json.loads, lines)
