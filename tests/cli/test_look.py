"""Looking around: status, runs, logs, state, doctor."""

import json

import pytest


@pytest.fixture
def ran(shop):
    """Two runs; the second brought nothing."""
    shop.behave(metrics=True)
    shop.run()
    shop.run()
    return shop


def csv(said):
    head, *rows = said.out.splitlines()
    return [dict(zip(head.split(","), row.split(","), strict=True)) for row in rows]


@pytest.mark.usefixtures("ran")
def test_status_shows_the_newest_run_of_each_flow(orchestrator):
    (flow,) = csv(orchestrator("status", "--format", "csv"))

    assert (flow["flow"], flow["run"], flow["status"], flow["rows"]) == ("shop", "2", "succeeded", "0")
    assert 0 < float(flow["bookmark age"]) < 600
    assert " UTC" in orchestrator("status").out
    assert orchestrator("status", "shop", "--json").document["flows"][0]["run"]["number"] == 2


@pytest.mark.usefixtures("shop")
def test_status_shows_a_flow_that_never_ran(orchestrator):
    assert "never ran" in orchestrator("status").out


def test_status_tells_why_the_newest_run_failed(orchestrator, shop):
    shop.behave(accidents=[{"after": 2, "exit": 3}])
    orchestrator("run", "shop")

    assert "shop, run 1: tap-fake 1.0 ended with exit code 3" in orchestrator("status").err


@pytest.mark.usefixtures("ran")
def test_runs_are_listed_newest_first(orchestrator):
    runs = csv(orchestrator("runs", "--format", "csv"))

    assert [(run["run"], run["committed"], run["commits"]) for run in runs] == [("2", "0", "2"), ("1", "3", "1")]
    assert [run["number"] for run in orchestrator("runs", "shop", "--json").document["runs"]] == [2, 1]


def test_only_the_runs_are_listed_that_began_since_or_failed(orchestrator, ran):
    ran.behave(accidents=[{"after": 0, "exit": 3}])
    orchestrator("run", "shop")

    def numbers(*options):
        return [run["number"] for run in orchestrator("runs", *options, "--json").document["runs"]]

    second = ran.runs.find(2).started
    assert numbers("--failed") == [3]
    assert numbers("shop", "--since", second) == [3, 2]
    assert numbers("--since", "1 h") == [3, 2, 1]
    assert numbers("--since", "2100-01-01") == []
    refused = orchestrator("runs", "--since", "morning")
    assert (refused.exit_code, "morning is no time" in refused.err) == (2, True)


@pytest.mark.usefixtures("ran")
def test_of_a_run_all_is_told_that_is_known(orchestrator):
    said = orchestrator("runs", "show", "1")

    facts = dict(line.split(maxsplit=1) for line in said.out.partition("\n\n")[0].splitlines())
    assert (facts["run"], facts["status"], facts["to"]) == ("1 of shop", "succeeded", "warehouse")
    assert said.out.splitlines()[-1].split() == ["issues", "3", "3", "0"]
    assert orchestrator("runs", "show", "shop", "1", "--json").document["run"]["committed"] == {"issues": 3}
    assert said.next == "orchestrator logs shop --run 1"


@pytest.mark.usefixtures("ran")
@pytest.mark.parametrize("words", [("9",), ("shop",), ("shop", "1", "2")])
def test_a_run_that_is_none_is_refused(orchestrator, words):
    assert orchestrator("runs", "show", *words).exit_code == 2


@pytest.mark.usefixtures("shop")
def test_before_the_first_run_the_way_to_one_is_told(orchestrator):
    said = orchestrator("runs")

    assert (said.out, said.next) == ("", "orchestrator run shop")


@pytest.mark.usefixtures("ran")
def test_logs_are_those_of_the_newest_run_or_of_the_one_that_is_named(orchestrator):
    newest, first = orchestrator("logs", "shop"), orchestrator("logs", "shop", "--run", "1")

    assert '"value": 3' in first.out
    assert '"value": 3' not in newest.out


@pytest.mark.usefixtures("ran")
def test_the_state_is_shown_by_stream_and_exported_word_for_word(orchestrator, ran):
    assert orchestrator("state", "show", "shop").out == "stream  bookmark\nissues  3\n"
    assert orchestrator("state", "export", "shop").out == ran.held_state().decode() + "\n"
    shown = orchestrator("state", "show", "shop", "--json").document
    assert (shown["commit"], shown["state"]) == (2, json.loads(ran.held_state()))


@pytest.mark.usefixtures("ran")
def test_the_history_has_every_commit(orchestrator):
    said = orchestrator("state", "history", "shop", "--json")

    assert [(each["commit"], each["run"], each["rows"]) for each in said.document["commits"]] == [
        (1, 1, {"issues": 3}),
        (2, 2, {}),
    ]
    assert "issues 3" in orchestrator("state", "history", "shop").out


def test_a_state_that_was_exported_can_be_set_again(orchestrator, ran):
    exported = orchestrator("state", "export", "shop").out
    reset = orchestrator("state", "reset", "shop", "--yes")
    assert "✓ The next run reads everything" in reset.err
    assert reset.next == "orchestrator run shop"

    said = orchestrator("state", "set", "shop", stdin=exported)

    assert said.exit_code == 0
    assert ran.bookmarks == {"issues": {"n": 3}}


@pytest.mark.usefixtures("ran")
@pytest.mark.parametrize(
    ("words", "stdin", "complaint", "hint"),
    [
        (["reset", "shop"], "", "this needs a yes", "orchestrator state reset shop --yes"),
        (["set", "shop"], "{", 'the state for "shop" is not JSON', "orchestrator state export shop"),
        (["set", "shop", "no.json"], "", "invalid value for '[FILE]'", "orchestrator state set --help"),
        (["show", "shp"], "", 'there is no flow "shp"', 'did you mean "shop"?'),
    ],
)
def test_a_change_of_the_state_that_cannot_be_meant_changes_nothing(orchestrator, ran, words, stdin, complaint, hint):
    said = orchestrator("state", *words, stdin=stdin)

    assert said.exit_code == 2
    assert f"error: {complaint}" in said.err
    assert said.err.endswith(f"hint: {hint}\n")
    assert ran.bookmarks == {"issues": {"n": 3}}


@pytest.mark.usefixtures("shop")
def test_a_state_that_is_not_there_yet_is_no_output(orchestrator):
    assert orchestrator("state", "show", "shop").next == "orchestrator run shop"
    assert (orchestrator("state", "export", "shop").exit_code, orchestrator("state", "export", "shop").out) == (2, "")


# ── doctor ───────────────────────────────────────────────────────────────────────────────────────


def verdicts(said):
    return {check["name"]: (check["verdict"], check["hint"]) for check in said.document["checks"]}


def test_the_doctor_finds_what_would_keep_a_run_from_working(orchestrator, shop):
    shop.run()
    shop.paths.receipt("fake").unlink()
    shop.paths.state.chmod(0o755)
    shop.behave(token={"env": "NOT_THERE"})
    (shop.paths.root / "data" / "warehouse.duckdb").write_bytes(b"no database")

    said = orchestrator("doctor", "--json")

    found = verdicts(said)
    assert said.exit_code == 1
    assert found["programs"][0] == "ok"
    assert found['tap "fake"'] == ("fail", "orchestrator install")
    assert found['settings of "fake"'] == ("fail", "export NOT_THERE=...")
    assert found["privacy"] == ("warn", f"chmod -R go= {shop.paths.state}")
    assert found['destination "warehouse"'][0] == "fail"
    assert found['destination "scratch"'][0] == "ok"
    assert "✗ tap" in orchestrator("doctor").out


def test_a_report_tells_what_an_issue_needs_and_no_secret(orchestrator, shop):
    shop.behave(token={"secret": "a"}, url="postgres://ada:hunter22@db.test/shop", confess=True)
    orchestrator("secret", "set", "a", stdin="hunter23")
    shop.source(issues={"rows": 1, "breaks": "what is wrong with hunter23?"})
    orchestrator("run", "shop")

    said = orchestrator("doctor", "--report")

    assert {"system", "python", "duckdb", "uv"} <= {*said.document["versions"]}
    assert said.document["taps"][0]["told"]["token"] == {"secret": "a"}
    (flow,) = said.document["flows"]
    assert flow["run"]["error"]["cause"] == "RuntimeError: what is wrong with ***?"
    assert flow["last_words"][-1] == "RuntimeError: what is wrong with ***?"
    assert "hunter2" not in said.out


def test_a_report_is_there_where_the_config_cannot_be_read(orchestrator, shop):
    shop.paths.config.write_text("[taps.fake]\npackge = 1\n")

    said = orchestrator("doctor", "--report")

    assert [each["name"] for each in said.document["checks"] if each["verdict"] == "fail"] == ["orchestrator.toml"]


def test_a_config_that_cannot_be_read_is_told_with_its_line(orchestrator, shop):
    shop.paths.config.write_text("[taps.fake]\npackge = 1\n")

    said = orchestrator("doctor", "--format", "csv")

    assert said.exit_code == 1
    assert "orchestrator.toml:2" in said.out


def test_a_workspace_in_order_ends_with_0(orchestrator, tmp_path):
    orchestrator("init")

    said = orchestrator("doctor")

    assert said.exit_code == 0
    assert "will be made by the first run" in said.out


def test_a_destination_in_use_is_told_and_not_waited_for(orchestrator, shop, start):
    import duckdb

    shop.run()
    with duckdb.connect(str(shop.paths.root / "data" / "warehouse.duckdb")):
        said = orchestrator("doctor", "--json")

    assert verdicts(said)['destination "warehouse"'][0] == "warn"


def test_two_runs_are_compared_and_what_they_ran_with(orchestrator, shop):
    shop.run()
    shop.settle(commit_rows=7)
    shop.run()

    said = orchestrator("runs", "diff", "1", "2")

    assert (said.exit_code, said.err) == (0, "One of them did not write down its packages.\n")
    assert "rows of issues" in said.out
    assert "flow.commit_rows  1000000  7" in said.out
    document = orchestrator("runs", "diff", "shop", "1", "2", "--json").document["compared"]
    assert [change["setting"] for change in document["settings"]] == ["flow.commit_rows"]
    assert document["before"]["committed"] == {"issues": 3}


@pytest.mark.parametrize("words", [["1"], ["shop", "1"], ["shop", "one", "2"], ["shop", "1", "9"], ["gone", "1", "1"]])
def test_runs_that_cannot_be_compared_are_refused(orchestrator, shop, words):
    shop.run()

    said = orchestrator("runs", "diff", *words)

    assert (said.exit_code, said.out) == (2, "")
    assert "hint: " in said.err
