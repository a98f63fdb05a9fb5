"""A tap of one's own: made, tried and recorded from the command line."""

import shlex

from tests.packages.installed import write_wheels
from tests.workspaces import PROGRAM


def test_a_tap_is_made_and_the_next_command_installs_it(orchestrator, index, tmp_path):
    write_wheels(index.folder, ["singer-sdk", "hatchling", "editables"])
    orchestrator("init")

    made = orchestrator("tap", "new", "files", "--kind", "plain")

    assert made.err.startswith("Created tap-files/   .gitignore, README.md, pyproject.toml, tap_files/__init__.py")
    assert made.next == "orchestrator add-tap ./tap-files"
    added = orchestrator(*shlex.split(made.next)[1:])
    assert added.exit_code == 0, added.err
    special = orchestrator("tap", "new", "special", "--extends", "files", "--json")
    assert special.document["tap"]["base"] == "tap-files"
    assert special.next == "orchestrator add-tap ./tap-special --with ./tap-files"


def test_a_tap_is_recorded_and_the_next_command_installs_the_cassette(orchestrator, index, shop, monkeypatch):
    write_wheels(index.folder, ["hatchling", "editables"])
    shop.source(issues={"rows": 30}, labels={"rows": 2})

    said = orchestrator("tap", "record", "fake", "--records", "5")

    assert "✓ Recorded tap-fake 1.0 in ./cassettes/fake: 7 records of 2 streams\n" in said.err
    assert said.next == "orchestrator add-tap ./cassettes/fake --as fake-cassette"
    assert orchestrator(*shlex.split(said.next)[1:]).exit_code == 0
    ran = orchestrator("run", "fake-cassette", "--json")
    assert ran.document["runs"][0]["run"]["read"] == {"issues": 5, "labels": 2}


def test_a_recording_says_what_it_left_out_and_masked(orchestrator, shop):
    shop.source(issues={"endless": True})
    shop.behave(state_every=5, seconds_a_row=0.01, private_token={"command": ["echo", "issues 7"]})

    said = orchestrator("tap", "record", "fake", "--seconds", "2", "--records", "10", "--to", "elsewhere", "--json")

    assert "note: it is cut short: it was heard for 2 s" in said.err
    assert "note: a secret stood in 1 message, and was masked" in said.err
    assert said.document["cassette"]["label"]["config"]["private_token"] == "***"


def test_a_tap_is_tried_and_what_it_breaks_is_told_with_what_it_means(orchestrator, shop):
    shop.source(issues={"rows": 300}, labels={"rows": 3})
    shop.behave(state_every=50)

    said = orchestrator("tap", "test", "fake")

    assert said.exit_code == 1
    points = said.out.splitlines()
    assert points[0] == "✓ start.options          it names --config, --discover, --catalog and --state in its --help"
    broken = points.index("✗ messages.columns       it sends no column that is not selected")
    assert [line.partition(":")[0].strip() for line in points[broken + 1 : broken + 4]] == ["found", "means", "mend"]
    assert "    not tried: it is told no secret" in points
    assert said.err.splitlines()[-1] == "tap-fake 1.0 keeps 29 of 34 points, breaks 1; 4 could not be tried"


def test_a_trial_is_for_programs_too(orchestrator, shop):
    shop.source(issues={"rows": 3, "key": ["id"]})
    shop.install("config", "state")

    said = orchestrator("tap", "test", "fake", "--json")

    assert (said.exit_code, said.document["name"]) == (1, "tap-fake 1.0")
    (options, *others) = said.document["points"]
    assert (options["id"], options["verdict"]) == ("start.options", "broken")
    assert options["found"] == "it does not name --discover, --catalog"
    assert options["mend"].startswith("take the command line of a library")
    assert {each["verdict"] for each in others} == {"kept", "not tried"}


def test_a_tap_that_keeps_every_point_ends_with_exit_code_0(orchestrator, shop):
    shop.install("about", "catalog", "config", "discover", "state", program=str(PROGRAM.parent / "tap_sdk.py"))
    shop.behave(projects=3)

    said = orchestrator("tap", "test", "fake")

    assert said.exit_code == 0
    assert "breaks" not in said.err
