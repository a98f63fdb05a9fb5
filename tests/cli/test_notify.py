"""`orchestrator notify`, as it is typed."""

import pytest

from orchestrator.state import Notices
from tests.workspaces import wait_until


@pytest.fixture
def told(shop, service):
    shop.notify(name="team", to=service.address, on=["failed", "recovered"])
    return shop


@pytest.mark.usefixtures("shop")
def test_where_nobody_is_told_it_says_so(orchestrator):
    assert "there is no [[notify]]" in orchestrator("notify").err
    assert orchestrator("notify", "test").exit_code == 2
    assert orchestrator("notify", "deliver").err == "There is nothing to tell.\n"


@pytest.mark.usefixtures("told")
def test_a_test_message_is_sent_and_a_service_that_does_not_take_it_is_an_error(orchestrator, service):
    assert orchestrator("notify", "test").err.startswith("✓ team was told")
    assert service.titles == ["team can be told"]

    service.answer = 500
    said = orchestrator("notify", "test", "team")
    assert said.exit_code == 1
    assert said.err.startswith('error: "team" cannot be told\n  cause: ')
    assert said.err.endswith("hint: orchestrator notify test team\n")


def test_what_could_not_be_told_is_shown_until_it_is(orchestrator, told, service):
    service.answer = 500
    told.behave(accidents=[{"after": 2, "exit": 3}])
    assert orchestrator("run", "shop").exit_code == 1
    wait_until(lambda: Notices(told.paths).read().waiting[0].said)

    (row,) = orchestrator("notify", "--json").document["told"]
    assert (row["notify"]["name"], row["waiting"]) == ("team", 1)
    assert "500" in row["said"]
    assert "team could not be told, and 1 message waits: " in orchestrator("status").err
    assert orchestrator("notify").next == "orchestrator notify deliver"


def test_what_is_sent_is_told_and_given(orchestrator, told, service):
    told.behave(accidents=[{"after": 2, "exit": 3}])
    with pytest.raises(Exception, match="exit code 3"):
        told.run()

    said = orchestrator("notify", "deliver", "--json")

    (message,) = said.document["sent"]
    assert (message["to"], message["title"].startswith("shop failed (")) == ("team", True)
    assert "✓ team was told: shop failed" in said.err
    assert orchestrator("status").err == "shop, run 1: tap-fake 1.0 ended with exit code 3 before its end\n"


def test_the_doctor_finds_addresses_that_are_not_there_and_messages_that_wait(orchestrator, told, service):
    told.notify(name="ada", to={"env": "NOT_SET_ANYWHERE"})
    service.answer = 500
    told.behave(accidents=[{"after": 2, "exit": 3}])
    assert 'notify "team": its address is there' in orchestrator("doctor").out
    orchestrator("run", "shop")
    wait_until(lambda: any(each.said for each in Notices(told.paths).read().waiting if each.to == "team"))

    said = orchestrator("doctor").out

    assert '! notify "ada": the variable NOT_SET_ANYWHERE is not set' in said
    assert '! notify "team": 1 messages wait: ' in said
    assert "orchestrator notify test team" in said
