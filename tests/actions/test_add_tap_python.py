"""The Python of a tap is ours, where the tap allows it; else another of this machine, and it is said why."""

import platform
import sys
from pathlib import Path

import pytest

from orchestrator.actions.add_tap import add_tap
from orchestrator.envs.interpreter import Interpreter, interpreters, ours
from orchestrator.envs.uv import Uv
from orchestrator.events import Event, Note
from tests.packages.index import project_in

OURS = f"{sys.version_info.major}.{sys.version_info.minor}"


def others() -> list[Interpreter]:
    return [each for each in interpreters(Uv(Path("/"))) if each.minor != ours().minor]


pytestmark = pytest.mark.skipif(not others(), reason="there is one Python on this machine")


def notes(told: list[Event]) -> list[str]:
    return [event.text for event in told if isinstance(event, Note)]


def on(python: Interpreter) -> str:
    return f"=={python.minor}.*"


def test_without_bounds_it_is_the_one_that_we_run_on(shop, index):
    index.add("tap-shapes")

    added = add_tap(shop, "tap-shapes")

    assert added.python == platform.python_version()
    assert added.why == "it is the one that orchestrator runs on"


@pytest.mark.parametrize("bound", ["above", "below"])
def test_both_bounds_of_what_a_tap_asks_for_count(shop, index, bound):
    fitting = [each for each in others() if (each.age > ours().age) is (bound == "above")]
    if not fitting:
        pytest.skip(f"there is no Python {bound} ours on this machine")
    requires = f">{OURS}.999" if bound == "above" else f"<{OURS}"
    index.add("tap-shapes", requires_python=requires)
    told: list[Event] = []

    added = add_tap(shop, "tap-shapes", listen=told.append)

    why = f"tap-shapes 1.0 asks for Python {requires}, and the one that orchestrator runs on is {OURS}"
    assert added.python == max(fitting, key=lambda each: each.age).version
    assert added.why == why
    assert notes(told) == [f"Python {'.'.join(added.python.split('.')[:2])} is taken: {why}"]


def test_the_newest_version_is_taken_where_a_python_for_it_is_here(shop, served_index):
    index, newer = served_index, others()[0]
    if newer.age < ours().age:
        pytest.skip("ours is the newest")
    index.add("tap-shapes", "1.0")
    index.add("tap-shapes", "2.0", requires_python=f">={newer.minor}")
    told: list[Event] = []

    added = add_tap(shop, "tap-shapes", listen=told.append)

    assert (added.version, added.python) == ("2.0", newer.version)
    assert notes(told) == [
        f"tap-shapes 2.0 asks for Python >={newer.minor}; on Python {OURS} the name stands for 1.0",
        f"Python {newer.minor} is taken: tap-shapes 2.0 asks for Python >={newer.minor}, "
        f"and the one that orchestrator runs on is {OURS}",
    ]


def test_a_name_that_is_another_tap_on_another_python_is_pointed_out(shop, served_index):
    index, older = served_index, others()[-1]
    if older.age > ours().age:
        pytest.skip("ours is the oldest")
    index.add("singer-python", commands=[], requires_python=">=3.6")
    index.add("singer-sdk", commands=[])
    index.add("tap-shapes", "1.0", requires=["singer-python>=1"], author="Stitch", requires_python=">=3.6")
    index.add("tap-shapes", "2.0", requires=["singer-sdk"], author="Somebody", requires_python=f">={OURS}")
    told: list[Event] = []

    added = add_tap(shop, "tap-shapes", python=older.minor, listen=told.append)

    assert added.version == "1.0"
    assert notes(told) == [
        f"on Python {older.minor} the name tap-shapes is another tap: 1.0 of Stitch, written with singer-python; "
        "the newest is 2.0 of Somebody, written with singer-sdk"
    ]


def test_where_dependencies_hold_the_tap_back_a_python_is_taken_that_does_not(shop, index):
    newer = others()[0]
    if newer.age < ours().age:
        pytest.skip("ours is the newest")
    index.add("tap-shapes", "1.0")
    index.add("tap-shapes", "2.0", requires=["shapes-of-old"])
    index.add("shapes-of-old", commands=[], requires_python=f">={newer.minor}")
    told: list[Event] = []

    added = add_tap(shop, "tap-shapes", listen=told.append)

    assert (added.version, added.python) == ("2.0", newer.version)
    assert notes(told) == [f"Python {newer.minor} is taken: what this version depends on is not for Python {OURS}"]


def test_a_newer_version_that_no_python_here_can_have_is_pointed_out(shop, index):
    index.add("tap-shapes", "1.0")
    index.add("tap-shapes", "2.0", requires=["shapes-of-old"])
    index.add("shapes-of-old", commands=[], requires_python=">=3.99")
    told: list[Event] = []

    added = add_tap(shop, "tap-shapes", listen=told.append)

    assert (added.version, added.python) == ("1.0", platform.python_version())
    assert notes(told) == ["2.0 is newer, but what it depends on is not for the Pythons on this machine"]


def test_a_folder_says_in_its_project_file_which_python_it_asks_for(shop, index, tmp_path):
    other = others()[0]
    project = project_in(tmp_path / "mine") / "pyproject.toml"
    project.write_text(project.read_text().replace("[project]", f'[project]\nrequires-python = "{on(other)}"'))

    added = add_tap(shop, str(project.parent))

    assert added.python == other.version
