"""A lock holds the recipe and what it came to; read back, it is the same."""

import sys
from dataclasses import replace

import pytest

from orchestrator.envs.lock import Lock, VersionChange, changes, read_lock, write_lock
from orchestrator.envs.recipe import Recipe
from orchestrator.errors import DamagedFile

RECIPE = Recipe(
    package="tap-gitlab==0.5.1",
    python="3.11",
    extras=("pytz", 'tzdata; sys_platform == "win32"'),
    overrides=("requests<3",),
    exclude_newer="2021-06-01",
    executable="tap-gitlab",
)
REQUIREMENTS = """\
backoff==1.3.2 \\
    --hash=sha256:608cd3c17c7ae541fb45454cf8236271d13f3cdae932e56879f26bd737344aa8
    # via
    #   singer-python
    #   tap-gitlab
colorama==0.4.6 ; sys_platform == 'win32' \\
    --hash=sha256:0000000000000000000000000000000000000000000000000000000000000000
numpy==1.26.4 ; python_full_version < '3.12' \\
    --hash=sha256:0000000000000000000000000000000000000000000000000000000000000000
numpy==2.3.0 ; python_full_version >= '3.12' \\
    --hash=sha256:0000000000000000000000000000000000000000000000000000000000000000
-e ./taps/mine
    # via tap-gitlab
./taps/other
tap-x @ git+https://github.com/somebody/tap-x.git@3ef8cdede8bc383946b4e5743b5d03aa886c02a3
tap-gitlab==0.5.1 \\
    --hash=sha256:0000000000000000000000000000000000000000000000000000000000000000
"""
LOCK = Lock(RECIPE, REQUIREMENTS, "2026-11-20")


def test_a_lock_is_the_same_after_writing_and_reading(tmp_path):
    write_lock(tmp_path / "gitlab.lock", LOCK)

    assert read_lock(tmp_path / "gitlab.lock") == LOCK


def test_installers_that_know_nothing_of_us_can_read_a_lock():
    assert all(line.startswith("#") for line in LOCK.text.removesuffix(REQUIREMENTS).splitlines())


@pytest.mark.skipif(sys.platform == "win32", reason="the sample leaves out what only Windows needs")
def test_only_what_this_system_and_python_install_is_counted():
    assert LOCK.versions() == {
        "backoff": "1.3.2",
        "numpy": "1.26.4",
        "tap-x": "3ef8cdede8bc383946b4e5743b5d03aa886c02a3",
        "tap-gitlab": "0.5.1",
    }
    assert LOCK.dependencies == 5


def test_what_has_no_hash_is_known():
    assert [pin.text for pin in LOCK.without_hash()] == [
        "-e ./taps/mine",
        "./taps/other",
        "tap-x @ git+https://github.com/somebody/tap-x.git@3ef8cdede8bc383946b4e5743b5d03aa886c02a3",
    ]
    assert not any(pin.comes_from_a_registry for pin in LOCK.without_hash())


def test_every_change_of_lock_or_interpreter_is_another_environment():
    same, others = (
        LOCK.environment("/usr/bin/python3.11"),
        [
            LOCK.environment("/opt/bin/python3.11"),
            Lock(RECIPE, REQUIREMENTS.replace("1.3.2", "1.3.3")).environment("/usr/bin/python3.11"),
            Lock(Recipe("tap-gitlab", python="3.11"), REQUIREMENTS).environment("/usr/bin/python3.11"),
        ],
    )

    assert len({same, *others}) == 4


@pytest.mark.parametrize(
    ("asked", "departures"),
    [
        (None, []),
        ("3.11", []),
        ("3.11.7", []),
        ("/usr/bin/python3.12", []),
        ("3.12", ["python"]),
        ("3.1", ["python"]),
    ],
)
def test_a_lock_serves_every_way_to_ask_for_its_python(asked, departures):
    lock = Lock(Recipe("tap-gitlab", python="3.11"), REQUIREMENTS)

    assert lock.departures(Recipe("tap-gitlab", python=asked)) == departures


def test_what_differs_from_a_recipe_is_named_as_in_orchestrator_toml():
    assert LOCK.departures(Recipe("tap-gitlab", exclude_newer="2021-06-01")) == [
        "executable",
        "overrides",
        "package",
        "with",
    ]


def test_changes_are_told_by_package():
    before = Lock(RECIPE, "a==1 --hash=x\nb==1 --hash=x\nd==1 --hash=x\n")
    after = Lock(RECIPE, "a==1 --hash=x\nb==2 --hash=x\nc==1 --hash=x\n")

    assert changes(before, after) == (
        VersionChange("b", "1", "2"),
        VersionChange("c", None, "1"),
        VersionChange("d", "1", None),
    )


def test_the_day_on_which_a_lock_was_resolved_is_kept_and_makes_no_other_lock(tmp_path):
    write_lock(tmp_path / "gitlab.lock", LOCK)
    later = replace(LOCK, resolved="2026-11-21")

    read = read_lock(tmp_path / "gitlab.lock")
    assert read is not None
    assert read.resolved == "2026-11-20"
    assert later == LOCK
    assert later.environment("/usr/bin/python3.11") == LOCK.environment("/usr/bin/python3.11")


def test_no_lock_is_none(tmp_path):
    assert read_lock(tmp_path / "gitlab.lock") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        REQUIREMENTS,
        "# /// orchestrator\n# package = tap-gitlab\n# ///\n",
        "# /// orchestrator\n# package = 'tap-gitlab'\n# ///\n",
        LOCK.text.replace("# ///\n", "<<<<<<< HEAD\n"),
    ],
)
def test_what_is_not_a_lock_is_refused(tmp_path, text):
    (tmp_path / "gitlab.lock").write_text(text)

    with pytest.raises(DamagedFile, match="is not a lock") as raised:
        read_lock(tmp_path / "gitlab.lock")

    assert str(raised.value.hint).startswith("orchestrator upgrade gitlab")
