"""Settings as a conversation: what a tap needs is asked for, and what it is told is shown with who says so."""

import json
import stat
from pathlib import Path

import pytest

from orchestrator.config import Reference
from orchestrator.secrets.vault import Vault
from tests.cli.terminal import on_a_terminal


@pytest.fixture
def shop(shop):
    """Its tap needs a token, a region and a port, and may be told more."""
    shop.describe(
        required=["token", "region", "port"],
        properties={
            "token": {"type": "string", "secret": True, "description": "Made under\n Profile."},
            "region": {"type": "string", "enum": ["eu", "us"]},
            "port": {"type": "integer"},
            "size": {"type": "integer", "default": 100},
            "groups": {"type": "string"},
            "login": {"type": "object", "properties": {"user": {"type": "string"}}},
            "streams": {"type": "object"},
        },
    )
    return shop


def test_what_is_missing_is_asked_for_until_it_can_be_meant_and_a_secret_is_not_echoed(shop):
    shop.behave(region="eu")

    written = on_a_terminal(
        "config",
        "fake",
        at=shop.paths.root,
        typed=[("token (secret): ", "glpat-1234\n"), ("number): ", "many\n"), ("number): ", "5432\n")],
    )

    lines = written.splitlines()
    assert lines[:5] == [
        "Made under Profile.",
        "token (secret): ",
        "port (whole number): many",
        "Error: It must be a whole number",
        "port (whole number): 5432",
    ]
    told = shop.config.tap("fake").config
    assert (told["token"], told["port"]) == (Reference("secret", "fake.token"), 5432)
    assert "glpat-1234" not in written
    assert lines[-1] == "Next  orchestrator discover fake"


def test_choices_are_shown_and_nothing_else_is_taken(shop):
    shop.behave(token={"env": "TOKEN"}, port=1)

    written = on_a_terminal(
        "config", "fake", at=shop.paths.root, typed=[("region (eu, us): ", "mars\n"), ("region (eu, us): ", "us\n")]
    )

    assert written.splitlines()[:3] == [
        "region (eu, us): mars",
        "Error: It must be one of eu, us",
        "region (eu, us): us",
    ]
    assert shop.config.tap("fake").config["region"] == "us"


@pytest.mark.parametrize("words", [(), ("--no-input",)])
def test_where_nobody_can_answer_it_says_what_is_missing_and_what_to_type(orchestrator, shop, words):
    said = orchestrator("config", "fake", *words)

    assert (said.exit_code, said.out) == (2, "")
    assert said.err.splitlines() == [
        'error: tap "fake" is not told 3 settings that it needs',
        "  cause: token (secret)",
        "         region (eu, us)",
        "         port (whole number)",
        "  data: nothing was changed",
        "  hint: export TAP_FAKE_TOKEN=… && orchestrator config fake set region=… port=…",
    ]
    orchestrator("config", "fake", "set", "region=eu", "port=1")
    assert orchestrator("config", "fake", TAP_FAKE_TOKEN="t").exit_code == 0


def test_values_are_read_by_the_kind_of_their_setting(orchestrator, shop):
    said = orchestrator("config", "fake", "set", "groups=310", "port=310", "login.user=7", "other=310")

    told = shop.config.tap("fake").config
    assert (told["groups"], told["port"], told["login"], told["other"]) == ("310", 310, {"user": "7"}, 310)
    assert said.exit_code == 0
    orchestrator("config", "fake", "unset", "login.user")
    assert shop.config.tap("fake").config["login"] == {}


def test_a_value_that_its_setting_cannot_have_changes_nothing(orchestrator, shop):
    before = shop.paths.config.read_text()

    said = orchestrator("config", "fake", "set", "groups=a", "port=many")

    assert (said.exit_code, said.err.splitlines()[0]) == (2, "error: port must be a whole number")
    assert shop.paths.config.read_text() == before


def test_a_value_can_be_asked_for_so_that_no_shell_remembers_it(shop):
    written = on_a_terminal(
        "config", "fake", "set", "token", at=shop.paths.root, typed=[("token (secret): ", "glpat-1234\n")]
    )

    assert Vault(shop.paths).read().secrets["fake.token"].value == "glpat-1234"
    assert "glpat-1234" not in written


def test_a_list_tells_all_that_the_tap_understands_and_who_says_what(orchestrator, shop):
    shop.behave(region="eu", token={"env": "TOKEN"})
    lines = shop.paths.config.read_text().split("\n")
    region, token = lines.index('region = "eu"') + 1, lines.index("[taps.fake.config.token]") + 1

    said = orchestrator("config", "fake", "list", "--origin", TAP_FAKE_PORT="5432")

    rows = [row.split() for row in said.out.splitlines()]
    assert rows[0] == ["setting", "value", "origin", "kind", "needed", "secret"]
    by_name = {row[0]: row[1:] for row in rows}
    assert by_name["region"] == ["eu", f"orchestrator.toml:{region}", "text", "✓", "–"]
    assert by_name["port"] == ["5432", "TAP_FAKE_PORT", "whole", "number", "✓", "–"]
    assert by_name["size"] == ["100", "default", "whole", "number", "–", "–"]
    assert by_name["groups"] == ["–", "–", "text", "–", "–"]
    assert by_name["token"][:3] == ['{"env":', '"TOKEN"}', f"orchestrator.toml:{token}"]


def test_a_list_is_a_document_too(orchestrator, shop):
    found = {each["name"]: each for each in orchestrator("config", "fake", "list", "--json").document["settings"]}

    assert found["token"] == {
        "name": "token",
        "value": None,
        "origin": None,
        "required": True,
        "secret": True,
        "kind": "text",
        "choices": [],
        "default": None,
        "description": "Made under\n Profile.",
        "variable": "TAP_FAKE_TOKEN",
    }


def test_a_secret_from_a_variable_is_not_shown(orchestrator, shop):
    said = orchestrator("config", "fake", "list", TAP_FAKE_TOKEN="glpat-1234")

    assert "***" in said.out
    assert "glpat-1234" not in said.out + said.err


def editor(folder: Path, *changes: tuple[str, str]) -> str:
    """An editor that makes one change each time it is opened."""
    program, todo = folder / "editor.py", folder / "changes.json"
    todo.write_text(json.dumps(changes))
    program.write_text(
        "#!/usr/bin/env python3\n"
        "import json, pathlib, sys\n"
        f"todo = pathlib.Path({str(todo)!r})\n"
        "(before, after), *left = json.loads(todo.read_text())\n"
        "todo.write_text(json.dumps(left))\n"
        "file = pathlib.Path(sys.argv[1])\n"
        "file.write_text(file.read_text().replace(before, after))\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return str(program)


def test_the_file_is_edited_and_kept_when_it_can_be_meant(orchestrator, shop, tmp_path):
    shop.behave(region="eu")

    said = orchestrator("config", "fake", "edit", EDITOR=editor(tmp_path, ('"eu"', '"us"  # nearer')))

    assert said.exit_code == 0, said.err
    assert 'region = "us"  # nearer' in shop.paths.config.read_text()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (('region = "eu"', 'region = "mars"'), r"region must be one of eu, us"),
        (('region = "eu"', "region ="), r"this is not TOML"),
        (('package = "tap-fake==1.0"', 'packge = "tap-fake==1.0"'), 'did you mean "package"?'),
    ],
)
def test_what_cannot_be_meant_is_told_with_its_line_and_not_kept(orchestrator, shop, tmp_path, change, complaint):
    shop.behave(region="eu")
    before = shop.paths.config.read_text()
    line = next(n for n, text in enumerate(before.split("\n"), 1) if change[0] in text)

    said = orchestrator("config", "fake", "edit", EDITOR=editor(tmp_path, change))

    assert said.exit_code == 2
    assert complaint in said.err
    assert f"orchestrator.toml:{line}:" in said.err
    assert shop.paths.config.read_text() == before


def test_on_a_terminal_it_is_edited_again_from_where_it_was(shop, tmp_path):
    shop.behave(region="eu")
    program = editor(tmp_path, ('"eu"', '"mars"'), ('"mars"', '"us"'))

    written = on_a_terminal(
        "config", "fake", "edit", at=shop.paths.root, typed=[("Edit it again? [Y/n]: ", "y\n")], EDITOR=program
    )

    assert "Edit it again? [Y/n]: " in written
    assert shop.config.tap("fake").config["region"] == "us"


def test_an_editor_that_changes_nothing_changes_nothing(orchestrator, shop, tmp_path):
    said = orchestrator("config", "fake", "edit", EDITOR=editor(tmp_path, ("nothing like it", "")))

    assert (said.exit_code, said.err.splitlines()[0]) == (0, "Nothing was changed.")


def test_a_key_that_the_tap_never_reads_is_said_where_it_is_set(orchestrator, shop):
    shop.coded('def sync(config): config["token"]')

    said = orchestrator("config", "fake", "set", "api_url=http://localhost")

    assert said.err.splitlines()[0] == "note: tap-fake 1.0 never reads api_url"


def test_all_that_is_known_of_a_tap_is_shown(orchestrator, shop):
    shop.behave(region="eu")
    shop.choose(env={"ZONE": "z"})

    before = orchestrator("taps", "show", "fake", AWS_PROFILE="mine")
    orchestrator("discover", "fake", TAP_FAKE_TOKEN="t", TAP_FAKE_PORT="1")
    after = orchestrator("taps", "show", "fake", "--json", TAP_FAKE_TOKEN="glpat-1234")

    facts = dict(line.split(maxsplit=1) for line in before.out.partition("\n\n")[0].splitlines())
    assert (facts["version"], facts["takes"]) == ("1.0", "catalog, config, discover, state")
    assert {"AWS_PROFILE", "PATH", "ZONE"} <= set(facts["variables"].split(", "))
    assert before.next == "orchestrator discover fake"
    shown = after.document
    assert [stream["stream"] for stream in shown["streams"]] == ["issues"]
    origins = {each["name"]: (each["value"], each["origin"]) for each in shown["settings"]}
    assert origins["token"] == ("***", "TAP_FAKE_TOKEN")
    assert origins["size"] == (100, "default")


@pytest.mark.parametrize(
    ("env", "complaint"),
    [
        ({"2X": "a"}, '"2X" cannot be the name of a variable'),
        ({"X": 1}, "X is 1; it must be text in quotes, or a reference"),
        ({"X": "${Y}"}, 'make the whole value { env = "Y" }'),
    ],
)
def test_a_variable_that_cannot_be_given_is_a_problem_of_the_file(orchestrator, shop, env, complaint):
    shop.choose(env=env)

    said = orchestrator("taps", "show", "fake")

    assert said.exit_code == 2
    assert complaint in said.err


def test_what_the_hub_proposes_is_taken_with_enter(shop):
    settings = [{"name": "pages", "kind": "integer", "value": 3}, {"name": "key", "kind": "password", "value": ""}]
    entry = {"name": "tap-fake", "variant": "a", "settings": settings, "settings_group_validation": [["pages", "key"]]}
    shop.paths.built_about("fake", "made-up").unlink()
    shop.paths.hub_entry("fake").write_text(json.dumps(entry))

    on_a_terminal(
        "config", "fake", at=shop.paths.root, typed=[("pages (whole number) [3]: ", "\n"), ("key (secret): ", "k-1\n")]
    )

    told = shop.config.tap("fake").config
    assert (told["pages"], told["key"]) == (3, Reference("secret", "fake.key"))


def test_a_check_tells_of_each_stream_and_leads_to_a_run(orchestrator, shop):
    shop.behave(region="eu", token={"command": ["echo", "t"]}, port=1)

    said = orchestrator("check", "fake")

    assert [line.split() for line in said.out.splitlines()] == [["stream", "found", "why"], ["issues", "readable", "–"]]
    assert said.err.splitlines()[-2:] == ["✓ 1 stream can be read", "Next  orchestrator run shop"]
    assert said.exit_code == 0


@pytest.mark.parametrize(
    ("words", "exit_code"), [("403 Client Error: Forbidden", 1), ("401 Client Error: Unauthorized", 4)]
)
def test_a_check_ends_with_1_for_a_stream_and_with_4_for_credentials(orchestrator, shop, words, exit_code):
    shop.source(issues={"rows": 3, "breaks": words})
    shop.behave(region="eu", token={"command": ["echo", "t"]}, port=1)

    assert orchestrator("check", "fake").exit_code == exit_code


def test_a_check_of_a_tap_that_lacks_a_setting_says_so_before_it_starts(orchestrator, shop):
    said = orchestrator("check", "fake")

    assert (said.exit_code, said.err.splitlines()[-1]) == (2, "  hint: orchestrator config fake")
