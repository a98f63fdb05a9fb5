"""`orchestrator run` and `replay`: what is shown meanwhile, and what they end with."""

import shlex
import signal
import time

import pytest

from orchestrator import durable
from tests.cli.terminal import on_a_terminal
from tests.workspaces import wait_until


def add_flow(shop, name, tap="fake", to="warehouse"):
    with shop.paths.config.open("a") as file:
        file.write(f'\n[[flows]]\nname = "{name}"\nfrom = "{tap}"\nto = "{to}"\n')


def test_a_run_says_what_it_brought_and_the_command_that_shows_it(orchestrator, shop):
    said = orchestrator("run", "shop")

    assert (said.exit_code, said.out) == (0, "")
    first, last, _ = said.err.splitlines()
    assert first == "shop  tap-fake 1.0 → warehouse  run 1"
    assert last.startswith("✓ 3 rows in 1 commit, ")
    assert last.endswith(" s; bookmark saved with them")
    assert orchestrator(*shlex.split(said.next)[1:], "--format", "csv").out.count("\n") == 1 + 3


@pytest.mark.parametrize(("name", "to"), [("my-shop", "warehouse"), ("select", "warehouse"), ("other", "scratch")])
def test_the_next_command_runs_as_printed_whatever_the_flow_is_called(orchestrator, shop, name, to):
    add_flow(shop, name, to=to)

    said = orchestrator("run", name)

    assert orchestrator(*shlex.split(said.next)[1:]).exit_code == 0


def test_a_second_run_says_that_there_was_nothing_new(orchestrator, shop):
    orchestrator("run", "shop")

    said = orchestrator("run", "shop")

    assert "✓ Nothing new at the source, " in said.err
    assert said.next == "orchestrator status"


def test_json_is_one_document_on_stdout(orchestrator, shop):
    run = orchestrator("run", "shop", "--json").document["runs"][0]

    assert (run["flow"], run["run"]["number"], run["run"]["status"]) == ("shop", 1, "succeeded")
    assert (run["run"]["committed"], run["bookmarks"]) == ({"issues": 3}, {"issues": "3"})


def test_each_state_may_close_a_commit(orchestrator, shop):
    shop.behave(state_every=1)

    said = orchestrator("run", "shop", "--commit-rows", "1")

    assert "✓ 3 rows in 4 commits" in said.err


def test_streams_are_read_from_the_beginning_when_asked_for(orchestrator, shop):
    shop.source(issues={"rows": 3}, projects={"rows": 2})
    orchestrator("run", "shop")

    def rows(*words):
        return orchestrator("run", "shop", "--json", *words).document["runs"][0]["run"]["committed"]

    assert rows() == {}
    assert rows("--full-refresh", "projects") == {"projects": 2}
    assert rows("--full-refresh", "projects", "--full-refresh", "issues") == {"projects": 2, "issues": 3}
    assert rows("--full-refresh") == {"projects": 2, "issues": 3}


def test_a_run_can_start_from_an_earlier_commit(orchestrator, shop):
    shop.behave(state_every=1)
    orchestrator("run", "shop", "--commit-rows", "1")

    said = orchestrator("run", "shop", "--from-commit", "2", "--json")

    assert said.document["runs"][0]["run"]["committed"] == {"issues": 1}


def test_of_several_flows_each_runs_and_the_worst_end_counts(orchestrator, shop):
    add_flow(shop, "other")
    with shop.paths.config.open("a") as file:
        file.write('\n[taps.gone]\npackage = "tap-gone"\n')
    add_flow(shop, "gone", tap="gone")

    said = orchestrator("run", "gone", "shop", "other", "--json")

    gone, shop_, other = said.document["runs"]
    assert said.exit_code == gone["error"]["exit_code"] == 8
    assert (gone["number"], gone["error"]["hint"]) == (None, "orchestrator install")
    assert [each["run"]["status"] for each in (shop_, other)] == ["succeeded", "succeeded"]


def test_all_flows_run_with_all(orchestrator, shop):
    add_flow(shop, "other")

    assert [run["flow"] for run in orchestrator("run", "--all", "--json").document["runs"]] == ["shop", "other"]


def test_a_tap_that_dies_ends_it_with_its_last_words_and_what_became_of_the_data(orchestrator, shop):
    shop.behave(accidents=[{"after": 2, "exit": 3}])

    said = orchestrator("run", "shop", "--json")

    assert said.exit_code == 1
    error = said.document["runs"][0]["error"]
    assert error["message"] == "tap-fake 1.0 ended with exit code 3 before its end"
    assert said.document["runs"][0]["number"] == 1
    assert f"error: {error['message']}\n  cause: {error['cause']}\n  data: {error['data']}\n" in said.err


def test_lines_that_cannot_land_are_counted_and_the_next_command_shows_them(orchestrator, shop):
    shop.behave(accidents=[{"after": 2, "babble": "INFO not a message"}])
    strict = orchestrator("run", "shop")
    shop.settle(on_bad_line="quarantine")

    said = orchestrator("run", "shop")

    assert (strict.exit_code, said.exit_code) == (1, 0)
    assert "error: line 3: not a Singer message: b'INFO not a message'" in strict.err
    assert "✓ 3 rows in 1 commit, " in said.err
    assert "  1 line could not land and went to quarantine\n" in said.err
    (row,) = orchestrator(*shlex.split(said.next)[1:], "--json").document["rows"]
    assert (row["run"], row["line"], row["text"]) == (2, 3, "INFO not a message")


def test_a_tap_that_says_nothing_but_noise_has_failed_and_the_noise_is_kept(orchestrator, shop):
    shop.behave(accidents=[{"after": 0, "babble": "INFO not a message", "exit": 0}])
    shop.settle(on_bad_line="quarantine")

    said = orchestrator("run", "shop")

    assert said.exit_code == 1
    assert "error: tap-fake 1.0 " in said.err
    rows = orchestrator("query", "from _orchestrator.quarantine", "--json").document["rows"]
    assert [row["text"] for row in rows] == ["INFO not a message"]


def test_a_run_that_fails_says_whether_that_may_pass_and_where_the_next_one_goes_on(orchestrator, shop):
    shop.source(issues={"rows": 6})
    shop.behave(state_every=2, accidents=[{"after": 5, "exit": 3}])
    said = orchestrator("run", "shop", "--commit-rows", "1", "--json")

    error = said.document["runs"][0]["error"]
    assert (error["temporary"], said.exit_code) == (True, 1)
    assert error["data"] == "2 rows are committed; what came after commit 1 is read again by the next run"
    assert "\n  retry: this may pass by itself\n  hint: orchestrator logs shop\n" in said.err

    shop.source(issues={"rows": 6, "breaks": "401 Client Error: Unauthorized for url"})
    said = orchestrator("run", "shop", "--json")

    assert (said.document["runs"][0]["error"]["temporary"], said.exit_code) == (False, 4)
    assert "\n  retry: this does not pass by itself\n  hint: " in said.err


@pytest.mark.parametrize(
    ("words", "complaint", "hint"),
    [
        ([], "which flow shall run?", "orchestrator run shop"),
        (["shp"], 'there is no flow "shp"', 'did you mean "shop"?'),
        (["shop", "--all"], "--all and the names of flows contradict", "orchestrator run --all"),
        (["shop", "--from-commit", "9"], "there is no commit 9", "orchestrator state history shop"),
        (["shop", "--commit-rows", "x"], "invalid value for '--commit-rows'", "orchestrator run --help"),
        (["shop", "--retry", "--full-refresh"], "each further try", "the same command without --retry"),
        (["--wait", "shop"], "--wait is told 'shop', which is no number of seconds", "orchestrator run shop --wait"),
    ],
)
def test_a_run_that_cannot_be_meant_ends_with_2(orchestrator, shop, words, complaint, hint):
    said = orchestrator("run", *words)

    assert said.exit_code == 2
    assert f"error: {complaint}" in said.err
    assert said.err.endswith(f"hint: {hint}\n")


def test_without_a_flow_the_way_to_one_is_told(orchestrator, tmp_path):
    orchestrator("init")

    assert (
        orchestrator("run").err
        == "error: there is no flow yet\n  cause: orchestrator.toml names none\n  hint: orchestrator add-tap NAME\n"
    )


def test_a_flow_that_is_running_is_not_started_again(orchestrator, shop, start):
    shop.source(issues={"endless": True})
    shop.behave(seconds_a_row=0.01, state_every=5)
    running = start("run", "shop", "--commit-rows", "1")
    wait_until(lambda: shop.runs.last())

    said = orchestrator("run", "shop")

    assert said.exit_code == 5
    assert f"pid {running.pid}" in said.err
    assert f"  {running.pid}\n" in orchestrator("status").out


def test_asked_to_it_tries_again_what_may_pass_and_goes_on_from_the_last_commit(orchestrator, shop):
    shop.source(issues={"rows": 10})
    # Four rows, and it breaks; the third attempt comes to its end before that.
    shop.behave(state_every=2, accidents=[{"after": 1 + 4 + 2, "exit": 3}])
    shop.settle(retries={"attempts": 3, "backoff": "0.1 s"})

    said = orchestrator("run", "shop", "--commit-rows", "1", "--retry", "--json")

    assert said.exit_code == 0
    assert ["error" in run for run in said.document["runs"]] == [True, True, False]
    assert [run.committed for run in shop.runs.all()] == [{"issues": 4}, {"issues": 4}, {"issues": 2}]
    assert said.err.count("shop is tried again in 0.") == 2


def test_what_does_not_pass_and_what_failed_often_enough_is_not_tried_again(orchestrator, shop):
    shop.settle(retries={"attempts": 2, "backoff": "0.1 s"})
    shop.source(issues={"rows": 3, "breaks": "503 Server Error: Service Unavailable"})
    assert orchestrator("run", "shop", "--retry").exit_code == 1
    assert len(shop.runs.all()) == 2

    shop.source(issues={"rows": 3, "breaks": "401 Client Error: Unauthorized for url"})
    assert orchestrator("run", "shop", "--retry").exit_code == 4
    assert len(shop.runs.all()) == 3


def test_asked_to_wait_a_run_begins_when_the_one_before_it_has_ended(orchestrator, shop, start):
    go_on = shop.paths.root / "go on"
    shop.behave(accidents=[{"after": 2, "await": str(go_on)}])
    first = start("run", "shop")
    wait_until(lambda: shop.runs.last())

    waited = orchestrator("run", "shop", "--wait", "0.2")
    second = start("run", "shop", "--wait")
    told = second.stderr.readline()
    go_on.touch()

    assert waited.exit_code == 5
    assert waited.err.splitlines()[0].startswith(f'waiting: "shop" is running (pid {first.pid}, started 20')
    assert waited.err.endswith("  hint: orchestrator run shop --wait\n")
    assert told == waited.err.splitlines(keepends=True)[0]
    assert (first.wait(20), second.wait(20)) == (0, 0)
    assert [run.status for run in shop.runs.all()] == ["succeeded", "succeeded"]
    assert shop.numbers("issues") == [1, 2, 3]


def test_whoever_waits_for_a_run_can_be_stopped(orchestrator, shop, start):
    with durable.lock(shop.paths.running("shop"), note="pid 1"):
        waiting = start("run", "shop", "--wait")
        assert waiting.stderr.readline() == 'waiting: "shop" is running (pid 1)\n'
        waiting.send_signal(signal.SIGTERM)

        assert waiting.wait(20) == 143


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_it_after_a_commit(shop, start, number, exit_code):
    shop.source(issues={"endless": True})
    shop.behave(seconds_a_row=0.01, state_every=5)
    running = start("run", "shop", "--commit-rows", "1")
    wait_until(lambda: shop.commits)

    running.send_signal(number)

    _, err = running.communicate(timeout=20)
    assert running.returncode == exit_code
    assert 'error: run 1 of "shop" was stopped' in err
    assert shop.last_run.status == "stopped"


def test_a_second_signal_stops_it_at_once(shop, start):
    shop.source(first={"rows": 1}, issues={"endless": True})
    shop.behave(seconds_a_row=0.01, state_every=0)
    running = start("run", "shop", "--commit-rows", "1")
    wait_until(lambda: shop.commits)
    # From here on rows come, and no STATE that could close a commit.
    time.sleep(0.5)

    running.send_signal(signal.SIGTERM)
    wait_until(lambda: "asked once more, it stops at once" in running.stderr.readline())
    running.send_signal(signal.SIGTERM)

    assert running.stderr.readline() == "error: stopped at once\n"
    assert running.wait(timeout=20) == 143


def test_on_a_terminal_a_table_shows_where_the_run_stands(shop, tmp_path):
    shop.source(issues={"rows": 40})
    shop.behave(seconds_a_row=0.02, state_every=10)

    screen = on_a_terminal("run", "shop", "--commit-rows", "10", at=tmp_path)

    assert "shop  tap-fake 1.0 → warehouse  run 1  00:00" in screen
    assert "stream  read  committed" in screen
    assert "issues    40         40" in screen
    assert "✓ 40 rows in 5 commits" in screen


def test_colour_is_left_out_when_it_is_not_wanted(tmp_path):
    assert "\x1b[31m" in on_a_terminal("status", at=tmp_path, NO_COLOR="")
    assert "\x1b[" not in on_a_terminal("status", at=tmp_path, NO_COLOR="1")


# ── replay ───────────────────────────────────────────────────────────────────────────────────────


def test_a_rehearsal_tells_what_a_replay_would_bring_and_the_command_for_it(orchestrator, shop):
    orchestrator("run", "shop")

    said = orchestrator("replay", "shop", "--run", "1", "--to", "scratch", "--dry-run")

    assert said.out == "stream  rows\nissues     3\n"
    assert "Run 1 would bring 3 rows to scratch. Nothing was loaded" in said.err
    assert said.next == "orchestrator replay shop --run 1 --to scratch"


def test_a_replay_brings_the_rows_again_and_the_next_command_shows_them(orchestrator, shop):
    orchestrator("run", "shop")

    said = orchestrator("replay", "shop", "--run", "1", "--to", "scratch", "--json")

    assert said.document["run"]["replay_of"] == 1
    assert orchestrator(*shlex.split(said.next)[1:], "--format", "csv").out.count("\n") == 1 + 3


@pytest.mark.parametrize(
    ("words", "complaint", "hint"),
    [
        (["shop", "--run", "7"], 'there is no run 7 of "shop"', "orchestrator runs shop"),
        (["shop"], "missing option '--run'", "orchestrator replay --help"),
        (["shop", "--run", "1", "--to", "lake"], 'there is no destination "lake"', "orchestrator doctor"),
    ],
)
def test_a_replay_that_cannot_be_meant_ends_with_2(orchestrator, shop, words, complaint, hint):
    orchestrator("run", "shop")

    said = orchestrator("replay", *words)

    assert said.exit_code == 2
    assert f"error: {complaint}" in said.err
    assert said.err.endswith(f"hint: {hint}\n")
