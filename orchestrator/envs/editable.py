"""The projects that an environment holds as they stand: their code lies in their own folders. Asked before each run."""

import json
from pathlib import Path
from urllib.parse import unquote, urlsplit


def editable_folders(environment: Path) -> tuple[Path, ...]:
    """The folders of the projects that were installed as they stand: their code lies there, not in the environment."""
    origins = [json.loads(path.read_bytes()) for path in environment.glob("lib/*/site-packages/*/direct_url.json")]
    return tuple(
        Path(unquote(urlsplit(str(origin.get("url"))).path))
        for origin in origins
        if origin.get("dir_info", {}).get("editable")
    )
