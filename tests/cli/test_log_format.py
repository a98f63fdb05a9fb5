"""What is said to programs: lines of JSON on stderr, and the log of a tap."""

import json

import pytest

from tests.schedule.test_up import up
from tests.workspaces import wait_until


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def test_a_run_says_all_in_lines_of_json(orchestrator, shop):
    said = orchestrator("run", "shop", "--log-format", "json")

    told = lines(said.err)
    assert [each.get("event") for each in told] == ["run_started", "committed", "run_ended"]
    assert {(each["flow"], each["run"], each["level"]) for each in told} == {("shop", 1, "info")}
    assert told[1]["rows"] == {"issues": 3}
    assert (told[2]["status"], told[2]["committed"], told[2]["commits"]) == ("succeeded", {"issues": 3}, 1)
    assert all(each["at"].endswith("Z") for each in told)


def test_an_error_is_one_line_that_tells_of_which_run(orchestrator, shop):
    shop.behave(accidents=[{"after": 2, "exit": 3}])

    said = orchestrator("run", "shop", ORCHESTRATOR_LOG_FORMAT="json")

    *_, error = lines(said.err)
    assert said.exit_code == 1
    assert (error["level"], error["event"], error["flow"], error["run"]) == ("error", "error", "shop", 1)
    assert (error["exit_code"], error["temporary"]) == (1, True)
    assert error["message"] == "tap-fake 1.0 ended with exit code 3 before its end"
    assert error["hint"] == "orchestrator logs shop"


def test_what_was_typed_wrong_is_a_line_as_well(orchestrator, shop):
    (error,) = lines(orchestrator("run", "nope", "--log-format=json").err)

    assert (error["exit_code"], error["message"]) == (2, 'there is no flow "nope" in orchestrator.toml')


def test_what_steers_a_terminal_is_escaped_in_json(orchestrator, shop):
    shop.behave(accidents=[{"after": 2, "raise": "\x1b[31mred\u202e"}])

    said = orchestrator("run", "shop", "--log-format=json")

    assert "\x1b" not in said.err
    assert "\u202e" not in said.err
    assert lines(said.err)


def test_up_says_what_its_runs_say(shop):
    shop.settle(schedule={"every": "1 s"})
    log = shop.paths.root / "up.log"
    with up(shop, "--log-format", "json"):
        wait_until(lambda: "run_ended" in log.read_text())

    told = lines(log.read_text())
    assert {each.get("event") for each in told} >= {None, "run_started", "committed", "run_ended"}
    assert any(each["message"].startswith("note: shop started for") for each in told)


def test_the_log_of_a_tap_as_json_tells_run_level_and_stream(orchestrator, shop):
    shop.behave(metrics=True, accidents=[{"after": 2, "log": "WARNING no such thing"}])
    shop.run()

    warning, metric = lines(orchestrator("logs", "shop", "--json").out)

    assert warning == {"flow": "shop", "run": 1, "level": "warning", "stream": None, "message": "WARNING no such thing"}
    assert (metric["level"], metric["stream"]) == ("info", "issues")
    assert orchestrator("logs", "shop").out.splitlines()[0] == "WARNING no such thing"


def test_a_log_is_followed_while_the_run_lasts(start, shop):
    mark = shop.paths.root / "go-on"
    shop.behave(
        accidents=[{"after": 1, "log": "INFO one"}, {"after": 2, "await": str(mark)}, {"after": 3, "log": "INFO two"}]
    )
    running = start("run", "shop")
    wait_until(lambda: shop.paths.tap_log("shop", 1).exists())
    following = start("logs", "shop", "--follow", "--json")
    assert json.loads(following.stdout.readline())["message"] == "INFO one"

    mark.touch()

    assert [each["message"] for each in lines(following.stdout.read())] == ["INFO two"]
    assert (following.wait(), running.wait()) == (0, 0)


@pytest.mark.usefixtures("shop")
def test_a_form_that_is_none_is_refused(orchestrator):
    assert orchestrator("status", "--log-format", "yaml").exit_code == 2
