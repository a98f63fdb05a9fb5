"""Secrets do not reach a log, however a tap spells them."""

import base64
import json
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.config import Reference
from orchestrator.secrets import Redaction, names_a_secret

SECRET = """gl/pat+ä "1"'&x="""


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {SECRET}",
        f"GET /projects?{urlencode({'private_token': SECRET})}",
        f"GET /{quote(SECRET)}/projects",
        f"https://ada:{quote(SECRET, safe='')}@gitlab.com",
        json.dumps({"token": SECRET}),
        json.dumps({"token": SECRET}, ensure_ascii=False),
        repr({"token": SECRET}),
        base64.b64encode(SECRET.encode()).decode(),
    ],
)
def test_a_secret_is_masked_in_every_spelling(text):
    redacted = Redaction([SECRET]).redact(text)

    assert "***" in redacted
    assert "pat" not in redacted
    assert base64.b64encode(SECRET.encode()).decode() not in redacted


@given(st.binary(max_size=20), st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=6), st.binary())
def test_a_secret_amid_other_bytes_in_base64_is_masked(before, secret, after):
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = encode(before + secret.encode() + after).decode()

        assert "***" in Redaction([secret]).redact(text)


def test_the_rest_of_a_text_stays():
    assert Redaction(["hunter22"]).redact("user ada, password hunter22, retry 3") == "user ada, password ***, retry 3"


def test_a_secret_that_contains_another_one_is_masked_whole():
    assert Redaction(["hunter", "hunter22"]).redact("hunter22 hunter") == "*** ***"


def test_what_is_too_short_to_be_a_secret_is_left_alone():
    assert Redaction(["", "abc", "1"]).redact("abc 1 YWJj") == "abc 1 YWJj"


def test_a_private_key_is_masked_line_by_line():
    key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END PRIVATE KEY-----\n"
    redaction = Redaction([key])

    assert [redaction.redact(line) for line in key.splitlines()] == [
        "-----BEGIN PRIVATE KEY-----",
        "***",
        "***",
        "-----END PRIVATE KEY-----",
    ]
    assert redaction.redact(json.dumps({"key": key})) == '{"key": "***"}'


def test_what_a_config_refers_to_is_secret_and_so_is_what_its_names_say():
    config = {
        "api_url": "https://gitlab.com",
        "account": Reference("env", "ACCOUNT"),
        "clientSecret": "literal-one",
        "credentials": {"user": "literal-two", "nested": ["literal-three"]},
        "database": "postgres://ada:literal-four@db/shop",
        "pin": {"password": 123456},
        "token_url": "https://gitlab.com/oauth",
    }
    redaction = Redaction.of(config, config | {"account": "postgres://eve:literal-five@db/from-a-variable"})

    text = "literal-one literal-two literal-three literal-four literal-five from-a-variable 123456 https://gitlab.com/oauth"
    assert redaction.redact(text) == "*** *** *** *** *** from-a-variable *** https://gitlab.com/oauth"
    assert redaction.redact("to postgres://eve:literal-five@db/from-a-variable") == "to ***"


def test_a_text_that_only_looks_like_a_url_is_no_trouble():
    config = {"pattern": "http://[not-a-host"}

    assert Redaction.of(config, config).redact("http://[not-a-host") == "http://[not-a-host"


def test_a_redaction_does_not_show_what_it_hides():
    assert "hunter22" not in repr(Redaction(["hunter22"]))


SECRET_NAMES = """
    token private_token refresh_tokens apiKey APIKEY api-key client_secret aws_secret_access_key privateKey
    passwords db_passwd credentials Authorization session_cookie
"""


@pytest.mark.parametrize("name", SECRET_NAMES.split())
def test_a_name_says_that_it_holds_a_secret(name):
    assert names_a_secret(name)


@pytest.mark.parametrize("name", ["token_url", "key", "primary_key", "path", "private_token_expires", "monkey", "keys"])
def test_a_name_that_only_sounds_like_it_holds_none(name):
    assert not names_a_secret(name)
