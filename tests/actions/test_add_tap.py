"""Adding a tap: what is typed comes to a tap that starts, or leaves everything as it was."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestrator.actions.add_tap import add_tap
from orchestrator.actions.rollback_tap import rollback_tap
from orchestrator.actions.upgrade_tap import upgrade_tap
from orchestrator.config import read_config
from orchestrator.envs import in_use
from orchestrator.envs.about import about
from orchestrator.envs.lock import read_lock
from orchestrator.errors import CannotBuild, CannotResolve, DoesNotStart, EnvironmentBroken, UnknownName, UsageError
from orchestrator.events import Event, Note, Step, Waiting
from tests.packages.index import OF_THE_SDK, STEADY, project_in

OURS = f"{sys.version_info.major}.{sys.version_info.minor}"
IMPORTS_WHAT_IS_NOT_THERE = "import rarely_installed\n" + STEADY


def everything_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_an_added_tap_starts_and_has_a_flow_to_the_only_destination(shop, index):
    index.add("tap-shapes", "1.2")

    added = add_tap(shop, "tap-shapes")

    assert (added.id, added.package, added.version, added.author) == ("shapes", "tap-shapes", "1.2", "A Tester")
    assert subprocess.run([added.executable, "--help"], capture_output=True).returncode == 0
    config = read_config(shop.config)
    assert config.taps["shapes"].package == "tap-shapes"
    assert (config.flows["shapes"].tap, config.flows["shapes"].destination) == ("shapes", "warehouse")


def test_each_step_is_told_with_the_time_it_took(shop, index):
    index.add("shapes-of-old", "3.0")
    index.add("tap-shapes", requires=["shapes-of-old"])
    told: list[Event] = []

    add_tap(shop, "tap-shapes", listen=told.append)

    assert [event.text for event in told if isinstance(event, Step)] == [
        "Resolved tap-shapes 1.0 and 1 dependency",
        f"Built envs/shapes on Python {sys.version_info.major}.{sys.version_info.minor}",
        "Starts; takes a catalog and a state",
    ]
    assert all(event.seconds > 0 for event in told if isinstance(event, Step) and event.seconds is not None)


def test_the_receipt_tells_what_the_tap_takes(shop, index):
    index.add("tap-shapes")

    add_tap(shop, "tap-shapes")

    receipt = in_use(shop, "shapes")
    assert receipt.capabilities == ("catalog", "config", "discover", "state")
    assert receipt.takes("discover")
    assert not receipt.takes("about")


def test_what_a_tap_of_the_sdk_says_of_itself_is_kept_with_its_environment(shop, index):
    index.add("tap-shapes", "1.0", source=OF_THE_SDK % '{"required": ["corners"]}')
    add_tap(shop, "tap-shapes")
    index.add("tap-shapes", "2.0", source=OF_THE_SDK % '{"required": ["edges"]}')

    said = [about(shop, "shapes")]
    upgrade_tap(shop, "shapes")
    said.append(about(shop, "shapes"))
    rollback_tap(shop, "shapes")
    said.append(about(shop, "shapes"))

    assert [each and each.settings["required"] for each in said] == [["corners"], ["edges"], ["corners"]]
    assert [each and (each.sdk_version, each.capabilities) for each in said[:1]] == [("0.54.9", ("catalog", "about"))]


def test_what_a_tap_cannot_say_of_itself_is_none(shop, index):
    index.add("tap-shapes")

    add_tap(shop, "tap-shapes")

    assert about(shop, "shapes") is None


def test_the_lock_pins_everything_by_hash_and_names_no_index_and_no_path_of_this_machine(shop, index, tmp_path):
    index.add("shapes-of-old", "3.0")
    index.add("tap-shapes", requires=["shapes-of-old>=2"])

    added = add_tap(shop, "tap-shapes>=1", extras=["shapes-of-old<4"], exclude_newer="2999-01-01")

    text = added.lock.read_text()
    lock = read_lock(added.lock)
    assert lock is not None
    assert lock.versions() == {"shapes-of-old": "3.0", "tap-shapes": "1.0"}
    assert not lock.without_hash()
    assert (lock.recipe.package, lock.recipe.extras) == ("tap-shapes>=1", ("shapes-of-old<4",))
    assert str(tmp_path) not in text
    assert "://" not in text


def test_every_option_is_written_to_orchestrator_toml(shop, index):
    index.add("shapes-of-old", "3.0")
    index.add("tap-shapes", requires=["shapes-of-old>=4"], commands=["shapes", "tap-shapes"])

    add_tap(
        shop,
        "tap-shapes==1.0",
        id="forms",
        python=f"{sys.version_info.major}.{sys.version_info.minor}",
        extras=["shapes-of-old"],
        overrides=["shapes-of-old==3.0"],
        exclude_newer="2999-01-01",
        executable="shapes",
        destination="warehouse",
    )

    tap = read_config(shop.config).taps["forms"]
    assert (tap.package, tap.extras, tap.overrides) == ("tap-shapes==1.0", ("shapes-of-old",), ("shapes-of-old==3.0",))
    assert (tap.exclude_newer, tap.executable) == ("2999-01-01", "shapes")
    assert "exclude_newer = 2999-01-01" in shop.config.read_text()


@pytest.mark.parametrize(
    ("commands", "started"),
    [
        (["tap-shapes", "shapes-doctor"], "tap-shapes"),
        (["shapes"], "shapes"),
        (["shapes", "tap-forms"], "tap-forms"),
    ],
)
def test_the_tap_is_found_among_the_programs_that_its_package_brings(shop, index, commands, started):
    index.add("tap-shapes", commands=commands)

    added = add_tap(shop, "tap-shapes")

    assert Path(added.executable).name == started


def test_a_choice_between_programs_is_left_to_the_person(shop, index):
    index.add("tap-shapes", commands=["shapes", "forms"])

    with pytest.raises(DoesNotStart, match="several programs") as raised:
        add_tap(shop, "tap-shapes")

    assert raised.value.cause == "they are forms, shapes"
    assert Path(add_tap(shop, "tap-shapes", executable="shapes").executable).name == "shapes"


def test_a_program_that_is_not_there_is_refused(shop, index):
    index.add("tap-shapes")

    with pytest.raises(DoesNotStart, match='no program "forms"'):
        add_tap(shop, "tap-shapes", executable="forms")


def test_a_tap_that_knows_no_help_is_started_with_its_version(shop, index):
    index.add("tap-shapes", source="import sys\ndef main(): sys.exit(sys.argv[1:] != ['--version'])\n")

    assert add_tap(shop, "tap-shapes").capabilities == ()


def test_what_cannot_be_resolved_shows_the_resolvers_reason_and_leaves_nothing_behind(shop, index):
    index.add("tap-shapes", requires=["shapes-of-old>=4"])
    before = shop.config.read_text()

    with pytest.raises(CannotResolve, match="no versions were found for tap-shapes==1") as raised:
        add_tap(shop, "tap-shapes==1.0", id="forms")

    assert "tap-shapes depend on shapes-of-old>=4" in str(raised.value.cause)
    assert shop.config.read_text() == before
    assert everything_in(shop.root) == ["envs", "envs/.forms.log", "orchestrator.toml"]


def test_a_version_that_does_not_exist_is_answered_with_the_command_that_takes_the_newest(shop, index):
    index.add("tap-shapes")

    with pytest.raises(CannotResolve) as raised:
        add_tap(shop, "tap-shapes==9", id="forms")

    assert raised.value.hint == "orchestrator add-tap tap-shapes --as forms"


def test_modules_of_the_shell_that_calls_us_do_not_reach_the_tap(shop, index, tmp_path, monkeypatch):
    index.add("tap-shapes", source=IMPORTS_WHAT_IS_NOT_THERE)
    (tmp_path / "rarely_installed.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    with pytest.raises(DoesNotStart):
        add_tap(shop, "tap-shapes")


def test_a_python_that_the_tap_does_not_ask_for_is_noted_when_it_starts_all_the_same(shop, index):
    index.add("tap-shapes", requires_python=">=3.2,<3.3")
    told: list[Event] = []

    added = add_tap(shop, "tap-shapes", listen=told.append)

    assert str(added.why).startswith(
        "it is the one that orchestrator runs on; tap-shapes 1.0 asks for Python >=3.2,<3.3"
    )
    assert [event.text for event in told if isinstance(event, Note)] == [
        f"tap-shapes 1.0 asks for Python >=3.2,<3.3; it starts on {OURS} all the same"
    ]


def test_a_python_that_is_not_on_this_machine_is_told(shop, index):
    index.add("tap-shapes")

    with pytest.raises(EnvironmentBroken, match=r"there is no Python 3\.99 on this machine"):
        add_tap(shop, "tap-shapes", python="3.99")


def test_a_taken_name_is_refused_before_anything_is_built(shop, index):
    index.add("tap-shapes")
    add_tap(shop, "tap-shapes")

    with pytest.raises(UsageError, match='there is a tap "shapes" already') as raised:
        add_tap(shop, "tap-shapes")

    assert raised.value.hint == (
        "orchestrator add-tap tap-shapes --as shapes-2, or orchestrator upgrade shapes for a newer version"
    )


def test_another_package_of_a_taken_name_is_told_which_has_it_and_a_name_that_is_free(shop, index):
    index.add("tap-shapes")
    add_tap(shop, "tap-shapes")
    add_tap(shop, "tap-shapes", id="shapes-2")

    with pytest.raises(UsageError, match='there is a tap "shapes" already') as raised:
        add_tap(shop, "adas-tap-shapes")

    assert raised.value.cause == "it is tap-shapes"
    assert raised.value.hint == "orchestrator add-tap adas-tap-shapes --as shapes-3"


def test_a_name_whose_variables_are_those_of_another_tap_is_refused(shop, index):
    index.add("tap-shapes")
    add_tap(shop, "tap-shapes", id="pg-eu")

    with pytest.raises(UsageError, match=r'the variables TAP_PG_EU_… are those of tap "pg-eu"') as raised:
        add_tap(shop, "tap-shapes", id="pg_eu")

    assert raised.value.hint == "orchestrator add-tap tap-shapes --as pg_eu-2"


def test_a_destination_that_does_not_exist_is_refused(shop, index):
    with pytest.raises(UnknownName, match='no destination "lake"'):
        add_tap(shop, "tap-shapes", destination="lake")


def test_a_folder_is_used_as_it_stands_by_a_path_from_the_workspace(shop, index, monkeypatch):
    monkeypatch.chdir(project_in(shop.root / "taps" / "mine").parent)
    told: list[Event] = []

    added = add_tap(shop, "./mine", listen=told.append)

    assert (added.id, added.package, added.version) == ("mine", "tap-folder", "0.1")
    assert read_config(shop.config).taps["mine"].package == "./taps/mine"
    assert "-e ./taps/mine" in added.lock.read_text()
    assert any("used as it stands" in event.text for event in told if isinstance(event, Note))
    (shop.root / "taps/mine/tap_folder.py").write_text("def main(): print('changed')")
    assert subprocess.check_output([added.executable], text=True) == "changed\n"


def test_a_wheel_is_held_to_its_hash(shop, index):
    index.add("tap-shapes")

    added = add_tap(shop, str(index.folder / "tap_shapes-1.0-py3-none-any.whl"))

    lock = read_lock(added.lock)
    assert lock is not None
    assert (added.id, added.package, lock.without_hash()) == ("shapes", "tap-shapes", [])


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_git_repository_is_held_to_its_commit(shop, index, tmp_path):
    repository = project_in(tmp_path / "tap-folder")
    git = ["git", "-C", str(repository), "-c", "user.name=x", "-c", "user.email=x@example.com"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *command], check=True)
    commit = subprocess.check_output([*git, "rev-parse", "HEAD"], text=True).strip()

    added = add_tap(shop, f"git+file://{repository}")

    assert (added.id, added.version) == ("folder", "0.1")
    assert f"tap-folder @ git+file://{repository}@{commit}" in added.lock.read_text()


def test_a_package_that_cannot_be_built_says_why(shop, index, tmp_path):
    broken = project_in(tmp_path / "broken")
    (broken / "backend.py").write_text("raise RuntimeError('no compiler here')")

    with pytest.raises(CannotBuild) as raised:
        add_tap(shop, str(broken))

    assert raised.value.cause == "RuntimeError: no compiler here"
    assert not shop.lock("broken").exists()


ADD = "import sys; from orchestrator.paths import find_workspace; from orchestrator.actions.add_tap import add_tap; "
ADD += "print(add_tap(find_workspace(), sys.argv[1], listen=lambda event: print(event, flush=True)))"


def adding(root: Path, what: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", ADD, what]
    environ = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen(command, cwd=root, env=environ, stdout=subprocess.PIPE, text=True)


def test_of_two_processes_that_add_the_same_tap_one_builds_and_one_waits(shop, index):
    index.add("tap-shapes", source=f"import time\ntime.sleep(1)\n{STEADY}")

    first, second = adding(shop.root, "tap-shapes"), adding(shop.root, "tap-shapes")
    said = [process.communicate(timeout=60)[0] for process in (first, second)]

    assert (first.returncode, second.returncode) == (0, 0)
    assert sorted(text.count("Built envs/shapes") for text in said) == [0, 1]
    assert sorted(text.count("Waiting") for text in said) == [0, 1]
    assert len(list(shop.builds("shapes").iterdir())) == 2  # one environment, one receipt


SLOW_BACKEND = """
import time
from backend import *
from backend import build_editable as build

def build_editable(*arguments):
    with open("log", "a", buffering=1) as log:
        log.write("starts\\n")
        time.sleep(2)
        log.write("ends\\n")
    return build(*arguments)
"""


def test_a_killed_build_changes_nothing_and_the_next_waits_until_its_last_writer_is_gone(shop, index, tmp_path):
    slow = project_in(tmp_path / "slow")
    (slow / "slow.py").write_text(SLOW_BACKEND)
    project = slow / "pyproject.toml"
    project.write_text(project.read_text().replace('"backend"', '"slow"'))
    log, before = slow / "log", shop.config.read_text()
    told: list[Event] = []

    process = adding(shop.root, str(slow))
    deadline = time.monotonic() + 30
    while not (log.exists() and log.read_text()) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.communicate()

    assert log.read_text() == "starts\n", "the kill fell inside the build"
    assert len(list(shop.builds("slow").iterdir())) == 1, "and left an environment half-built"
    assert shop.config.read_text() == before
    assert not shop.receipt("slow").exists()
    assert not shop.lock("slow").exists()
    add_tap(shop, str(slow), listen=told.append)
    assert log.read_text() == "starts\nends\n"
    assert told[0] == Waiting(f'another process (pid {process.pid}) builds the environment of "slow"')
    assert in_use(shop, "slow").version == "0.1"


@pytest.mark.index
def test_tap_gitlab_of_2021_starts_once_pytz_is_added_as_its_hint_says(shop):
    with pytest.raises(DoesNotStart) as raised:
        add_tap(shop, "tap-gitlab==0.5.1", python="3.11")

    assert raised.value.cause == "ModuleNotFoundError: No module named 'pytz'"
    assert raised.value.hint == "orchestrator add-tap tap-gitlab==0.5.1 --python 3.11 --with pytz"
    added = add_tap(shop, "tap-gitlab==0.5.1", python="3.11", extras=["pytz"])
    assert (added.id, added.version) == ("gitlab", "0.5.1")
    assert added.capabilities == ("catalog", "config", "discover", "properties", "state")
