"""Secrets do not reach a log, however a tap spells them."""

import base64
import html
import json
import os
import re
import tempfile
import traceback
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.config import Reference
from orchestrator.errors import TapFailed
from orchestrator.secrets import Redaction, names_a_secret
from orchestrator.supervisor.stderr import Stderr

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


# A mask that is a part of a secret could complete another one.
secrets = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="*"), min_size=4, max_size=30)
tokens = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="*"), min_size=4, max_size=60)


def in_base64(encode, before, after):
    """The secret amid other bytes; what is sought is what no neighbour had a part in."""

    def written(secret):
        content = secret.encode()
        text = encode(before + content + after).decode()
        start, stop = -(-len(before) * 8 // 6), (len(before) + len(content)) * 8 // 6
        return text[start:stop], text

    return written


def as_it_is(spell):
    return lambda secret: (spell(secret), spell(secret))


SPELLINGS = {
    "as it is": as_it_is(str),
    "in a URL": as_it_is(lambda secret: quote(secret, safe="")),
    "in a path": as_it_is(quote),
    "in a form": as_it_is(quote_plus),
    "as requests does": as_it_is(lambda secret: quote(secret, safe="!#$%&'()*+,/:;=?@[]~")),
    "in a URL, in small letters": as_it_is(lambda secret: re.sub("%..", lambda it: it[0].lower(), quote(secret))),
    "in a URL in a URL": as_it_is(lambda secret: quote(quote(secret))),
    "in JSON": as_it_is(lambda secret: json.dumps(secret)[1:-1]),
    "in JSON with all letters": as_it_is(lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1]),
    "in JSON as PHP writes it": as_it_is(lambda secret: json.dumps(secret)[1:-1].replace("/", "\\/")),
    "in JSON in JSON": as_it_is(lambda secret: json.dumps(json.dumps(secret))[3:-3]),
    "as Python shows it": as_it_is(lambda secret: repr(secret)[1:-1]),
    "as Python shows bytes": as_it_is(lambda secret: repr(secret.encode())[2:-1]),
    "in HTML": as_it_is(html.escape),
    "in XML": as_it_is(lambda secret: secret.encode("ascii", "xmlcharrefreplace").decode()),
    "in base64": in_base64(base64.b64encode, b"", b""),
    "in base64 amid others": in_base64(base64.b64encode, b"ada:", b"@"),
    "in base64 after two": in_base64(base64.b64encode, b"a:", b""),
    "in base64 after three": in_base64(base64.urlsafe_b64encode, b"me:", b"more"),
}


@pytest.mark.parametrize("written", SPELLINGS.values(), ids=SPELLINGS)
@given(secrets | tokens, st.text(max_size=10), st.text(max_size=10))
def test_whatever_the_secret_and_its_spelling_nothing_of_it_remains(written, secret, before, after):
    sought, text = written(secret)

    redacted = Redaction([secret]).redact(f"{before}{text}{after}")

    assert sought not in redacted
    assert secret not in redacted
    assert "***" in redacted


@settings(max_examples=20)
@given(
    st.sampled_from(list(SPELLINGS.values())),
    tokens | secrets.filter(lambda secret: len(secret.splitlines()) == 1),
    st.lists(st.text(max_size=40), max_size=3),
    st.lists(st.integers(1, 200), max_size=20),
)
def test_wherever_the_chunks_of_a_log_break_nothing_of_a_secret_remains(written, secret, words, breaks):
    sought, text = written(secret)
    stream = text.join(["", *words, ""]).encode()
    ends = sorted({min(each, len(stream)) for each in breaks} | {0, len(stream)})

    log = logged([stream[start:stop] for start, stop in pairwise(ends)], Redaction([secret]).redact)

    assert sought in "".join(words) or sought not in log
    assert log.count("***") >= len(words) + 1 - log.count("[...]")


def test_a_line_without_an_end_is_not_cut_within_a_secret():
    for before in range(0, 60_000, 7_777):
        log = logged([b"x" * ((1 << 20) - before), b"hunter22" * 10_000], Redaction(["hunter22"]).redact)

        assert log.rstrip().endswith(" [...]")
        assert not re.search("[hunter2]", log)


def logged(chunks, scrub):
    """What is kept of a tap that writes these to its stderr."""
    with tempfile.TemporaryDirectory() as folder:
        reading, writing = os.pipe()
        stderr = Stderr(os.fdopen(reading, "rb"), Path(folder) / "tap.log", scrub, 1 << 30)
        with os.fdopen(writing, "wb", buffering=0) as pipe:
            for chunk in chunks:
                pipe.write(chunk)
        stderr.wait(60)
        return (Path(folder) / "tap.log").read_text()


@pytest.mark.parametrize("sign", ["\\", '"', "é", "&", " ", "\n"])
def test_a_secret_full_of_signs_and_a_text_full_of_them_are_done_with_in_no_time(sign):
    text = (sign * 40 + ".") * 5

    for secret in (sign * 30 + "x", f'{sign}"' * 15 + "x", f"\\{sign}" * 15 + "x"):
        for encoded in (text, json.dumps(text), quote(text), json.dumps(json.dumps(text))):
            assert Redaction([secret]).redact(encoded) == encoded


def test_a_document_that_is_a_secret_is_masked_by_its_members_too():
    key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END PRIVATE KEY-----\n"
    account = json.dumps({"type": "service_account", "private_key": key, "client_email": "ada@shop.test"})
    text = "signing as ada@shop.test with MIIEvQIBADANBg"

    assert Redaction([account]).redact(text) == "signing as ada@shop.test with ***"
    assert Redaction([account]).redact(f"config: {account}") == "config: ***"


def test_what_is_learnt_meanwhile_is_masked_from_then_on():
    redaction = Redaction(["hunter22"])
    redaction.learn(["renewed-33"])

    assert redaction.redact("hunter22 renewed-33") == "*** ***"


def test_what_an_error_says_is_scrubbed_with_all_that_led_to_it():
    def fail():
        try:
            raise KeyError("hunter22")
        except KeyError as error:
            raise TapFailed("it said hunter22", cause="hunter22", hint="try hunter22") from error

    with pytest.raises(TapFailed) as failed, Redaction(["hunter22"]).over_errors():
        fail()

    assert "hunter22" not in "".join(traceback.format_exception(failed.value)).replace("fail()", "").replace(
        'raise KeyError("hunter22")', ""
    ).replace('raise TapFailed("it said hunter22", cause="hunter22", hint="try hunter22") from error', "")
    assert failed.value.message == "it said ***"


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
