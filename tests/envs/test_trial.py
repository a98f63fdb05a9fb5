"""A tap is started once: it tells what it can, or why it does not start."""

import os
import sys
import time
from pathlib import Path

import pytest

from orchestrator.envs.surroundings import Surroundings
from orchestrator.envs.trial import TrialFailed, start_once


@pytest.fixture
def program(tmp_path):
    def write(source: str) -> Path:
        path: Path = tmp_path / "tap-x"
        path.write_text(f"#!{sys.executable}\nimport sys\n{source}")
        path.chmod(0o755)
        return path

    return write


SHOWN = {"PATH": os.defpath}

CLICK = """
Usage: tap-x [OPTIONS]
  --version                 Display the package version.
  --about                   Display package metadata and settings.
  --discover                Run the tap in discovery mode.
  --test TEXT               Use --test to sync a single record for each stream.
  --catalog PATH            Use a Singer catalog file with the tap.
  --state PATH              Use a bookmarks file for incremental replication.
  --config TEXT             Configuration file location or 'ENV'.
  --config-format TEXT
"""


def test_options_are_read_from_the_help_of_click(program):
    tap = program(f"print({CLICK!r}) if '--help' in sys.argv else sys.exit(1)")

    assert start_once(tap, Surroundings(SHOWN)).capabilities == (
        "about",
        "catalog",
        "config",
        "discover",
        "state",
        "test",
    )


def test_options_are_read_from_the_help_of_argparse(program):
    tap = program(
        "import argparse\np = argparse.ArgumentParser()\np.add_argument('-c', '--config', required=True)\n"
        "p.add_argument('-p', '--properties')\np.add_argument('--stateful')\np.parse_args()"
    )

    assert start_once(tap, Surroundings(SHOWN)).capabilities == ("config", "properties")


def test_a_tap_without_help_may_name_its_options_when_it_complains(program):
    tap = program("if sys.argv[1] != '--about': sys.exit('usage: tap-x --config FILE [--state FILE]')")

    assert start_once(tap, Surroundings(SHOWN)).capabilities == ("config", "state")


ABOUT = '{"name": "tap-x", "capabilities": ["catalog"], "settings": {"required": ["token"]}, "support": null}'


@pytest.mark.parametrize(
    ("answer", "kept"), [(ABOUT, True), ("# tap-x\n\nA tap.", False), ("[1]", False), ('{"settings": "none"}', False)]
)
def test_what_a_tap_says_of_itself_is_kept_where_a_machine_can_read_it(program, answer, kept):
    tap = program(f"print({CLICK!r} if sys.argv[1:] == ['--help'] else {answer!r})")

    assert (start_once(tap, Surroundings(SHOWN)).about is not None) is kept


def test_a_tap_without_about_is_not_asked_about_itself(program, tmp_path):
    tap = program(f"open('{tmp_path}/asked', 'a').write(sys.argv[1]); print('--config FILE')")

    assert start_once(tap, Surroundings(SHOWN)).about is None
    assert (tmp_path / "asked").read_text() == "--help"


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("import rarely.installed", "ModuleNotFoundError: No module named 'rarely'"),
        ("raise ImportError(\"cannot import name 'Mapping' from 'collections'\")", None),
        ("sys.exit('tap-x: error: no')", "tap-x: error: no"),
        ("sys.exit(3)", "it gave no reason"),
    ],
)
def test_why_a_tap_does_not_start_is_its_own_last_word(program, source, cause):
    with pytest.raises(TrialFailed) as raised:
        start_once(program(source), Surroundings(SHOWN))

    assert raised.value.cause == (cause or "ImportError: cannot import name 'Mapping' from 'collections'")
    assert raised.value.cause in raised.value.said + "it gave no reason"


def test_a_tap_that_refuses_the_question_and_says_how_to_ask_has_started(program):
    tap = program("print('Usage: tap-x --config FILE [--state FILE]', file=sys.stderr); sys.exit(2)")

    assert start_once(tap, Surroundings(SHOWN)).capabilities == ("config", "state")


def test_a_tap_that_lacks_a_module_is_not_asked_again(program, tmp_path):
    tap = program(f"open('{tmp_path}/asked', 'a').write(sys.argv[1]); import rarely.installed")

    with pytest.raises(TrialFailed):
        start_once(tap, Surroundings(SHOWN))

    assert (tmp_path / "asked").read_text() == "--help"


def test_a_tap_sees_what_it_is_shown_and_no_more(program):
    tap = program("import os; print(dict(os.environ), file=sys.stderr); sys.exit(1)")

    with pytest.raises(TrialFailed) as raised:
        start_once(tap, Surroundings({"SHOWN": "yes"}))

    assert "'SHOWN': 'yes'" in raised.value.said
    assert "PATH" not in raised.value.said


def test_what_is_no_program_does_not_start(tmp_path):
    (tmp_path / "tap-x").touch(mode=0o644)

    with pytest.raises(TrialFailed, match="Permission denied"):
        start_once(tmp_path / "tap-x", Surroundings(SHOWN))


def test_a_tap_that_does_not_answer_is_ended_with_all_it_started(program, tmp_path):
    tap = program(
        f"import subprocess, time\nsubprocess.Popen(['sh', '-c', 'sleep 2; touch {tmp_path}/alive'])\ntime.sleep(60)"
    )

    with pytest.raises(TrialFailed, match=r"asked for --help, it did not end within 0\.5 s"):
        start_once(tap, Surroundings(SHOWN), longest=0.5)

    time.sleep(2.5)
    assert not (tmp_path / "alive").exists()


def test_a_tap_that_answers_without_end_is_cut_off(program):
    with pytest.raises(TrialFailed, match="asked for --help, it printed more than 1 MB"):
        start_once(program("while True: print('RECORD' * 1000)"), Surroundings(SHOWN))


def test_a_tap_cannot_litter_the_folder_it_is_added_from(program, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tap = program("open('litter', 'w').close()")

    start_once(tap, Surroundings(SHOWN))

    assert not (tmp_path / "litter").exists()
