"""`orchestrator up` has it told what becomes of flows, and never waits for anybody who is told."""

import signal
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator import durable
from orchestrator.paths import Paths
from orchestrator.schedule.messenger import BETWEEN_LOOKS, Messenger
from orchestrator.state import Notices, Runs
from tests.schedule.test_up import ended, up
from tests.workspaces import FLOW, FakeWorkspace, wait_until

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def sent():
    return []


@pytest.fixture
def messenger(tmp_path, sent):
    (tmp_path / "state").mkdir()
    return Messenger(Paths(tmp_path), sent.append, wanted=True)


@pytest.fixture
def shop(tmp_path, service):
    shop = FakeWorkspace(tmp_path)
    shop.source(issues={"rows": 3})
    shop.settle(schedule={"every": "1 s"}, retries={"attempts": 1})
    shop.notify(name="team", to=service.address, on=["failed", "recovered", "paused"])
    return shop


def test_somebody_looks_each_minute_and_at_once_when_something_happened(messenger, sent):
    for seconds, looks in ((0, 1), (59, 1), (60, 2), (61, 2)):
        messenger.look(NOON + timedelta(seconds=seconds))
        assert len(sent) == looks

    messenger.hurry()
    messenger.look(NOON + timedelta(seconds=62))
    assert len(sent) == 3


def test_a_clock_that_goes_back_keeps_nobody_from_looking(messenger, sent):
    messenger.look(NOON)
    messenger.look(NOON - BETWEEN_LOOKS * 60)

    assert len(sent) == 2


def test_nobody_looks_where_nobody_is_told_or_a_courier_is_on_the_way(messenger, sent):
    with durable.lock(messenger.paths.courier):
        messenger.look(NOON)
    assert sent == []

    messenger.wanted = False
    messenger.look(NOON)
    assert sent == []


def test_a_flow_that_cannot_even_begin_is_told_once_though_up_is_killed_and_so_is_its_recovery(shop, service):
    shop.behave(token={"env": "NOT_SET_ANYWHERE"})
    with up(shop) as process:
        wait_until(lambda: service.taken)
        process.send_signal(signal.SIGKILL)
    failures = len(ended(shop))
    with up(shop):
        wait_until(lambda: len(ended(shop)) > failures + 1)
        assert service.titles == ["shop failed"]

        shop.behave(token="")
        wait_until(lambda: len(service.taken) > 1)

    assert service.titles == ["shop failed", "shop recovered"]
    assert "Run 1 ended with exit code 4: a secret is missing" in service.taken[0]["message"]


def test_a_service_that_hangs_keeps_no_run_from_starting(shop, service):
    service.answer = 0
    shop.behave(accidents=[{"after": 2, "exit": 3}])
    with up(shop):
        wait_until(lambda: service.asked)
        asked_at = len(ended(shop))
        wait_until(lambda: len(ended(shop)) > asked_at + 1)

    assert [message.title.partition(" (")[0] for message in Notices(shop.paths).read().waiting] == ["shop failed"]
    assert Runs(shop.paths, FLOW).last() is not None
