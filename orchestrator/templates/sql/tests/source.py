"""A small database to test against: a file of SQLite with two tables."""

import sqlite3
from pathlib import Path
from typing import Any


class Source:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "source.db"
        self.do(
            """
            CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT, price NUMERIC, updated_at TIMESTAMP);
            CREATE TABLE labels (id INTEGER PRIMARY KEY, name TEXT);
            INSERT INTO labels VALUES (1, 'new'), (2, 'used');
            """
        )
        for number in range(1, 6):
            self.add(number)

    def add(self, number: int) -> None:
        """One more row of items."""
        self.do(
            f"INSERT INTO items VALUES ({number}, 'item {number}', {number / 4}, '2026-01-{number:02} 00:00:00.000000')"
        )

    def do(self, script: str) -> None:
        connection = sqlite3.connect(self.path)
        connection.executescript(script)
        connection.close()

    @property
    def config(self) -> dict[str, Any]:
        """What the tap is told to read it."""
        return {"sqlalchemy_url": f"sqlite:///{self.path}"}
