"""A tap that does not start is tried with what may mend it; the first that works is the command in the error."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.actions.add_tap import add_tap
from orchestrator.config import Tap, read_config
from orchestrator.envs import in_use
from orchestrator.envs.interpreter import Interpreter, interpreters, ours
from orchestrator.envs.uv import Uv
from orchestrator.errors import CannotBuild, CannotResolve, DoesNotStart, EnvironmentBroken
from orchestrator.events import Event, Note, Step
from orchestrator.paths import Paths
from tests.packages.index import NOT_BUILT_HERE, STEADY

OURS = f"{sys.version_info.major}.{sys.version_info.minor}"
ONLY_OURS = f"=={OURS}.*"
"""What a tap asks for that no other Python is to be tried with."""


NOT_ON_OURS = f"import sys\nif sys.version_info[:2] != {sys.version_info[:2]}: soft = 1"


def importing(*modules: str) -> str:
    return "".join(f"import {module}\n" for module in modules) + STEADY


def others() -> list[Interpreter]:
    return [each for each in interpreters(Uv(Path("/"))) if each.minor != ours().minor]


def follow(hint: str | None, shop: Paths) -> Tap:
    """Types what a hint says, and gives the tap that it added."""
    command = shlex.split(str(hint))
    assert command[:2] == ["orchestrator", "add-tap"]
    subprocess.run([sys.executable, "-m", *command], cwd=shop.root, check=True, capture_output=True)
    (tap,) = read_config(shop.config).taps.values()
    assert subprocess.run([in_use(shop, tap.id).executable, "--help"], capture_output=True).returncode == 0
    return tap


def everything_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


# ── what is installed beside it ──────────────────────────────────────────────────────────────────


def test_the_last_line_of_the_error_is_a_command_that_adds_the_tap(shop, index):
    index.add("tap-shapes", source=importing("rarely_installed"))
    index.add("rarely-installed", commands=[])
    before = shop.config.read_text()

    with pytest.raises(DoesNotStart, match=r"tap-shapes 1\.0 installs but does not start on Python") as raised:
        add_tap(shop, "tap-shapes==1.0", id="forms")

    assert raised.value.cause == "ModuleNotFoundError: No module named 'rarely_installed'"
    assert str(raised.value).splitlines()[-1] == f"  hint: {raised.value.hint}"
    assert shop.config.read_text() == before
    left = [name for name in everything_in(shop.root) if not name.startswith("envs/.bytecode")]
    assert left == ["envs", "orchestrator.toml"]
    assert follow(raised.value.hint, shop).extras == ("rarely_installed",)


def test_what_works_is_taken_where_somebody_agrees(shop, index):
    index.add("tap-shapes", source=importing("rarely_installed"))
    index.add("rarely-installed", commands=[])
    asked: list[str] = []

    def agree(command: str) -> bool:
        asked.append(command)
        return True

    add_tap(shop, "tap-shapes", fix=agree)

    assert asked == ["orchestrator add-tap tap-shapes --with rarely_installed"]
    assert read_config(shop.config).taps["shapes"].extras == ("rarely_installed",)


def test_every_try_is_told(shop, index):
    index.add("tap-shapes", source=importing("rarely_installed", "also_rare"), requires_python=ONLY_OURS)
    index.add("rarely-installed", commands=[])
    index.add("also-rare", commands=[])
    told: list[Event] = []

    add_tap(shop, "tap-shapes", fix=lambda command: True, listen=told.append)

    assert [event.text for event in told if isinstance(event, Note)] == [
        f"tap-shapes 1.0 installs but does not start on Python {OURS}: "
        "ModuleNotFoundError: No module named 'rarely_installed'",
        "Tried --with rarely_installed: ModuleNotFoundError: No module named 'also_rare'",
    ]
    assert "Tried --with rarely_installed --with also_rare: starts" in [
        event.text for event in told if isinstance(event, Step)
    ]


def test_however_much_is_missing_all_of_it_is_found(shop, index):
    missing = [f"rarely_installed_{number}" for number in range(6)]
    for module in missing:
        index.add(module.replace("_", "-"), commands=[])
    index.add("tap-shapes", source=importing(*missing), requires_python=ONLY_OURS)

    add_tap(shop, "tap-shapes", fix=lambda command: True)

    assert read_config(shop.config).taps["shapes"].extras == tuple(missing)


def test_a_package_that_is_too_new_is_taken_at_an_older_version(shop, index):
    index.add("setuptools", "80.0", module="pkg_resources", commands=[])
    index.add("setuptools", "82.0", module="setuptools", commands=[])
    index.add("shapes-of-old", "1.5", source="soft = 1", commands=[])
    index.add("shapes-of-old", "3.0", source="", commands=[])
    index.add("tap-shapes", source=f"from shapes_of_old import soft\n{importing('pkg_resources')}")
    index.add("tap-shapes", "2.0", requires=["shapes-of-old"], source=f"from shapes_of_old import soft\n{STEADY}")
    index.add("tap-forms", requires=["setuptools"], source=importing("pkg_resources"))

    add_tap(shop, "tap-forms", fix=lambda command: True)
    add_tap(shop, "tap-shapes==2.0", fix=lambda command: True)

    taps = read_config(shop.config).taps
    assert taps["forms"].extras == ("setuptools<81",)
    assert taps["shapes"].extras == ("shapes-of-old<3",)


@pytest.mark.skipif(not others(), reason="there is one Python only")
def test_what_is_named_as_too_new_gives_way_before_anything_else_is_tried(shop, index):
    index.add("rarely-installed", commands=[])
    index.add("shapes-of-old", "1.5", source="soft = 1", commands=[])
    index.add("shapes-of-old", "3.0", source="", commands=[])
    needs_both = f"import rarely_installed\nfrom shapes_of_old import soft\n{STEADY}"
    index.add("tap-shapes", source=needs_both, requires=["shapes-of-old"])
    told: list[Event] = []

    add_tap(shop, "tap-shapes", fix=lambda command: True, listen=told.append)

    assert read_config(shop.config).taps["shapes"].extras == ("rarely_installed", "shapes-of-old<3")
    assert [event.text.partition(":")[0] for event in told if isinstance(event, Note)][1:] == [
        "Tried --with rarely_installed"
    ]


# ── another Python ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.skipif(not others(), reason="there is one Python on this machine")
def test_another_python_is_tried_before_versions_that_nobody_asked_for(shop, index):
    index.add("shapes-of-old", "1.0", source="soft = 1", commands=[])
    index.add("shapes-of-old", "2.0", source=NOT_ON_OURS)
    index.add("tap-shapes", source=f"from shapes_of_old import soft\n{STEADY}", requires=["shapes-of-old>=2"])

    with pytest.raises(DoesNotStart) as raised:
        add_tap(shop, "tap-shapes")

    nearest = max(others(), key=lambda each: (each.age < ours().age, each.age))
    assert raised.value.hint == f"orchestrator add-tap tap-shapes --python {nearest.minor}"
    assert follow(raised.value.hint, shop).python == nearest.minor


@pytest.mark.skipif(
    sys.version_info < (3, 10) or not any(each.age < (3, 10) for each in others()), reason="there is no Python 3.9 here"
)
def test_what_python_itself_lost_leads_to_a_python_that_has_it(shop, index):
    index.add("tap-shapes", source=f"from collections import Mapping\n{STEADY}", requires_python=">=3.6")
    told: list[Event] = []

    with pytest.raises(DoesNotStart) as raised:
        add_tap(shop, "tap-shapes", listen=told.append)

    older = max((each for each in others() if each.age < (3, 10)), key=lambda each: each.age)
    assert raised.value.hint == f"orchestrator add-tap tap-shapes --python {older.minor}"
    assert [event.text for event in told if isinstance(event, Note | Step) and event.text.startswith("Tried")] == [
        f"Tried --python {older.minor}: starts"
    ]


def test_a_python_that_is_not_here_comes_first_in_the_command(shop, index):
    index.add("tap-shapes", requires_python=">=3.14")

    with pytest.raises(CannotResolve) as raised:
        add_tap(shop, "tap-shapes")

    install, _, add = str(raised.value.hint).partition(" && ")
    assert install.endswith("python install 3.14")
    assert add == "orchestrator add-tap tap-shapes --python 3.14"


# ── an older date ────────────────────────────────────────────────────────────────────────────────


def test_versions_of_its_time_are_taken_from_an_index_that_knows_dates(shop, served_index):
    index = served_index
    index.add("shapes-of-old", "1.0", commands=[], released="2020-05-01")
    index.add("shapes-of-old", "1.1", source="raise RuntimeError('everything is new')", released="2023-01-01")
    index.add(
        "tap-shapes",
        source=importing("shapes_of_old"),
        requires=["shapes-of-old"],
        requires_python=ONLY_OURS,
        released="2020-06-30",
    )

    with pytest.raises(DoesNotStart) as raised:
        add_tap(shop, "tap-shapes")

    assert raised.value.hint == "orchestrator add-tap tap-shapes --exclude-newer 2020-07-01"
    assert follow(raised.value.hint, shop).exclude_newer == "2020-07-01"


def test_versions_of_before_2019_are_built_with_a_setuptools_that_can(shop, served_index):
    index = served_index
    index.add("setuptools", "40.0", commands=[], released="2018-07-08")
    index.add("setuptools", "57.4", commands=[], released="2021-07-25")
    index.add("setuptools", "60.0", commands=[], released="2021-12-19", source="raise RuntimeError('too new')")
    index.add_source(
        "shapes-of-old", requires=["setuptools>=40.8"], builds="import setuptools\nfrom backend import *\n"
    )
    index.told["shapes_of_old-1.0.tar.gz"] = {"upload-time": "2018-01-01T00:00:00Z"}
    index.add("tap-shapes", requires=["shapes-of-old"], released="2018-07-01")

    added = add_tap(shop, "tap-shapes", exclude_newer="2018-07-02")

    assert (added.version, added.dependencies) == ("1.0", 1)


# ── other versions ───────────────────────────────────────────────────────────────────────────────


def test_a_version_that_the_tap_rules_out_is_an_override(shop, index):
    index.add("shapes-of-old", "1.0", commands=[])
    index.add("shapes-of-old", "1.9", commands=[], source="raise RuntimeError('too old')")
    index.add("shapes-of-old", "1.12", commands=[])
    index.add("shapes-of-old", "2.0", commands=[], source="raise RuntimeError('too new')")
    index.add(
        "tap-shapes", source=importing("shapes_of_old"), requires=["shapes-of-old==1.9"], requires_python=ONLY_OURS
    )

    with pytest.raises(DoesNotStart) as raised:
        add_tap(shop, "tap-shapes")

    assert raised.value.hint == "orchestrator add-tap tap-shapes --override 'shapes-of-old>1.9,<2'"
    assert follow(raised.value.hint, shop).overrides == ("shapes-of-old>1.9,<2",)


def test_while_a_version_is_mended_no_other_of_the_tap_is_built(shop, index, tmp_path):
    built = tmp_path / "built"
    index.add("shapes-of-old", "1.0", commands=[], source="soft = 1")
    index.add("shapes-of-old", "2.0", commands=[])
    index.add_source("tap-shapes", "0.9", builds=f"from backend import *\nopen({str(built)!r}, 'w').close()\n")
    needs_soft = f"from shapes_of_old import soft\n{STEADY}"
    index.add("tap-shapes", source=needs_soft, requires=["shapes-of-old==2.0"], requires_python=ONLY_OURS)
    told: list[Event] = []

    add_tap(shop, "tap-shapes", fix=lambda command: True, listen=told.append)

    assert read_config(shop.config).taps["shapes"].overrides == ("shapes-of-old<2",)
    assert any("Tried --with 'shapes-of-old<2': Because" in event.text for event in told if isinstance(event, Note))
    assert not built.exists()


def test_packages_that_rule_each_other_out_are_brought_together(shop, index):
    index.add("shapes-of-old", "1.0", commands=[])
    index.add("shapes-of-old", "2.0", commands=[])
    index.add("colours", commands=[], requires=["shapes-of-old<2"])
    index.add("tap-shapes", requires=["colours", "shapes-of-old>=2"], requires_python=ONLY_OURS)

    with pytest.raises(CannotResolve) as raised:
        add_tap(shop, "tap-shapes")

    assert follow(raised.value.hint, shop).overrides == ("shapes-of-old",)


# ── what has to be built ─────────────────────────────────────────────────────────────────────────


def test_a_package_that_cannot_be_built_is_taken_at_a_version_that_comes_ready_made(shop, index):
    index.add("shapes-of-old", "1.0", commands=[])
    index.add_source("shapes-of-old", "2.0", builds=NOT_BUILT_HERE)
    index.add("tap-shapes", requires=["shapes-of-old"])

    with pytest.raises(CannotBuild) as raised:
        add_tap(shop, "tap-shapes")

    assert raised.value.cause == "RuntimeError: this cannot be built"
    assert follow(raised.value.hint, shop).extras == ("shapes-of-old<2.0",)


@pytest.mark.skipif(ours().minor == "3.14", reason="this is Python 3.14")
def test_what_is_ready_made_for_a_python_that_is_not_here_leads_to_it(shop, served_index, only_our_python):
    index = served_index
    index.add("shapes-of-old", "2.0", commands=[])
    wheel = index.folder / "shapes_of_old-2.0-py3-none-any.whl"
    wheel.rename(index.folder / "shapes_of_old-2.0-cp314-none-any.whl")
    index.add_source("shapes-of-old", "2.0", builds=NOT_BUILT_HERE)
    index.add("tap-shapes", requires=["shapes-of-old==2.0"])

    with pytest.raises(CannotBuild) as raised:
        add_tap(shop, "tap-shapes")

    assert str(raised.value.hint).endswith("python install 3.14 && orchestrator add-tap tap-shapes --python 3.14")


OF_OLD_CYTHON = """
from backend import *
from backend import build_wheel as build
import cython

def build_wheel(*arguments):
    if cython.VERSION > 2:
        raise RuntimeError("Cython does not understand shapes.pyx")
    return build(*arguments)
"""


def test_old_sources_are_built_with_tools_of_their_time(shop, index):
    index.add("cython", "0.29", source="VERSION = 0", commands=[])
    index.add("cython", "3.0", source="VERSION = 3", commands=[])
    index.add_source("shapes-of-old", builds=OF_OLD_CYTHON, requires=["cython"])
    index.add("tap-shapes", requires=["shapes-of-old"], requires_python=ONLY_OURS)

    with pytest.raises(CannotBuild) as raised:
        add_tap(shop, "tap-shapes")

    assert raised.value.hint == "orchestrator add-tap tap-shapes --build-constraint 'cython<3'"
    assert follow(raised.value.hint, shop).build_constraints == ("cython<3",)


def test_what_always_has_to_be_built_gives_way_to_what_stands_in_for_it(shop, index):
    index.add_source("psycopg2", "2.7.4", builds=NOT_BUILT_HERE)
    index.add("psycopg2-binary", "2.9", module="psycopg2", commands=[])
    index.add("tap-shapes", source=importing("psycopg2"), requires=["psycopg2==2.7.4"], requires_python=ONLY_OURS)

    with pytest.raises(CannotBuild) as raised:
        add_tap(shop, "tap-shapes")

    tap = follow(raised.value.hint, shop)
    assert (tap.extras, tap.overrides) == (("psycopg2-binary",), ("psycopg2; python_version < '0'",))


def test_a_part_of_the_system_that_is_missing_is_named_with_its_debian_package(shop, index):
    lacks = NOT_BUILT_HERE.replace(
        "this cannot be built", "shapes.c:3:10: fatal error: sql.h: No such file or directory"
    )
    index.add_source("shapes-of-old", builds=lacks)
    index.add("tap-shapes", requires=["shapes-of-old"], requires_python=ONLY_OURS)

    with pytest.raises(CannotBuild) as raised:
        add_tap(shop, "tap-shapes")

    assert raised.value.hint == "sudo apt-get install unixodbc-dev && orchestrator add-tap tap-shapes"


def test_without_builds_a_package_that_has_to_be_built_is_refused_before_its_code_runs(shop, index, tmp_path):
    index.add_source("shapes-of-old", builds=f"open('{tmp_path}/ran', 'w').close()\nfrom backend import *")
    index.add("tap-shapes", requires=["shapes-of-old"], requires_python=ONLY_OURS)

    with pytest.raises(EnvironmentBroken, match="tap-shapes") as raised:
        add_tap(shop, "tap-shapes", no_build=True)

    assert "no usable wheels" in str(raised.value.cause)
    assert raised.value.hint == "orchestrator add-tap tap-shapes"
    assert not (tmp_path / "ran").exists()


# ── what is said meanwhile ───────────────────────────────────────────────────────────────────────

TALKATIVE = """
import sys
from backend import *
from backend import build_wheel as build

def build_wheel(*arguments):
    for stream in (sys.stdout, sys.stderr):
        stream.write("much is said while this is built\\n" * 100_000)
        stream.flush()
    %s
    return build(*arguments)
"""


def test_an_installer_that_says_a_lot_is_listened_to_till_the_end(shop, index):
    index.add_source("shapes-of-old", builds=TALKATIVE % "pass")
    index.add("tap-shapes", requires=["shapes-of-old"])

    added = add_tap(shop, "tap-shapes")

    assert added.dependencies == 1


def test_what_an_installer_said_is_kept_where_the_error_says(shop, index):
    index.add_source("shapes-of-old", builds=TALKATIVE % "raise RuntimeError('and then it fails')")
    index.add("tap-shapes", requires=["shapes-of-old"], requires_python=ONLY_OURS)

    with pytest.raises(CannotBuild) as raised:
        add_tap(shop, "tap-shapes")

    assert raised.value.cause == "RuntimeError: and then it fails"
    assert str(raised.value.data).endswith("envs/.shapes.log has all that was said")
    said = (shop.envs / ".shapes.log").read_text()
    assert said.count("much is said while this is built") >= 200_000
    assert "$ uv pip sync" in said
    index.add("shapes-of-old", "2.0", commands=[])
    add_tap(shop, "tap-shapes")
    assert not (shop.envs / ".shapes.log").exists()
    assert "$ uv pip sync" in shop.build_log("shapes", in_use(shop, "shapes").environment).read_text()


def test_when_nothing_helps_it_says_what_was_tried_and_leaves_everything_as_it_was(shop, index):
    index.add("tap-shapes", source="raise ValueError('for no reason')", requires_python=ONLY_OURS)
    before = shop.config.read_text()

    with pytest.raises(DoesNotStart) as raised:
        add_tap(shop, "tap-shapes", fix=lambda command: True)

    assert raised.value.cause == "ValueError: for no reason"
    assert shop.config.read_text() == before
    assert everything_in(shop.root) == ["envs", "envs/.shapes.log", "orchestrator.toml"]
    assert "ValueError: for no reason" in (shop.envs / ".shapes.log").read_text()
