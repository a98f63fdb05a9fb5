"""tap-singer-jsonl plays Singer files of other loaders' tests, and the oracle beside them judges what landed."""

import json
import shutil
import sys
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from orchestrator import Workspace
from tests.index.runs import kill_run, read_by

pytestmark = [
    pytest.mark.index,
    # The judge is a script, and leaves files to the end of its process.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

# Beside a checkout, because it is somebody else's.
CONFORMANCE = Path(__file__).resolve().parents[3] / "shared" / "conformance"

Case = dict[str, Any]

# Asked what it offers, the tap fails at a SCHEMA without key_properties.
NOT_PLAYED = ("pk_updates",)


def cases() -> list[Case]:
    """Those of the Singer SDK that a loader has to take, and those of several runs, each with the folder it lies in."""
    found: list[Case] = []
    for source in ("singer-sdk", "datamill-target-postgres"):
        folder = CONFORMANCE / "cases" / source
        if folder.exists():
            found += (case | {"dir": str(folder)} for case in json.loads((folder / "index.json").read_text()))
    return [case for case in found if is_for_a_tap(case)]


def is_for_a_tap(case: Case) -> bool:
    """Whether files alone tell it: neither signals nor options of a loader, nor files that a BATCH names."""
    if case["case"] in NOT_PLAYED:
        return False
    is_told_by_files = not any(case.get(more) for more in ("dup_of", "process", "needs", "setup", "oracle"))
    is_worth_it = case["source"] == "singer-sdk" or len(case["files"]) > 1
    return is_told_by_files and is_worth_it and case["expect"][0]["outcome"] == "load"


@pytest.fixture(scope="module")
def judge():
    """What the cases are judged with; see its README."""
    if not CONFORMANCE.exists():
        pytest.skip(f"the cases are read from {CONFORMANCE}, which is not here")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(CONFORMANCE))
        patch.setattr(sys, "dont_write_bytecode", True)
        yield import_module("run")


@pytest.fixture(scope="module")
def player(tmp_path_factory, judge) -> Workspace:
    """A workspace whose tap plays the Singer files in the folder `played`."""
    workspace = Workspace.init(tmp_path_factory.mktemp("player") / "shop")
    # Its Python is 3.11 at most, and its library asks for what setuptools has no more.
    workspace.add_tap("tap-singer-jsonl==0.1.0", id="played", python="3.11", extras=["setuptools<81"])
    told = {"source": "local", "local": {"folders": ["played"]}, "add_record_metadata": False}
    workspace.configure("played", set=told)
    return workspace


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["case"])
def test_what_is_played_lands_as_the_oracle_says(player, judge, case, tmp_path):
    forget(player)
    paths = [judge.stage_file(case, name, str(tmp_path)) for name in case["files"]]

    for path in paths:
        play(player, path)

    final, _, _ = judge.O.run_oracle(paths, case.get("config", {}).get("hard_delete", True))
    database = judge.DuckDB(str(tmp_path))
    database.path = str(player.paths.root / "data" / "warehouse.duckdb")
    outcomes = [outcome for outcome in case["expect"] if outcome["outcome"] == "load"]
    told = map(partial(judge.compare, final, database.dump(), adname="duckdb"), outcomes)
    assert [] in (problems := list(told)), problems
    if final.has_state:
        assert judge.same_state(final.state, json.loads(player.history("played")[-1].state or b"null"))


def test_what_is_played_again_and_killed_in_between_is_there_once(player, tmp_path):
    forget(player)
    numbers = range(100_000)
    with (tmp_path / "numbers.singer").open("w") as file:
        schema = {"type": "object", "properties": {"id": {"type": "integer"}, "square": {"type": "integer"}}}
        say = partial(print, file=file)
        say(json.dumps({"type": "SCHEMA", "stream": "numbers", "schema": schema, "key_properties": ["id"]}))
        for number in numbers:
            record = {"id": number, "square": number * number}
            say(json.dumps({"type": "RECORD", "stream": "numbers", "record": record}))
            if number % 1000 == 0:
                say(json.dumps({"type": "STATE", "value": {"at": number}}))
    offer(player, str(tmp_path / "numbers.singer"))

    kill_run(player, "played", when=lambda: player.history("played"))
    held = squares(player)
    assert 0 < len(held) < len(numbers)
    for _ in range(2):
        # It keeps no bookmark of its own: all of it is read again, and finds its keys.
        assert read_by(player, "played") == {"numbers": len(numbers)}
        assert squares(player) == [(number, number * number) for number in numbers]


def squares(workspace: Workspace) -> list[tuple[int, int]]:
    rows = workspace.query("select id, square from played.numbers order by id").to_pylist()
    return [(row["id"], row["square"]) for row in rows]


def play(workspace: Workspace, path: str) -> None:
    offer(workspace, path)
    workspace.run("played")


def offer(workspace: Workspace, path: str) -> None:
    """Makes a file what the tap plays from now on."""
    folder = workspace.paths.root / "played"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shutil.copy(path, folder / "messages.singer")
    workspace.discover("played")


def forget(workspace: Workspace) -> None:
    """Each case begins with nothing but the environment of the tap."""
    for folder in ("data", "state", "catalogs"):
        shutil.rmtree(workspace.paths.root / folder, ignore_errors=True)
