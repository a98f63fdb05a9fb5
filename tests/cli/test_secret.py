"""`orchestrator secret` keeps secrets without ever showing one."""

import pytest

from orchestrator.config import Reference
from orchestrator.secrets.identity import make_identity
from orchestrator.secrets.vault import Vault
from tests.cli.terminal import on_a_terminal


def held(shop):
    return {name: kept.value for name, kept in Vault(shop.paths).read().secrets.items()}


def test_a_secret_is_taken_from_a_pipe_and_the_identity_is_told_once(orchestrator, shop):
    first = orchestrator("secret", "set", "gitlab-token", stdin="hunter22\n")
    second = orchestrator("secret", "set", "key", stdin="-----BEGIN-----\nabc\n-----END-----\n\n")

    assert (first.exit_code, first.out, second.exit_code) == (0, "", 0)
    assert [line.partition(" identity in ")[0] for line in first.err.splitlines()] == [
        "✓ gitlab-token is kept in secrets.age",
        "It is encrypted for the",
        'Refer to it in orchestrator.toml: { secret = "gitlab-token" }',
    ]
    assert "identity" not in second.err
    assert held(shop) == {"gitlab-token": "hunter22", "key": "-----BEGIN-----\nabc\n-----END-----\n"}


def test_a_secret_is_asked_for_on_a_terminal_and_not_echoed(shop):
    written = on_a_terminal("secret", "set", "token", at=shop.paths.root, typed=[("token (secret): ", "hunter22\n")])

    assert "hunter22" not in written
    assert held(shop) == {"token": "hunter22"}


def test_a_secret_is_never_an_argument(orchestrator, shop):
    said = orchestrator("secret", "set", "token", "hunter22")

    assert said.exit_code == 2
    assert not shop.paths.vault.exists()


def test_an_empty_secret_is_refused(orchestrator, shop):
    said = orchestrator("secret", "set", "token")

    assert (said.exit_code, said.err.splitlines()[0]) == (2, 'error: the secret "token" is empty')


def test_secrets_are_listed_with_who_refers_to_them(orchestrator, shop):
    shop.behave(token={"secret": "a"})
    shop.choose(env={"KEY": {"secret": "b"}})
    shop.notify(name="team", to={"secret": "c"})
    for name in "abcd":
        orchestrator("secret", "set", name, stdin="hunter22")

    table = orchestrator("secret", "list")
    document = orchestrator("secret", "list", "--json").document

    who = [("a", "fake", "–"), ("b", "fake", "–"), ("c", "–", "team"), ("d", "–", "–")]
    assert [tuple(line.split()[each] for each in (0, -2, -1)) for line in table.out.splitlines()[1:]] == who
    assert [(each["name"], each["taps"], each["notify"]) for each in document["secrets"]] == [
        ("a", ["fake"], []),
        ("b", ["fake"], []),
        ("c", [], ["team"]),
        ("d", [], []),
    ]
    assert "hunter22" not in table.out + table.err + str(document)


def test_a_secret_that_is_removed_is_gone_and_who_needs_it_is_told(orchestrator, shop):
    shop.behave(token={"secret": "a"})
    shop.notify(name="team", to={"secret": "a"})
    orchestrator("secret", "set", "a", stdin="hunter22")

    refused = orchestrator("secret", "remove", "a")
    wrong = orchestrator("secret", "remove", "aa")
    removed = orchestrator("secret", "remove", "a", "--yes")

    assert (refused.exit_code, refused.err.splitlines()[-1]) == (2, "  hint: orchestrator secret remove a --yes")
    assert (wrong.exit_code, wrong.err.splitlines()[-1]) == (2, '  hint: did you mean "a"?')
    assert removed.err.splitlines() == [
        "✓ a is gone from secrets.age",
        'note: tap "fake" still refers to it',
        'note: [[notify]] "team" still refers to it, and is told of nothing without it',
    ]
    assert held(shop) == {}
    run = orchestrator("run", "shop")
    assert (run.exit_code, run.err.splitlines()[-1]) == (4, "  hint: orchestrator secret set a")


def test_a_team_shares_the_vault(orchestrator, shop, tmp_path):
    orchestrator("secret", "set", "a", stdin="hunter22")
    ada = {"XDG_CONFIG_HOME": str(tmp_path / "ada")}

    refused = orchestrator("secret", "list", **ada)
    key = orchestrator("secret", "identity", **ada).out.strip()
    added = orchestrator("secret", "recipients", "add", "ada", key)

    assert refused.exit_code == 4
    assert refused.err.splitlines()[0] == "error: there is no identity here that opens secrets.age"
    assert key == make_identity(ada).recipient
    assert [line.split()[0] for line in added.out.splitlines()[1:]][-1] == "ada"
    assert orchestrator("secret", "list", **ada).out.splitlines()[1].split()[0] == "a"
    document = orchestrator("secret", "recipients", "list", "--json", **ada).document
    assert [each["here"] for each in document["recipients"]] == [False, True]


def test_doctor_tells_whether_the_vault_opens_here(orchestrator, shop, tmp_path):
    def found(**environ):
        checks = {each["name"]: each for each in orchestrator("doctor", "--json", **environ).document["checks"]}
        return checks.get("secrets", {}).get("verdict")

    mine = {"XDG_CONFIG_HOME": str(tmp_path / "mine")}
    assert found(**mine) is None
    orchestrator("secret", "set", "a", stdin="hunter22", **mine)

    assert found(**mine) == "ok"
    assert found(XDG_CONFIG_HOME=str(tmp_path / "empty")) == "fail"
    (tmp_path / "mine" / "orchestrator" / "identity.txt").chmod(0o644)
    assert found(**mine) == "warn"


def test_nobody_locks_themselves_out(orchestrator, shop, tmp_path):
    orchestrator("secret", "set", "a", stdin="hunter22")
    ada = {"XDG_CONFIG_HOME": str(tmp_path / "ada")}
    orchestrator("secret", "recipients", "add", "ada", orchestrator("secret", "identity", **ada).out.strip())

    own = orchestrator("secret", "recipients", "remove", "ada", **ada)
    other = orchestrator("secret", "recipients", "remove", "ada")

    assert (own.exit_code, other.exit_code) == (2, 0)
    assert own.err.splitlines()[0] == 'error: "ada" is the identity that is here'
    assert orchestrator("secret", "list", **ada).exit_code == 4


def test_what_stands_in_the_file_is_moved_by_the_command_that_the_error_names(orchestrator, shop):
    shop.behave(private_token="hunter22")

    refused = orchestrator("run", "shop")
    moved = orchestrator("secret", "move", "fake")

    assert refused.exit_code == 2
    assert refused.err.splitlines()[-1].split("   ")[0] == "  hint: orchestrator secret move fake"
    assert moved.err.splitlines()[0] == '✓ private_token of tap "fake" is kept in secrets.age, as fake.private_token'
    assert "hunter22" not in refused.err + moved.err + shop.paths.config.read_text()
    assert orchestrator("run", "shop").exit_code == 0
    assert orchestrator("secret", "move", "fake").err == 'No secret stands in the settings of tap "fake".\n'


def test_what_is_typed_for_a_setting_goes_to_the_vault_and_away_with_it(orchestrator, shop):
    shop.describe(properties={"token": {"type": "string", "secret": True}, "keys": {"type": "array", "secret": True}})

    orchestrator("config", "fake", "set", "token=hunter22", 'keys=["one", "two"]', "db.password=three")

    told = shop.config.tap("fake").config
    assert told["token"] == Reference("secret", "fake.token")
    assert told["keys"] == [Reference("secret", "fake.keys.0"), Reference("secret", "fake.keys.1")]
    assert held(shop) == {
        "fake.token": "hunter22",
        "fake.keys.0": "one",
        "fake.keys.1": "two",
        "fake.db.password": "three",
    }
    orchestrator("config", "fake", "unset", "token", "keys")
    assert held(shop) == {"fake.db.password": "three"}


@pytest.mark.parametrize(
    "reference", ['{"secret": "shared"}', '{"command": ["echo", "hunter22"]}', '{"file": "token"}', '{"env": "TOKEN"}']
)
def test_a_setting_refers_to_wherever_a_secret_is(orchestrator, shop, reference):
    shop.behave(confess=True)
    orchestrator("secret", "set", "shared", stdin="hunter22")
    (shop.paths.root / "token").write_text("hunter22\n")
    orchestrator("config", "fake", "set", f"token={reference}")

    shown = orchestrator("config", "fake", TOKEN="hunter22")
    run = orchestrator("run", "shop", TOKEN="hunter22")

    assert reference in shown.out
    assert run.exit_code == 0, run.err
    log = shop.paths.tap_log("shop", 1).read_text()
    assert '"token": "***"' in log


@pytest.mark.parametrize("written", ['"pass show x"', "[]", "[1]", "{}"])
def test_a_command_that_is_no_list_of_words_is_a_problem_of_the_file(orchestrator, shop, written):
    with shop.paths.config.open("a") as file:
        file.write(f'\n[taps.other]\npackage = "x"\n[taps.other.config]\ntoken = {{ command = {written} }}\n')

    said = orchestrator("config", "other", "list")

    assert said.exit_code == 2
    assert 'it must be a list of words: ["PROGRAM", "ARGUMENT"]' in said.err


@pytest.mark.usefixtures("shop")
def test_a_secret_that_is_typed_as_an_argument_is_not_repeated(orchestrator):
    said = orchestrator("secret", "set", "a", "hunter22")

    assert said.exit_code == 2
    assert said.err.startswith("error: a secret is never an argument\n")
    assert said.err.endswith("hint: orchestrator secret set a\n")
    assert "hunter22" not in said.out + said.err


def test_a_password_in_an_address_is_pointed_out(orchestrator, shop):
    shop.behave(url="postgres://ada:hunter22@db.test/shop")

    found = {each["name"]: each for each in orchestrator("doctor", "--json").document["checks"]}

    assert found['settings of "fake"']["verdict"] == "warn"
    assert found['settings of "fake"']["hint"] == "orchestrator secret move fake"
    assert orchestrator("secret", "move", "fake").exit_code == 0
    found = {each["name"]: each for each in orchestrator("doctor", "--json").document["checks"]}
    assert found['settings of "fake"']["verdict"] == "ok"
