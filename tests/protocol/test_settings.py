"""What a tap understands: read from the schema of --about, merged, and the values that a person's words become."""

import pytest

from orchestrator.protocol.about import account_of_schema
from orchestrator.protocol.departures import departures, missing, unread
from orchestrator.protocol.settings import (
    Account,
    Kind,
    Misfit,
    Setting,
    Source,
    at,
    merged,
    put,
)

SCHEMA = {
    "type": "object",
    "required": ["token", "region", "host"],
    "properties": {
        "token": {"type": ["string"], "secret": True, "description": "Made under Profile."},
        "region": {"type": "string", "default": "eu"},
        "host": {"type": "string"},
        "port": {"type": ["integer", "null"]},
        "ratio": {"type": ["number", "integer"]},
        "verify": {"type": "boolean"},
        "since": {"type": ["string", "null"], "format": "date-time"},
        "mode": {"oneOf": [{"const": "full"}, {"const": "new"}]},
        "level": {"type": ["string", "null"], "enum": ["low", "high", None]},
        "ids": {"type": ["array", "null"], "items": {"type": ["integer"]}},
        "login": {
            "type": ["object", "null"],
            "required": ["user"],
            "properties": {"user": {"type": "string"}, "password": {"type": "string", "writeOnly": True}},
        },
        "maps": {"type": "object"},
        "either": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
    },
}
ABOUT = account_of_schema(SCHEMA)


def setting(name: str) -> Setting:
    return next(each for each in ABOUT.settings if each.name == name)


def test_the_schema_of_about_tells_kinds_choices_secrets_and_what_is_required():
    assert {each.name: each.kind.name for each in ABOUT.settings} == {
        "token": "TEXT",
        "region": "TEXT",
        "host": "TEXT",
        "port": "INTEGER",
        "ratio": "NUMBER",
        "verify": "BOOLEAN",
        "since": "DATE",
        "mode": "ANY",
        "level": "TEXT",
        "ids": "LIST",
        "login.user": "TEXT",
        "login.password": "TEXT",
        "maps": "TABLE",
        "either": "ANY",
    }
    assert [each.name for each in ABOUT.settings if each.required] == ["token", "host"]
    assert [each.name for each in ABOUT.settings if each.secret] == ["token", "login.password"]
    assert (setting("mode").choices, setting("level").choices) == (("full", "new"), ("low", "high"))
    assert setting("token").description == "Made under Profile."


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("host", "310", "310"),
        ("host", '{"a": 1}', '{"a": 1}'),
        ("port", " 5432 ", 5432),
        ("ratio", "0.5", 0.5),
        ("verify", "no", False),
        ("since", "2026-01-01", "2026-01-01"),
        ("since", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("mode", "new", "new"),
        ("ids", "1, 2", [1, 2]),
        ("ids", "[1, 2]", [1, 2]),
        ("ids", "", []),
        ("maps", '{"a": null}', {"a": None}),
        ("either", "310", 310),
        ("either", "three", "three"),
    ],
)
def test_a_text_becomes_a_value_of_the_kind_of_its_setting(name, text, value):
    assert setting(name).parse(text) == value
    assert type(setting(name).parse(text)) is type(value)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("port", "54.32", "a whole number"),
        ("port", "", "a whole number"),
        ("ratio", "true", "a number"),
        ("verify", "perhaps", "true or false"),
        ("since", "yesterday", "a date or a time, such as 2026-01-01 or 2026-01-01T00:00:00Z"),
        ("mode", "all", "one of full, new"),
        ("ids", "1,b", "a whole number"),
        ("ids", "[1,", 'a list, such as a,b or ["a", "b"]'),
        ("maps", "[1]", 'a table, such as {"key": "value"}'),
    ],
)
def test_a_text_that_is_no_such_value_is_refused_with_what_it_must_be(name, text, words):
    with pytest.raises(Misfit) as misfit:
        setting(name).parse(text)

    assert str(misfit.value) == words


def test_where_the_tap_itself_would_take_a_text_a_text_stays_one():
    assert Setting(("deleted",), default="false").parse("true") == "true"
    assert Setting(("deleted",)).parse("true") is True


def test_what_one_account_leaves_open_the_next_may_tell_and_the_first_decides_what_is_required():
    code = Account(Source.CODE, (Setting(("a",), required=True), Setting(("b",), kind=Kind.TEXT)))
    hub = Account(
        Source.HUB,
        (
            Setting(("a",), kind=Kind.DATE, description="When."),
            Setting(("b",), kind=Kind.INTEGER, required=True, secret=True),
            Setting(("c",), required=True),
        ),
    )

    a, b, c = merged([code, hub])

    assert (a.required, a.kind, a.description) == (True, Kind.DATE, "When.")
    assert (b.required, b.kind, b.secret) == (False, Kind.TEXT, True)
    assert not c.required
    assert [each.name for each in merged([hub]) if each.required] == ["b", "c"]


def test_everything_wrong_is_found_and_no_value_is_shown():
    config = {"token": 31, "port": "5o", "level": "middle", "login": {"password": "hunter2"}, "ids": [1, "hunter2"]}

    sentences = [each.text for each in departures(ABOUT, config)]

    assert sentences == [
        "host is missing; it must be text",
        "token is a whole number; it must be text",
        "port is text; it must be a whole number",
        "level must be one of low, high",
        "ids.1 is text; it must be a whole number",
        "login lacks user",
    ]


def test_a_config_that_the_tap_takes_has_nothing_wrong_with_it():
    config = {"token": "t", "host": "h", "port": None, "ids": [1], "login": {"user": "ada"}, "either": 3, "more": 1}

    assert departures(ABOUT, config) == []
    assert unread((ABOUT,), config) == ["more"]


def test_a_schema_that_is_broken_in_one_place_still_tells_of_the_others():
    """That of tap-rest-api-msdk 1.4.2 has the text "null" among the forms of a value."""
    account = account_of_schema(
        {"properties": {"a": {"anyOf": [{"type": "string"}, "null"]}, "b": {"type": "integer"}}, "required": ["a"]}
    )

    assert [each.text for each in departures(account, {"b": "x"})] == [
        "a is missing; it must be text",
        "b is text; it must be a whole number",
    ]
    assert departures(account, {"a": 3, "b": 3}) == []


def test_a_schema_may_refer_to_its_own_parts():
    """As that of a pydantic model does."""
    login = {"type": "object", "properties": {"key": {"type": "string"}, "next": {"$ref": "#/$defs/Login"}}}
    properties = {"mode": {"$ref": "#/$defs/Mode"}, "login": {"$ref": "#/$defs/Login"}, "gone": {"$ref": "#/x"}}
    account = account_of_schema(
        {
            "$defs": {"Mode": {"type": "string", "enum": ["a", "b"]}, "Login": login},
            "properties": properties,
            "required": ["mode"],
        }
    )

    mode, key, inner, _ = account.settings
    assert (mode.name, mode.kind, mode.choices, mode.required) == ("mode", Kind.TEXT, ("a", "b"), True)
    assert (key.name, key.kind, inner.name, inner.kind) == ("login.key", Kind.TEXT, "login.next", Kind.TABLE)
    assert [each.text for each in departures(account, {"mode": "c", "login": {"key": 1}, "gone": 1})] == [
        "mode must be one of a, b",
        "login.key is a whole number; it must be text",
    ]


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"properties": None, "required": True},
        {"properties": {"a": True, "b": {"type": None, "enum": None, "oneOf": {}, "required": True}}},
        {"properties": {"a": {"pattern": "("}}},
    ],
)
def test_a_schema_that_is_none_is_no_reason_to_stop(schema):
    account = account_of_schema(schema)

    assert departures(account, {"a": "x", "b": 1}) == []


def test_without_a_schema_kinds_are_checked_and_a_number_may_be_written_as_text():
    account = Account(Source.CODE, (Setting(("groups",), kind=Kind.TEXT), Setting(("port",), kind=Kind.INTEGER)))

    assert [each.text for each in departures(account, {"groups": 310, "port": "x"})] == [
        "groups is a whole number; it must be text",
        "port is text; it must be a whole number",
    ]
    assert departures(account, {"groups": "310", "port": "5432"}) == []


def test_an_account_that_cannot_tell_what_is_required_misses_nothing():
    account = Account(Source.CODE, (Setting(("a",), required=True),), knows_required=False)

    assert missing(account, {}) == []


def test_a_config_is_read_and_changed_at_a_place_in_its_tables():
    config = {"a": {"b": 1}, "c": 2}

    assert (at(config, ("a", "b")), at(config, ("c", "b")), at(config, ("x",))) == (1, None, None)
    assert put(config, ("a", "d"), 3) == {"a": {"b": 1, "d": 3}, "c": 2}
    assert put(config, ("c", "d"), 3) == {"a": {"b": 1}, "c": {"d": 3}}
    assert config == {"a": {"b": 1}, "c": 2}
