"""A check says whether a tap is let in and which of its streams can be read, and leaves nothing behind."""

import pytest

from orchestrator.actions.check_tap import TapChecked, Verdict, check_tap
from orchestrator.errors import CredentialsError, SilentTap, TapFailed
from tests.workspaces import TAP, FakeWorkspace, bookmarks_in

FORBIDDEN = "403 Client Error: Forbidden for url: https://source.test/users?token=s3cret-1"
UNAUTHORIZED = "401 Client Error: Unauthorized for url: https://source.test/issues"


@pytest.fixture
def shop(tmp_path):
    return FakeWorkspace(tmp_path)


def check(shop, patience=20.0) -> TapChecked:
    return check_tap(shop.paths, shop.config, TAP, patience=patience)


def verdicts(checked: TapChecked) -> dict[str, Verdict]:
    return {each.stream: each.verdict for each in checked.streams}


def test_a_stream_is_readable_when_a_record_of_it_comes_and_empty_when_there_is_none(shop):
    shop.source(issues={"rows": 3}, labels={"rows": 0}, users={"rows": 1})

    checked = check(shop)

    assert (checked.name, checked.offered) == ("tap-fake 1.0", 3)
    assert verdicts(checked) == {"issues": Verdict.READABLE, "labels": Verdict.EMPTY, "users": Verdict.READABLE}


def test_only_what_is_selected_is_asked_for(shop):
    shop.source(issues={"rows": 3}, users={"breaks": FORBIDDEN, "rows": 1})
    shop.choose(select=["issues"])

    assert verdicts(check(shop)) == {"issues": Verdict.READABLE}


def test_a_stream_that_breaks_the_tap_does_not_hide_the_others(shop):
    shop.source(issues={"rows": 3}, users={"breaks": FORBIDDEN, "rows": 1}, labels={"rows": 2})
    shop.behave(token={"command": ["echo", "s3cret-1"]})

    checked = check(shop)

    assert verdicts(checked) == {
        "issues": Verdict.READABLE,
        "users": Verdict.UNREADABLE,
        "labels": Verdict.READABLE,
    }
    assert checked.streams[1].why == f"RuntimeError: {FORBIDDEN.replace('s3cret-1', '***')}"


def test_a_stream_without_end_does_not_hide_the_others_and_is_not_read_to_its_end(shop):
    shop.source(issues={"endless": True, "method": "FULL_TABLE"}, users={"rows": 1})
    shop.behave(state_every=100)

    assert verdicts(check(shop, patience=0.5)) == {"issues": Verdict.READABLE, "users": Verdict.READABLE}


def test_a_refusal_that_the_tap_gets_over_is_told(shop):
    shop.source(issues={"rows": 3}, users={"rows": 1, "refused": f"ERROR {FORBIDDEN}"})

    users = check(shop).streams[1]

    assert (users.verdict, users.why) == (Verdict.UNREADABLE, f"ERROR {FORBIDDEN}")


def test_a_stream_of_which_the_tap_says_nothing_is_unreadable(shop):
    shop.source(issues={"rows": 3}, users={"rows": 1, "mute": True})

    assert verdicts(check(shop)) == {"issues": Verdict.READABLE, "users": Verdict.UNREADABLE}


def test_a_stream_of_which_nothing_comes_is_given_up(shop):
    shop.source(issues={"rows": 3})
    shop.behave(seconds_a_row=60)

    (issues,) = check(shop, patience=0.3).streams

    assert (issues.verdict, issues.why) == (Verdict.SLOW, "nothing came of it for 0.3 s")


def test_a_source_that_refuses_the_credentials_of_every_stream_refuses_them(shop):
    shop.source(issues={"rows": 3, "breaks": UNAUTHORIZED}, users={"rows": 1, "breaks": UNAUTHORIZED})

    with pytest.raises(CredentialsError, match=r"the source refused the credentials of tap-fake 1.0") as refusal:
        check(shop)

    assert refusal.value.cause == f"RuntimeError: {UNAUTHORIZED}"


def test_a_refusal_in_discovery_is_one_of_the_credentials(shop):
    shop.source(issues={"rows": 3})
    used_up = shop.paths.root / "source"
    used_up.write_text("token-7")
    shop.behave(rotates=str(used_up), login={"token": {"command": ["echo", "token-1"]}})

    with pytest.raises(CredentialsError) as refusal:
        check(shop)

    assert refusal.value.cause == "ERROR 401 Unauthorized: *** was used up"


def test_another_failure_in_discovery_is_none_of_the_credentials(shop):
    shop.source(issues={})

    with pytest.raises(TapFailed, match="in discovery"):
        check(shop)


def test_of_a_tap_without_discovery_what_it_sends_is_told(shop):
    shop.source(issues={"rows": 3}, labels={"rows": 0})
    shop.install("config", "state")

    checked = check(shop)

    assert checked.offered is None
    assert verdicts(checked) == {"issues": Verdict.READABLE, "labels": Verdict.EMPTY}


def test_a_tap_without_discovery_that_says_nothing_was_not_checked(shop):
    shop.source()
    shop.install("config", "state")

    with pytest.raises(SilentTap, match="ended well but said nothing"):
        check(shop)


def test_a_check_leaves_nothing_behind(shop):
    shop.source(issues={"rows": 3})
    shop.run()
    before = sorted(path for path in shop.paths.root.rglob("*") if path.is_file())
    state = shop.held_state()

    check(shop)

    assert sorted(path for path in shop.paths.root.rglob("*") if path.is_file()) == before
    assert shop.held_state() == state
    assert bookmarks_in(state) == {"issues": {"n": 3}}


def test_a_run_that_the_source_refuses_ends_as_one_without_credentials(shop):
    shop.source(issues={"rows": 3, "breaks": UNAUTHORIZED})

    with pytest.raises(CredentialsError) as refusal:
        shop.run()

    assert refusal.value.exit_code == 4
    assert shop.last_run.status.value == "failed"
