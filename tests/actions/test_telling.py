"""What a tap is told is held against what it understands, before it is started."""

import json

import pytest

from orchestrator.actions.starting import prepare
from orchestrator.errors import ConfigError, CredentialsError
from orchestrator.events import Note
from tests.workspaces import TAP, FakeWorkspace


@pytest.fixture
def shop(tmp_path):
    workspace = FakeWorkspace(tmp_path)
    workspace.source(issues={"rows": 1})
    return workspace


def told(shop, **environ):
    """The config that the tap is started with, and the notes that came with it."""
    notes: list[str] = []
    prepared = prepare(
        shop.paths,
        shop.config.tap(TAP),
        lambda event: notes.append(event.text) if isinstance(event, Note) else None,
        environ=environ,
    )
    config = json.loads(prepared.invocation.config)
    del config["streams"]
    return config, notes


HEADER = "[taps.fake.config]"


def test_all_that_is_wrong_is_one_error_that_names_file_and_line_and_shows_no_value(shop):
    shop.describe(
        required=["site", "host"],
        properties={"site": {"type": "string"}, "host": {"type": "string"}, "port": {"type": "integer"}},
    )
    shop.behave(site=31, port="hunter2")
    lines = shop.paths.config.read_text().split("\n")
    at = {key: next(n for n, line in enumerate(lines, 1) if line.startswith(key)) for key in ("site", "port", HEADER)}

    with pytest.raises(ConfigError) as refusal:
        shop.run()

    assert refusal.value.message == 'the settings of tap "fake" have 3 problems'
    file = next(word for word in (refusal.value.cause or "").split() if word.endswith(f":{at['site']}:"))
    path = file.rpartition("orchestrator.toml")[0]
    cause = (refusal.value.cause or "").replace(path, "")
    assert [line.strip() for line in cause.split("\n")] == [
        f'orchestrator.toml:{at[HEADER]}: tap "fake": host is missing; it must be text',
        f'orchestrator.toml:{at["site"]}: tap "fake": site is a whole number; it must be text',
        f'orchestrator.toml:{at["port"]}: tap "fake": port is text; it must be a whole number',
    ]
    assert refusal.value.hint == "orchestrator config fake edit"
    assert shop.runs.numbers() == []


def test_one_problem_is_the_message_itself(shop):
    shop.coded('args = parse_args(["start_date"])')

    with pytest.raises(ConfigError, match=r'orchestrator.toml:\d+: tap "fake": start_date is missing') as refusal:
        shop.run()

    assert refusal.value.hint == "orchestrator config fake"


def test_a_secret_that_is_missing_is_told_with_what_else_is_wrong(shop):
    shop.describe(required=["host"], properties={"host": {"type": "string"}, "token": {"type": "string"}})
    shop.behave(token={"env": "NOT_THERE"})

    with pytest.raises(ConfigError) as refusal:
        told(shop)

    assert "host is missing" in (refusal.value.cause or "")
    assert "token: the variable NOT_THERE is not set" in (refusal.value.cause or "")
    shop.behave(host="h")
    with pytest.raises(CredentialsError):
        told(shop)


def test_what_a_reference_leads_to_becomes_a_value_of_the_kind_of_its_setting(shop):
    shop.describe(properties={"port": {"type": "integer"}, "token": {"type": "string"}})
    shop.behave(port={"env": "PORT"}, token={"env": "TOKEN"})

    assert told(shop, PORT="5432", TOKEN="310")[0] == {"port": 5432, "token": "310"}
    with pytest.raises(ConfigError, match="port must be a whole number"):
        told(shop, PORT="x", TOKEN="310")


def test_a_variable_named_after_the_tap_goes_before_the_file_and_is_read_by_its_kind(shop):
    shop.describe(
        properties={
            "port": {"type": "integer"},
            "login": {"type": "object", "properties": {"user": {"type": "string"}}},
        }
    )
    shop.behave(port=1, other="file")
    environ = {"TAP_FAKE_PORT": "2", "TAP_FAKE_LOGIN_USER": "7", "TAP_FAKE_OTHER": "env", "TAP_FAKE_UNKNOWN": "x"}

    config, _ = told(shop, **environ)

    assert config == {"port": 2, "login": {"user": "7"}, "other": "env"}
    assert told(shop, TAP_FAKE_PORT="")[0]["port"] == 1
    with pytest.raises(ConfigError, match=r'^TAP_FAKE_PORT: tap "fake": port must be a whole number'):
        told(shop, TAP_FAKE_PORT="many")


def test_what_comes_from_a_variable_is_a_problem_of_the_variable(shop):
    shop.describe(properties={"name": {"type": "string", "pattern": "^[a-z]+$"}})

    with pytest.raises(ConfigError, match=r'^TAP_FAKE_NAME: tap "fake": name does not match'):
        told(shop, TAP_FAKE_NAME="Ada")


def test_a_key_that_the_tap_never_reads_is_noted_once(shop):
    shop.coded('REQUIRED_CONFIG_KEYS = ["site"]\ndef sync(args): args.config["site"]; client(base=args.hidden_url)')
    shop.behave(site="s", api_url="u", hidden_url="h")

    config, notes = told(shop)

    assert config == {"site": "s", "api_url": "u", "hidden_url": "h"}
    assert notes == ["tap-fake 1.0 never reads api_url", "tap-fake 1.0 never reads streams"]


def test_of_a_tap_without_code_that_can_be_read_nothing_is_said(shop):
    shop.behave(api_url="u")

    assert told(shop) == ({"api_url": "u"}, [])


def test_a_setting_that_the_tap_calls_secret_is_kept_out_of_print(shop):
    shop.describe(
        properties={"dsn": {"type": "string", "secret": True}, "login": {"properties": {"user": {"writeOnly": True}}}}
    )

    environ = {"TAP_FAKE_DSN": "db-1234", "TAP_FAKE_LOGIN_USER": "ada-1234"}
    prepared = prepare(shop.paths, shop.config.tap(TAP), environ=environ)

    assert prepared.redaction.redact("db-1234 by ada-1234") == "*** by ***"


def test_a_tap_is_given_its_own_variables_and_what_they_lead_to_is_kept_out_of_print(shop):
    shop.choose(env={"ZONE": "eu", "KEY_FILE": {"env": "OURS"}})

    prepared = prepare(
        shop.paths, shop.config.tap(TAP), environ={"OURS": "k-12345", "AWS_SECRET_ACCESS_KEY": "a-12345"}
    )

    assert prepared.invocation.environment == {"ZONE": "eu", "KEY_FILE": "k-12345"}
    assert prepared.redaction.redact("k-12345 a-12345 eu") == "*** *** eu"
    with pytest.raises(CredentialsError, match=r"needs env.KEY_FILE"):
        prepare(shop.paths, shop.config.tap(TAP), environ={})


def test_what_a_tap_inherits_is_named_where_it_stands(shop):
    shop.describe(properties={"port": {"type": "integer"}, "size": {"type": "integer"}})
    shop.behave(port="x")
    with shop.paths.config.open("a") as file:
        file.write('\n[taps.heir]\ninherit = "fake"\n\n[taps.heir.config]\nsize = "y"\n')
    lines = shop.paths.config.read_text().split("\n")

    with pytest.raises(ConfigError) as refusal:
        prepare(shop.paths, shop.config.tap("heir"))

    for line in ('port = "x"', 'size = "y"'):
        assert f":{lines.index(line) + 1}: tap" in (refusal.value.cause or "")
