"""A secret that stands in orchestrator.toml is refused, with the command that moves it into the vault."""

import pytest

from orchestrator.actions.doctor import Verdict, doctor
from orchestrator.actions.literals import Moved, move_literals
from orchestrator.actions.starting import prepare
from orchestrator.config import Reference
from orchestrator.errors import ConfigError
from orchestrator.secrets import surely_names_a_secret
from orchestrator.secrets.vault import Vault
from tests.workspaces import TAP, FakeWorkspace


@pytest.fixture
def shop(tmp_path):
    workspace = FakeWorkspace(tmp_path)
    workspace.source(issues={"rows": 1})
    return workspace


def refusal(shop, tap=TAP):
    with pytest.raises(ConfigError) as refused:
        prepare(shop.paths, shop.config.tap(tap))
    return refused.value


def line(shop, text):
    return next(n for n, line in enumerate(shop.paths.config.read_text().split("\n"), 1) if text in line)


def held(shop):
    return {name: kept.value for name, kept in Vault(shop.paths).read().secrets.items()}


def test_a_secret_by_its_name_is_refused_with_its_line_and_the_command_that_moves_it(shop):
    shop.behave(private_token="glpat-1")

    refused = refusal(shop)

    at = f"orchestrator.toml:{line(shop, 'private_token')}"
    assert refused.message.endswith(f'{at}: tap "fake": private_token is a secret, and stands there for all to read')
    assert (refused.hint or "").startswith("orchestrator secret move fake ")
    assert "glpat-1" not in str(refused)


def test_a_secret_that_the_tap_declares_is_refused_whatever_its_name(shop):
    shop.describe(properties={"dsn": {"type": "string", "secret": True}, "user": {"type": "string"}})
    shop.behave(dsn="db-1234", user="ada")

    assert 'tap "fake": dsn is a secret' in refusal(shop).message


def test_all_that_stand_there_are_told_at_once_wherever_they_are(shop):
    shop.behave(login={"password": "a"}, accounts=[{"name": "b", "api_key": "c"}], keys={"secrets": ["d"]})
    shop.choose(env={"SHOP_TOKEN": "e", "ZONE": "eu"})

    cause = (refusal(shop).cause or "").split("\n")

    assert [each.rpartition(" ")[2] for each in cause] == [
        "login.password",
        "accounts.0.api_key",
        "keys.secrets.0",
        "SHOP_TOKEN",
    ]


@pytest.mark.parametrize(
    "config",
    [
        {"private_token": {"env": "TOKEN"}},
        {"password": ""},
        {"token": True},
        {"credentials": "service.json"},
        {"credentials": {"user": "ada"}},
        {"token_url": "https://gitlab.com/oauth"},
    ],
)
def test_what_is_no_secret_or_only_refers_to_one_is_let_through(shop, monkeypatch, config):
    monkeypatch.setenv("TOKEN", "glpat-1")
    shop.behave(**config)

    assert prepare(shop.paths, shop.config.tap(TAP)).name == "tap-fake 1.0"


def test_a_variable_that_goes_before_the_file_does_not_excuse_it(shop, monkeypatch):
    monkeypatch.setenv("TAP_FAKE_TOKEN", "glpat-1")
    shop.behave(token="glpat-2")

    assert "token is a secret" in refusal(shop).message


def test_doctor_tells_of_it(shop):
    shop.behave(token="glpat-1")

    check = next(each for each in doctor(shop.paths) if each.name == 'settings of "fake"')

    assert (check.verdict, (check.hint or "").split("  ")[0]) == (Verdict.FAIL, "orchestrator secret move fake")


def test_they_are_moved_into_the_vault_and_the_tap_is_told_the_same(shop):
    config = {
        "login": {"password": "a", "user": "ada"},
        "accounts": [{"name": "b", "api_key": "c"}, {"api_key": 31}],
        "url": "postgres://ada:secret@host/shop",
        "pages": 3,
    }
    shop.behave(**config)
    shop.choose(env={"SHOP_TOKEN": "e", "ZONE": "eu"})
    shop.paths.config.write_text(shop.paths.config.read_text().replace("pages = 3", "pages = 3  # not four"))

    moved = move_literals(shop.paths, TAP)

    assert Moved("fake", "login.password", "fake.login.password") in moved
    assert held(shop) == {
        "fake.login.password": "a",
        "fake.accounts.0.api_key": "c",
        "fake.accounts.1.api_key": "31",
        "fake.url": "postgres://ada:secret@host/shop",
        "fake.SHOP_TOKEN": "e",
    }
    prepared = prepare(shop.paths, shop.config.tap(TAP))
    told = prepared.own.told
    assert (told["login"], told["url"], told["pages"]) == (config["login"], config["url"], 3)
    assert told["accounts"] == [{"name": "b", "api_key": "c"}, {"api_key": "31"}]
    assert prepared.invocation.environment == {"SHOP_TOKEN": "e", "ZONE": "eu"}
    text = shop.paths.config.read_text()
    assert "pages = 3  # not four" in text
    assert "secret@host" not in text
    assert move_literals(shop.paths, TAP) == ()


def test_what_a_tap_inherits_is_moved_where_it_stands(shop):
    shop.behave(token="glpat-1")
    with shop.paths.config.open("a") as file:
        file.write('\n[taps.heir]\ninherit = "fake"\n\n[taps.heir.config]\npassword = "own"\n')
    assert refusal(shop, "heir").message.startswith("2 secrets stand in ")

    move_literals(shop.paths, "heir")

    assert held(shop) == {"heir.password": "own", "fake.token": "glpat-1"}
    assert shop.config.tap("fake").config["token"] == Reference("secret", "fake.token")
    assert prepare(shop.paths, shop.config.tap("heir")).own.told["password"] == "own"


@pytest.mark.parametrize("name", ["private_token", "apiKey", "client-secret", "passwords", "AWS_SECRET_ACCESS_KEY"])
def test_a_name_that_leaves_no_doubt(name):
    assert surely_names_a_secret(name)


@pytest.mark.parametrize("name", ["credentials", "cookie", "authorization", "token_url", "primary_key", "path"])
def test_a_name_that_leaves_some(name):
    assert not surely_names_a_secret(name)
