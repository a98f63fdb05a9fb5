"""What programs are told of a run, held against docs/reference/run.md."""

import json
import re
import subprocess

import pytest

from orchestrator.state import Run
from tests.cli.conftest import COMMAND, surroundings
from tests.docs.markdown import ROOT

REFERENCE = (ROOT / "docs/reference/run.md").read_text()


def documented(head):
    """The members that the table with this head names, in its order."""
    section = REFERENCE.split(f"| {head} |")[1].split("\n\n")[0]
    rows = [line.split("|")[1] for line in section.splitlines()[2:]]
    return [name for row in rows for name in re.findall(r"`(\w+)`", row)]


def answered(said):
    assert said.out.count("\n") == 1
    return json.loads(said.out)


@pytest.mark.parametrize("options", [(), ("--log-format", "json")])
def test_a_good_run_answers_what_is_documented_on_one_line(orchestrator, shop, options):
    document = answered(orchestrator("run", "shop", "--json", *options))

    assert [*document] == ["schema", "runs"]
    (run,) = document["runs"]
    assert [*run] == documented("in a good RUN")
    assert sorted(run["run"]) == sorted(documented("in a record"))
    assert (run["run"]["committed"], run["run"]["exit_code"]) == ({"issues": 3}, 0)


def test_a_bad_run_answers_what_is_documented(orchestrator, shop):
    shop.behave(accidents=[{"after": 2, "exit": 3}])

    said = orchestrator("run", "shop", "--json")

    (run,) = answered(said)["runs"]
    assert [*run] == documented("in a bad RUN")
    assert [*run["error"]] == documented("in an ERROR")
    assert (run["number"], run["error"]["exit_code"], run["error"]["temporary"]) == (1, said.exit_code, True)


def test_what_keeps_every_flow_from_running_is_an_error_alone(orchestrator, shop):
    shop.paths.config.write_text("flows = 3")

    document = answered(orchestrator("run", "--all", "--json"))

    assert [*document] == ["schema", "error"]
    assert {*document["error"]} <= {*documented("in an ERROR")}


def test_the_answer_is_the_last_line_where_both_streams_go_the_same_way(shop, tmp_path):
    def last_line():
        command = [*COMMAND, "run", "shop", "--json"]
        ended = subprocess.run(
            command, cwd=tmp_path, env=surroundings(), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        return ended.stdout.splitlines()[-1]

    assert json.loads(last_line())["runs"][0]["run"]["status"] == "succeeded"
    shop.behave(accidents=[{"after": 2, "exit": 3}])
    assert json.loads(last_line())["runs"][0]["error"]["exit_code"] == 1


def test_every_member_of_a_record_is_documented():
    assert sorted(documented("in a record")) == sorted(Run.__slots__)


def test_lines_of_json_are_those_that_are_documented(orchestrator, shop):
    good = orchestrator("run", "shop", "--log-format", "json").err
    shop.behave(accidents=[{"after": 2, "exit": 3}])
    bad = orchestrator("run", "shop", "--log-format", "json").err
    section = REFERENCE.split("| `event` | beside it |")[1].split("\n\n")[0]
    more = {row.split("|")[1].strip(" `"): row.split("|")[2] for row in section.splitlines()[2:]}

    for line in (good + bad).splitlines():
        told = json.loads(line)
        beside = re.findall(r"`(\w+)`", more[told["event"]])
        assert {*told} <= {*documented("in a line"), "event", *beside}
        assert {*told} >= {*documented("in a line"), "event", *(beside if told["event"] != "error" else ())}
