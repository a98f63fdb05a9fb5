"""Taps of files: CSV with tap-spreadsheets, which goes by their times, and JSONL with tap-jsonfile, by their hashes."""

import csv
import json
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from orchestrator import Workspace
from orchestrator.errors import TapFailed
from tests.index.chinook import Rows, alike, landed
from tests.index.runs import kill_run, read_by

pytestmark = pytest.mark.index

Content = list[dict[str, Any]]

NAMES = ["Ann", "Bo, the 2nd", 'Cy "C"', "Đorđe 🎸", "two\nlines", ""]


@dataclass(frozen=True)
class Folder:
    """The files of a source, all of one format."""

    path: Path
    ending: str
    write: Callable[[Path, Content], None]

    def put(self, name: str, rows: Content, *, minutes_ago: int) -> None:
        path = self.path / f"{name}.{self.ending}"
        self.write(path, rows)
        os.utime(path, (time.time() - 60 * minutes_ago,) * 2)


def people(first: int, last: int) -> Content:
    return [{"id": str(n), "name": NAMES[n % len(NAMES)], "town": f"Town {n % 7}"} for n in range(first, last + 1)]


def write_csv(path: Path, rows: Content) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_jsonl(path: Path, rows: Content) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def held(rows: Iterable[dict[str, Any]]) -> Rows:
    return alike(row.values() for row in rows)


def arrived(workspace: Workspace) -> Rows:
    return landed(workspace, "files.people", ["id", "name", "town"])


@pytest.fixture
def with_csv(workspace, tmp_path):
    folder = Folder(tmp_path / "incoming", "csv", write_csv)
    folder.path.mkdir()
    workspace.add_tap("tap-spreadsheets==1.1.2", id="files")
    read = {"path": str(folder.path / "*.csv"), "format": "csv", "table_name": "people", "primary_keys": ["id"]}
    workspace.configure("files", set={"files": [read]})
    return workspace, folder


@pytest.fixture
def with_jsonl(workspace, tmp_path):
    folder = Folder(tmp_path / "incoming", "jsonl", write_jsonl)
    folder.path.mkdir()
    workspace.add_tap("tap-jsonfile==0.1.2", id="files")
    workspace.configure("files", set={"paths": [str(folder.path / "*.jsonl")], "stream_name": "people"})
    return workspace, folder


def give_key(workspace: Workspace) -> None:
    with workspace.paths.config.open("a") as file:
        file.write('\n[taps.files.streams.people]\nkey = ["id"]\n')


@pytest.fixture(params=["with_csv", "with_jsonl"])
def with_files(request):
    """A workspace whose tap `files` reads a folder, and the folder; its rows have a key."""
    workspace, folder = request.getfixturevalue(request.param)
    if folder.ending == "jsonl":
        give_key(workspace)
    return workspace, folder


def test_of_files_only_those_that_are_new_are_read(with_files):
    workspace, folder = with_files
    folder.put("1", people(1, 50), minutes_ago=30)

    first = read_by(workspace, "files")
    folder.put("2", people(51, 70), minutes_ago=20)
    second = read_by(workspace, "files")
    third = read_by(workspace, "files")

    assert first == {"people": 50}
    assert second == {"people": 20}
    assert third == {}
    assert arrived(workspace) == held(people(1, 70))


def test_a_run_that_is_killed_in_between_loses_nothing_and_doubles_nothing(with_files):
    workspace, folder = with_files
    # These taps send a STATE after each 10 000 records.
    for number in range(3):
        folder.put(str(number), people(20_000 * number + 1, 20_000 * (number + 1)), minutes_ago=30 - number)

    kill_run(workspace, "files", when=lambda: workspace.history("files"))
    so_far = len(arrived(workspace))
    read_by(workspace, "files")

    assert 0 < so_far < 60_000
    assert arrived(workspace) == held(people(1, 60_000))


def test_without_a_key_the_files_are_read_again_and_no_row_is_lost(with_jsonl):
    workspace, folder = with_jsonl
    folder.put("1", people(1, 50), minutes_ago=30)
    read_by(workspace, "files")
    folder.put("2", people(51, 70), minutes_ago=20)

    read = read_by(workspace, "files")

    assert read == {"people": 70}
    assert arrived(workspace) == held(people(1, 70))


def test_a_tap_that_breaks_on_its_catalog_runs_by_the_command_that_the_error_names(workspace, tmp_path):
    folder = Folder(tmp_path / "incoming", "csv", write_csv)
    folder.path.mkdir()
    folder.put("people", people(1, 50), minutes_ago=30)
    workspace.add_tap("tap-csv-folder==0.0.1a1", id="files")
    told = {"filesystem": "local", "path": str(folder.path), "read_mode": "one_stream_per_file"}
    workspace.configure("files", set=told)

    with pytest.raises(TapFailed) as raised:
        workspace.run("files")
    read = read_by(workspace, "files")

    assert str(raised.value.hint).startswith("orchestrator run files  ")
    assert read == {"people": 50}
    assert arrived(workspace) == held(people(1, 50))
