"""Whatever a tap says, a terminal shows it and does nothing else."""

import json
import unicodedata
from typing import Any

import pytest

from orchestrator.actions.query import table_in_sql
from orchestrator.cli.plain import plain, plain_json
from orchestrator.cli.terminal import as_shown, styled
from orchestrator.load.naming import name_for
from tests.cli.terminal import on_a_terminal
from tests.workspaces import FakeWorkspace

STEERING = {
    "clears the screen": "\x1b[2J",
    "renames the window": "\x1b]0;owned\x07",
    "goes back over the line": "\r\b\b",
    "colours": "\x1b[31m",
    "begins a sequence of eight bits": "\x9b2J",
    "turns the line around": "\u202egnp.exe\u2066",
    "hides": "\u200b\x7f\U000e0041",
}
EVIL = "".join(STEERING.values())


def steers(text: str) -> set[str]:
    """The letters of it that are none."""
    return {letter for letter in text if unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp")} - {*"\n\t"}


@pytest.mark.parametrize("words", STEERING.values(), ids=STEERING)
def test_what_would_steer_a_terminal_is_written_out(words):
    assert not steers(plain(f"before {words} after"))
    assert plain(f"before {words} after").startswith("before ")


def test_letters_of_every_script_stay_as_they_are():
    text = "Zoë 日本 کتاب שלום 👩‍🔬 naïve\tand\nnext"

    assert plain(text) == text


def test_the_colours_of_a_log_are_left_out():
    assert plain("\x1b[32mINFO\x1b[0m reading") == "INFO reading"


def test_only_what_is_styled_by_us_is_coloured():
    text = f"{styled('error:', 'red', 'bold')} \x1b[31mtap\x1b[2J"

    assert as_shown(text, colour=True) == "\x1b[31m\x1b[1merror:\x1b[0m tap\\x1b[2J"
    assert as_shown(text, colour=False) == "error: tap\\x1b[2J"


def test_json_says_the_same_in_letters_that_can_be_seen():
    written = plain_json(json.dumps([EVIL, "日本"], ensure_ascii=False))

    assert json.loads(written) == [EVIL, "日本"]
    assert not steers(written)
    assert "日本" in written


# ── the whole command line, over a tap that is full of them ──────────────────────────────────────

STREAM = f"is{EVIL}sues"
RUN = ["run", "shop", "-v", "--commit-rows", "1"]
LOOKS = (
    ["discover", "fake"],
    ["select", "fake"],
    ["select", "fake", "--list", "*"],
    ["config", "fake", "list"],
    ["taps", "show", "fake"],
    RUN,
    ["logs", "shop"],
    ["runs", "show", "shop"],
    ["status"],
    ["status", "--json"],
    ["state", "show", "shop"],
    ["state", "history", "shop"],
)


@pytest.fixture
def evil(tmp_path):
    """A workspace whose tap says such things in every place that is its own, and ends with them."""
    workspace = FakeWorkspace(tmp_path)
    streams: dict[str, dict[str, Any]] = {STREAM: {"rows": 2}, f"broken{EVIL}": {"rows": 1, "breaks": EVIL}}
    workspace.source(**streams)
    workspace.behave(accidents=[{"after": 2, "log": f"INFO {EVIL}"}], **{f"unknown{EVIL}": EVIL})
    return workspace


NAMES = f"""select name, 1 as "{EVIL}" from {table_in_sql("shop", name_for(STREAM, ()))}"""


def test_nothing_that_a_tap_says_steers_the_terminal_that_it_is_piped_into(orchestrator, evil):
    looks = (*LOOKS, ["query", NAMES], ["query", NAMES, "--json"])
    said = {" ".join(words): orchestrator(*words) for words in looks}

    assert said[" ".join(RUN)].exit_code == 1
    assert {words: found for words, each in said.items() if (found := steers(each.out + each.err))} == {}
    # It is no silence: what was said can be read.
    assert sum((each.out + each.err).count("owned") for each in said.values()) > 20


def test_nothing_that_a_tap_says_steers_the_terminal_that_it_is_run_on(tmp_path, evil):
    looks = (RUN, ["logs", "shop"], ["query", NAMES], ["query", NAMES, "--format", "csv"])
    screens = {" ".join(words): on_a_terminal(*words, at=tmp_path) for words in looks}

    found = {(words, what) for words, screen in screens.items() for what in STEERING if STEERING[what] in screen}
    assert found == set()
    assert sum(screen.count("owned") for screen in screens.values()) > 3
    # The table that moves is drawn by us; elsewhere there is nothing to steer.
    assert not steers("".join(screen for words, screen in screens.items() if not words.startswith("run")))


@pytest.mark.usefixtures("evil")
def test_a_program_is_handed_what_is_there(orchestrator):
    orchestrator(*RUN)

    # Python reads every end of a line as one.
    assert EVIL.replace("\r", "\n") in orchestrator("query", NAMES, "--format", "csv").out
