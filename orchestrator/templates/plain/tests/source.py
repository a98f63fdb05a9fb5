"""A small source to test against: a folder with two files."""

import json
from pathlib import Path
from typing import Any


class Source:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for number in range(1, 6):
            self.add(number)
        (folder / "labels.jsonl").write_text('{"id": 1, "name": "new"}\n{"id": 2, "name": "used"}\n')

    def add(self, number: int) -> None:
        """One more row of items."""
        moment = f"2026-01-{number:02}T00:00:00+00:00"
        with (self._folder / "items.jsonl").open("a") as file:
            row = {"id": number, "name": f"item {number}", "price": number / 4, "updated_at": moment}
            file.write(json.dumps(row) + "\n")

    @property
    def config(self) -> dict[str, Any]:
        """What the tap is told to read it."""
        return {"folder": str(self._folder)}
