"""Messages about flows: each once, to whom they are for, whatever happens to who brings them."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.actions.deliver import deliver, send_trial, told
from orchestrator.actions.take_notice import take_notice
from orchestrator.api import Workspace
from orchestrator.errors import CredentialsError, NotTold, OrchestratorError, TapFailed, UnknownName, UsageError
from orchestrator.state import Notices, Pause, Plans
from tests.faults.telling import told_though_killed
from tests.workspaces import FLOW, FakeWorkspace, wait_until


@pytest.fixture
def workspace(tmp_path, service):
    workspace = FakeWorkspace(tmp_path)
    workspace.source(issues={"rows": 3})
    workspace.notify(name="team", to=service.address)
    return workspace


def fail(workspace, code=3):
    workspace.behave(accidents=[{"after": 2, "exit": code}])
    with pytest.raises(TapFailed):
        workspace.run()


def succeed(workspace):
    workspace.behave(accidents=[])
    workspace.run()


def sent(workspace, **options):
    return [message.title.partition(" (")[0] for message in deliver(workspace.paths, workspace.config, **options)]


def waiting(workspace):
    return Notices(workspace.paths).read().waiting


def let_time_pass(workspace, seconds):
    """What waits was tried so much longer ago."""
    path = workspace.paths.notices
    noted = json.loads(path.read_text())
    for message in noted["waiting"]:
        for member in ("at", "next"):
            message[member] = (datetime.fromisoformat(message[member]) - timedelta(seconds=seconds)).isoformat()
    path.write_text(json.dumps(noted))


def test_a_failure_is_told_once_and_its_end_once(workspace, service):
    fail(workspace)
    fail(workspace)
    assert sent(workspace) == ["shop failed"]
    fail(workspace)
    assert sent(workspace) == []

    succeed(workspace)
    assert sent(workspace) == ["shop recovered"]
    succeed(workspace)
    assert sent(workspace) == []

    assert service.titles == ["shop failed", "shop recovered"]
    assert service.taken[1]["message"].startswith("It was failing since 20")
    body = service.taken[0]["message"]
    assert body.startswith("Run 2 ended with exit code 1: the run failed.\nIt failed 2 times in a row.")
    assert body.endswith("orchestrator runs show shop 2")


def test_no_record_no_word_of_a_tap_and_no_secret_is_in_a_message(workspace, service, monkeypatch):
    monkeypatch.setenv("THE_TOKEN", "t0p-secret")
    workspace.behave(token={"env": "THE_TOKEN"}, confess=True)
    of_ada = '{"type": "RECORD", "stream": "issues", "record": {"id": "Ada"}}'
    workspace.behave(accidents=[{"after": 2, "babble": of_ada}])
    with pytest.raises(OrchestratorError, match="Ada"):
        workspace.run()

    sent(workspace)

    said = json.dumps(service.taken)
    assert "shop failed" in said
    assert "Ada" not in said
    assert "t0p-secret" not in said


def test_a_run_that_cannot_even_begin_is_told_as_well_and_its_end(workspace, service):
    workspace.behave(token={"env": "NOT_SET_ANYWHERE"})
    for _ in range(2):
        with pytest.raises(CredentialsError):
            workspace.run()
    assert sent(workspace) == ["shop failed"]

    workspace.behave(token="")
    succeed(workspace)

    assert sent(workspace) == ["shop recovered"]
    assert [(run.number, run.exit_code) for run in workspace.runs.all()] == [(1, 4), (2, 4), (3, 0)]
    assert service.taken[0]["message"].startswith("Run 2 ended with exit code 4: a secret is missing")


def test_what_was_typed_wrong_is_no_failure_of_a_flow(workspace):
    with pytest.raises(UsageError):
        workspace.run(from_commit=1, full_refresh=None)

    assert (workspace.runs.all(), sent(workspace)) == ([], [])


def test_columns_that_are_others_are_told(workspace, service):
    succeed(workspace)
    sent(workspace)
    workspace.source(issues={"rows": 5, "nested": True, "key": ["n"]})
    succeed(workspace)

    assert sent(workspace) == ["shop: columns changed"]
    assert sent(workspace) == []

    lines = service.taken[-1]["message"].splitlines()
    assert lines[0] == "the key of issues: id → n"
    assert lines[1].startswith("issues.author: new → ")
    assert lines[-1] == "orchestrator runs diff shop 1 2"


def test_late_and_paused_are_told_by_whoever_looks(workspace, service):
    workspace.settle(schedule={"every": "1 h"})
    succeed(workspace)
    noon = datetime.now(UTC).replace(minute=30) + timedelta(hours=2)

    take_notice(workspace.paths, workspace.config, workspace.config.flows.values(), noon)
    assert [message.title.partition(" (")[0] for message in waiting(workspace)] == ["shop is late"]
    Plans(workspace.paths).pause(FLOW, Pause("", "it failed 10 times in a row"))
    take_notice(workspace.paths, workspace.config, workspace.config.flows.values(), noon)

    late, paused = waiting(workspace)
    assert "Its last commit is of " in late.body
    assert "Its schedule rests: it failed 10 times in a row." in paused.body


def test_each_hears_what_it_asked_for_and_the_end_of_what_it_heard(tmp_path, service):
    workspace = FakeWorkspace(tmp_path)
    workspace.source(issues={"rows": 3})
    workspace.notify(name="failures", to=service.address, on=["failed", "recovered"])
    workspace.notify(name="delays", to=service.address, on=["late", "recovered"])
    workspace.notify(name="others", to=service.address, flows=["billing-*"])
    fail(workspace)
    take_notice(workspace.paths, workspace.config, workspace.config.flows.values())
    succeed(workspace)
    take_notice(workspace.paths, workspace.config, workspace.config.flows.values())

    assert [(message.to, message.title.partition(" (")[0]) for message in waiting(workspace)] == [
        ("failures", "shop failed"),
        ("failures", "shop recovered"),
    ]


@pytest.mark.parametrize("how", ["refuses", "answers 500", "hangs"])
def test_a_service_that_takes_nothing_is_asked_again_after_a_pause_and_gets_each_message_once(workspace, service, how):
    match how:
        case "refuses":
            workspace.notify(name="team", to="json://127.0.0.1:1/hook")
        case "answers 500":
            service.answer = 500
        case "hangs":
            service.answer = 0
            workspace.notify(name="team", to=f"{service.address}?rto=0.5")
    fail(workspace)

    assert sent(workspace) == []
    asked = service.asked
    assert sent(workspace) == []
    assert service.asked == asked
    (message,) = waiting(workspace)
    assert (message.attempts, bool(message.said)) == (1, True)
    (one,) = told(workspace.paths, workspace.config)
    assert (one.waiting, one.said) == (1, message.said)

    service.answer = 200
    workspace.notify(name="team", to=service.address)
    let_time_pass(workspace, 60)
    assert sent(workspace) == ["shop failed"]
    assert (waiting(workspace), service.titles) == ((), ["shop failed"])


def test_pauses_grow_and_after_three_days_nobody_is_told(workspace, service):
    service.answer = 503
    fail(workspace)
    pauses = []
    for _ in range(4):
        sent(workspace)
        (message,) = waiting(workspace)
        pauses.append(round((message.next - datetime.now(UTC)).total_seconds(), -1))
        let_time_pass(workspace, 3600)
    assert pauses == [30, 60, 120, 240]

    let_time_pass(workspace, 3 * 86400)
    service.answer = 200
    assert (sent(workspace), waiting(workspace)) == ([], ())


def test_a_run_leaves_its_message_to_a_process_of_its_own(workspace, service):
    workspace.behave(accidents=[{"after": 2, "exit": 3}])
    with pytest.raises(TapFailed):
        Workspace(workspace.paths).run(FLOW)

    wait_until(lambda: service.taken)

    assert service.titles == ["shop failed"]
    wait_until(lambda: not waiting(workspace))


def test_a_run_ends_as_ever_though_nothing_can_be_noted(workspace):
    workspace.paths.notices.mkdir(parents=True)

    assert Workspace(workspace.paths).run(FLOW).run.committed == {"issues": 3}


def test_a_courier_that_is_killed_while_the_service_answers_loses_nothing(workspace, service):
    service.answer = 0
    fail(workspace)
    command = [sys.executable, "-m", "orchestrator", "notify", "deliver"]
    courier = subprocess.Popen(command, cwd=workspace.paths.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: service.asked)
    os.kill(courier.pid, signal.SIGKILL)
    courier.wait()
    service.answer = 200

    assert sent(workspace) == ["shop failed"]
    assert sent(workspace) == []


def test_couriers_that_are_killed_at_any_moment_lose_nothing(tmp_path):
    told = told_though_killed(tmp_path / "killed", kills=6, seed=2)

    assert (told.lost, told.waiting) == (0, 0)


def test_what_was_told_is_not_told_again_by_whoever_comes_later(workspace, service):
    fail(workspace)
    commands = [[sys.executable, "-m", "orchestrator", "notify", "deliver"]] * 3
    couriers = [
        subprocess.Popen(command, cwd=workspace.paths.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for command in commands
    ]

    assert [courier.wait() for courier in couriers] == [0, 0, 0]
    assert service.titles == ["shop failed"]


def test_a_damaged_memory_is_begun_anew(workspace, service):
    fail(workspace)
    sent(workspace)
    workspace.paths.notices.write_text("{")

    assert sent(workspace) == ["shop failed"]


def test_nobody_hears_of_a_flow_or_waits_for_one_that_is_gone(workspace, service):
    service.answer = 500
    fail(workspace)
    sent(workspace)
    workspace.unnotify()
    let_time_pass(workspace, 3600)

    assert (sent(workspace), waiting(workspace)) == ([], ())


def test_a_trial_reaches_whom_it_is_for(workspace, service):
    assert send_trial(workspace.paths, workspace.config) == ("team",)

    assert service.titles == ["team can be told"]
    service.answer = 500
    with pytest.raises(NotTold, match='"team" cannot be told'):
        send_trial(workspace.paths, workspace.config, "team")
    with pytest.raises(UnknownName, match=r'there is no \[\[notify\]\] "taem"'):
        send_trial(workspace.paths, workspace.config, "taem")


def test_an_address_is_a_secret_and_stays_one(workspace, service, monkeypatch):
    address = service.address.replace("json://", "json://ada:p4ssw0rd@") + "/T0KEN-of-the-hook?+X-Key=k3y-in-query"
    monkeypatch.setenv("HOOK", address)
    workspace.notify(name="team", to={"env": "HOOK"})
    assert send_trial(workspace.paths, workspace.config) == ("team",)

    monkeypatch.setenv("HOOK", "json://ada:p4ssw0rd@ T0KEN-of-the-hook")
    with pytest.raises(NotTold) as failure:
        send_trial(workspace.paths, workspace.config)
    # The service is named in what went wrong; here that is what its path lets in with.
    monkeypatch.setenv("HOOK", "json://127.0.0.1:1/127.0.0.1")
    with pytest.raises(NotTold, match=r"\*\*\*") as quoted:
        send_trial(workspace.paths, workspace.config)
    monkeypatch.delenv("HOOK")
    with pytest.raises(NotTold, match="cannot be told") as missing:
        send_trial(workspace.paths, workspace.config)

    assert "T0KEN" not in str(failure.value) + str(missing.value)
    assert "127.0.0.1" not in str(quoted.value)
    assert missing.value.cause == "the variable HOOK is not set"
