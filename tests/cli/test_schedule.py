"""`orchestrator schedule`, `pause`, `resume`, `up` and `down`, as they are typed."""

import subprocess
import sys

import pytest

from orchestrator import durable
from orchestrator.config import CatchUp, Schedule
from orchestrator.schedule.asking import Ask, ask
from tests.workspaces import wait_until


def test_it_is_written_said_in_words_and_told_with_the_next_three_times(orchestrator, shop):
    said = orchestrator("schedule", "shop", "--every", "15m", "--jitter", "1 min", "--catch-up", "all")

    assert said.exit_code == 0
    first, *times = said.err.splitlines()
    assert first == "✓ shop is due every 15 min, up to 1 min later"
    assert len(times) == 3 + 1
    assert all(time.endswith((":00:00 UTC", ":15:00 UTC", ":30:00 UTC", ":45:00 UTC")) for time in times[:3])
    assert said.next == "orchestrator up"
    assert shop.config.flow("shop").schedule == Schedule(every=900.0, jitter=60.0, catch_up=CatchUp.ALL)


def test_what_is_said_goes_over_what_was_said_before(orchestrator, shop):
    orchestrator("schedule", "shop", "--cron", "0 6 * * 1-5", "--tz", "Europe/Paris", "--jitter", "30s")
    told = orchestrator("schedule", "shop", "--catch-up", "none")
    assert "at 06:00 on Monday through Friday (Europe/Paris), up to 30 s later" in told.err

    orchestrator("schedule", "shop", "--every", "90")

    assert shop.config.flow("shop").schedule == Schedule(every=90.0, jitter=30.0, catch_up=CatchUp.NONE)


def test_without_options_it_is_told_and_off_takes_it_away(orchestrator, shop):
    assert orchestrator("schedule", "shop").err == "shop has no schedule\n"
    before = shop.paths.config.read_text()
    orchestrator("schedule", "shop", "--every", "1 h")
    told = orchestrator("schedule", "shop", "--json").document["scheduled"]
    assert (told["words"], len(told["coming"]), told["schedule"]["every"]) == ("every 1 h", 3, 3600.0)

    assert orchestrator("schedule", "shop", "--off").exit_code == 0

    assert shop.paths.config.read_text() == before


def test_whom_it_comes_after_and_its_priority_are_written_and_said(orchestrator, shop):
    shop.add_flow("report")

    said = orchestrator("schedule", "report", "--every", "1 h", "--after", "shop", "--priority", "-3")

    assert "✓ report is due every 1 h, after shop" in said.err
    report = shop.config.flow("report")
    assert (report.after, report.priority) == (("shop",), -3)


def test_a_circle_is_refused_before_it_is_written(orchestrator, shop):
    shop.add_flow("report", after=["shop"])

    said = orchestrator("schedule", "shop", "--after", "report")

    assert said.exit_code == 2
    assert 'flow "shop": it comes after itself: shop → report → shop' in said.err
    assert shop.config.flow("shop").after == ()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--cron", "0 0 30 2 *"], "whose day-of-month is wrong, or never comes"),
        (["--cron", "0 6 * *"], "it needs five fields"),
        (["--cron", "0 6 * * 8"], "whose day-of-week is wrong"),
        (["--cron", "0 6 * * *", "--tz", "Mars/Crater"], "it must be the name of a time zone"),
        (["--every", "0s"], 'every is "0s"; it must be'),
        (["--every", "soon"], 'every is "soon"; it must be'),
        (["--every", "1h", "--tz", "UTC"], "a time zone goes with cron"),
        (["--every", "1h", "--cron", "0 6 * * *"], "a schedule is either"),
        (["--jitter", "1m"], "a schedule is either"),
        (["--off", "--every", "1h"], "--off takes the schedule away"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place_before_it_is_written(orchestrator, shop, options, complaint):
    before = shop.paths.config.read_text()

    said = orchestrator("schedule", "shop", *options)

    assert said.exit_code == 2
    assert complaint in said.err
    assert shop.paths.config.read_text() == before


def test_a_flow_that_rests_says_so_until_it_is_resumed(orchestrator, shop):
    orchestrator("schedule", "shop", "--every", "1 d")
    assert "never ran" in orchestrator("status").out

    assert orchestrator("pause", "shop").next == "orchestrator resume shop"
    status = orchestrator("status")
    assert "paused" in status.out
    assert "shop is paused: somebody paused it" in status.err
    assert "shop is due again" in orchestrator("resume", "shop").err
    assert "shop was not paused" in orchestrator("resume", "shop").err


@pytest.mark.usefixtures("shop")
def test_a_flow_without_a_schedule_cannot_rest(orchestrator):
    said = orchestrator("pause", "shop")

    assert (said.exit_code, 'flow "shop" has no schedule' in said.err) == (2, True)
    assert 'hint: orchestrator schedule shop --every "15 min"' in said.err


def test_a_damaged_pause_is_one_and_resume_mends_it(orchestrator, shop):
    orchestrator("schedule", "shop", "--every", "1 d")
    orchestrator("pause", "shop")
    shop.paths.pause("shop").write_text("{")

    said = orchestrator("status")

    assert "paused" in said.out
    assert "paused.json is not what was written; orchestrator resume shop removes it" in said.err
    assert orchestrator("resume", "shop").exit_code == 0
    assert "never ran" in orchestrator("status").out


def test_status_tells_who_waits_for_what_while_it_is_up(orchestrator, shop, start):
    shop.behave(seconds_a_row=0.3)
    shop.settle(schedule={"every": "1 s"})
    shop.add_flow("second", schedule={"every": "1 s"}, priority=-1)
    shop.add_flow("report", schedule={"every": "1 s"}, after=["never"])
    shop.add_flow("never")
    assert "Nobody keeps the schedules." in orchestrator("status").err
    up = start("up", "--workers", "1", stderr=subprocess.DEVNULL)

    def waiting():
        told = ask(shop.paths, Ask.STATUS)
        return told and len(told.waiting) == 2

    wait_until(waiting)
    told = orchestrator("status", "--json").document["up"]
    shown = orchestrator("status")
    orchestrator("down")

    assert (told["pid"], told["workers"], told["at_work"][0]["flow"]) == (up.pid, 1, "shop")
    assert {each["flow"]: each["waits_for"] for each in told["waiting"]} == {
        "second": "a worker (1 at work)",
        "report": "never",
    }
    assert "a worker (1 at work)" in shown.out
    assert "Nobody keeps the schedules." not in shown.err


def test_without_its_socket_down_ends_it_all_the_same(orchestrator, shop, start):
    up = start("up")
    wait_until(lambda: ask(shop.paths, Ask.STATUS))
    shop.paths.up_socket.unlink()

    assert orchestrator("down", "--json").document["pid"] == up.pid
    assert up.wait() == 0


def test_one_process_keeps_the_schedules_and_down_ends_it(orchestrator, shop, start):
    assert "Nobody keeps the schedules." in orchestrator("down").err
    up = start("up")
    wait_until(lambda: durable.holder(shop.paths.up))

    second = orchestrator("up")
    assert (second.exit_code, f"(pid {up.pid})" in second.err) == (5, True)
    assert orchestrator("down", "--json").document["pid"] == up.pid
    assert up.wait() == 0


@pytest.mark.skipif(sys.platform != "linux", reason="macOS has another one")
def test_a_service_is_shown_written_and_taken_away(orchestrator, shop, tmp_path):
    services = tmp_path / "config" / "systemd" / "user"
    config = {"XDG_CONFIG_HOME": str(tmp_path / "config")}

    shown = orchestrator("up", "--install", "--print", "--workers", "2", **config)
    assert '"--workers" "2"' in shown.out
    assert not services.exists()

    wrote = orchestrator("up", "--install", "--workers", "2", **config)
    (file,) = services.iterdir()
    assert f"✓ Wrote {file}" in wrote.err
    assert f"systemctl --user enable --now {file.stem}" in wrote.err
    assert f"journalctl --user -u {file.stem} -f" in wrote.err
    assert file.read_text() == shown.out
    assert "is there already" in orchestrator("up", "--install", "--workers", "2", **config).err

    enabled = services / "default.target.wants" / file.name
    enabled.parent.mkdir()
    enabled.symlink_to(file)
    assert f"systemctl --user stop {file.stem}" in orchestrator("up", "--uninstall", **config).err
    assert not file.exists()
    assert not enabled.is_symlink()
    assert "There is no" in orchestrator("up", "--uninstall", **config).err


def test_to_install_and_to_uninstall_exclude_each_other(orchestrator, shop):
    assert orchestrator("up", "--install", "--uninstall").exit_code == 2
    assert orchestrator("up", "--print").exit_code == 2
