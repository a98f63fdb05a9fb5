"""A new workspace is a folder that can be read, shared and run from."""

import re
import stat
import subprocess

import pytest

from orchestrator.actions.init_workspace import CONFIG, init_workspace
from orchestrator.config import Destination, Reference, editing, read_config
from orchestrator.errors import UsageError
from orchestrator.paths import find_workspace


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_workspace_has_one_destination_and_room_for_taps(tmp_path):
    paths = init_workspace(tmp_path / "shop")

    assert find_workspace(tmp_path / "shop" / "envs") == paths
    warehouse = Destination("warehouse", "duckdb", tmp_path / "shop/data/warehouse.duckdb", "{flow}")
    config = read_config(paths.config)
    assert (config.destinations, config.taps, config.flows) == ({"warehouse": warehouse}, {}, {})


def test_its_folders_are_for_the_owner_alone_and_what_git_keeps_is_for_all(tmp_path):
    paths = init_workspace(tmp_path / "shop")

    assert {mode(folder) for folder in (paths.root, paths.envs, paths.catalogs, paths.state)} == {0o700}
    assert {mode(paths.config), mode(paths.root / ".gitignore")} == {0o644}


def test_what_is_shown_as_an_example_works_when_it_is_uncommented(tmp_path):
    paths = init_workspace(tmp_path)
    paths.config.write_text(re.sub(r"^# (?=\[|\w+ +=)", "", CONFIG, flags=re.MULTILINE))

    config = read_config(paths.config)
    assert config.flow("gitlab").destination == "warehouse"
    assert config.tap("gitlab").config["private_token"] == Reference("secret", "gitlab.private_token")


def test_the_first_tap_is_added_below_the_examples_which_stay(tmp_path):
    paths = init_workspace(tmp_path)
    editing.add_tap(paths.config, "csv", {"package": "tap-csv"}, flow="csv", destination="warehouse")

    added = '\n[taps.csv]\npackage = "tap-csv"\n\n[[flows]]\nname = "csv"\nfrom = "csv"\nto   = "warehouse"\n'
    assert paths.config.read_text() == CONFIG + added


def test_a_workspace_is_never_written_over(tmp_path):
    paths = init_workspace(tmp_path)
    paths.config.write_text("# mine\n")

    with pytest.raises(UsageError, match="is a workspace already"):
        init_workspace(tmp_path)

    assert paths.config.read_text() == "# mine\n"


def test_files_that_are_there_stay_and_their_gitignore_is_completed_once(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / ".gitignore").write_text("*.pyc\n/data/")
    paths = init_workspace(tmp_path)
    once = (tmp_path / ".gitignore").read_text()
    paths.config.unlink()
    init_workspace(tmp_path)

    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert (tmp_path / ".gitignore").read_text() == once
    assert once.startswith("*.pyc\n/data/\n\n#")
    assert once.count("/data/") == 1


def test_git_keeps_the_config_locks_and_catalogs_and_nothing_else(tmp_path):
    paths = init_workspace(tmp_path)
    kept = [paths.config, paths.lock("gitlab"), paths.catalog("gitlab"), tmp_path / ".gitignore"]
    rebuilt = [paths.receipt("gitlab"), paths.building("gitlab"), paths.without_catalog("gitlab")]
    for path in (*kept[1:3], *rebuilt, paths.commit_log("gitlab"), tmp_path / "data/warehouse.duckdb"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)

    listing = ["git", "-C", tmp_path, "ls-files", "--others", "--exclude-standard"]
    found = subprocess.run(listing, check=True, capture_output=True, text=True).stdout.split()
    assert sorted(found) == sorted(str(path.relative_to(tmp_path)) for path in kept)


def test_a_file_cannot_become_a_workspace(tmp_path):
    (tmp_path / "shop").write_text("a file")

    with pytest.raises(UsageError, match="cannot become a workspace"):
        init_workspace(tmp_path / "shop")
