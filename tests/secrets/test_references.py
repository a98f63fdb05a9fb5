"""Secrets stay where they are kept until a tap starts."""

import os

import pytest

from orchestrator.config import Reference
from orchestrator.errors import CredentialsError
from orchestrator.paths import Paths
from orchestrator.secrets import Sources, resolve
from orchestrator.secrets.vault import Vault


def test_a_reference_to_a_variable_becomes_its_value(tmp_path):
    config = {"token": Reference("env", "TOKEN"), "url": "https://gitlab.com"}

    resolved = resolve(config, tap="gitlab", sources=Sources(Paths(tmp_path), {"TOKEN": "glpat-1"}))

    assert resolved == {"token": "glpat-1", "url": "https://gitlab.com"}
    assert config["token"] == Reference("env", "TOKEN")


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"glpat-1", "glpat-1"),
        (b"glpat-1\n", "glpat-1"),
        (b"glpat-1\r\n", "glpat-1"),
        (b"-----BEGIN-----\nabc\n-----END-----\n\n", "-----BEGIN-----\nabc\n-----END-----\n"),
    ],
)
def test_a_reference_to_a_file_becomes_its_text_without_the_newline_at_its_end(tmp_path, content, value):
    (tmp_path / "token").write_bytes(content)

    assert resolve({"token": Reference("file", "token")}, tap="a", sources=Sources(Paths(tmp_path), {})) == {
        "token": value
    }


def test_a_file_may_be_anywhere_or_at_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "token").write_text("glpat-1")
    config = {"whole": Reference("file", str(tmp_path / "token")), "home": Reference("file", "~/token")}

    resolved = resolve(config, tap="a", sources=Sources(Paths(tmp_path / "workspace"), {}))

    assert resolved == {"whole": "glpat-1", "home": "glpat-1"}


def test_references_are_found_at_every_depth(tmp_path):
    config = {"accounts": [{"key": Reference("env", "ONE")}, {"key": [Reference("env", "TWO")]}]}

    resolved = resolve(config, tap="a", sources=Sources(Paths(tmp_path), {"ONE": "1", "TWO": "2"}))

    assert resolved == {"accounts": [{"key": "1"}, {"key": ["2"]}]}


def test_a_missing_secret_is_named_with_the_setting_that_needs_it(tmp_path):
    config = {"http": {"token": Reference("env", "GITLAB_PRIVATE_TOKEN")}}

    with pytest.raises(CredentialsError) as refusal:
        resolve(config, tap="gitlab", sources=Sources(Paths(tmp_path), {}))

    assert refusal.value.exit_code == 4
    assert str(refusal.value) == (
        'tap "gitlab" needs http.token\n'
        "  cause: the variable GITLAB_PRIVATE_TOKEN is not set\n"
        "  data: the tap was not started\n"
        "  hint: export GITLAB_PRIVATE_TOKEN=..."
    )


def test_all_missing_secrets_are_told_at_once(tmp_path):
    config = {
        "token": Reference("env", "TOKEN"),
        "spare": [Reference("env", "SPARE"), Reference("env", "TOKEN")],
        "key": Reference("file", "keys/one"),
        "there": Reference("env", "THERE"),
    }

    with pytest.raises(CredentialsError) as refusal:
        resolve(config, tap="gitlab", sources=Sources(Paths(tmp_path), {"THERE": "x", "SPARE": ""}))

    assert str(refusal.value) == (
        'tap "gitlab" needs 4 settings that are not there\n'
        "  cause: token: the variable TOKEN is not set\n"
        "         spare[0]: SPARE is empty\n"
        "         spare[1]: the variable TOKEN is not set\n"
        "         key: the file keys/one cannot be read (No such file or directory)\n"
        "  data: the tap was not started\n"
        "  hint: export TOKEN=... SPARE=..."
    )


def test_a_missing_file_is_answered_with_where_to_put_it(tmp_path):
    with pytest.raises(CredentialsError) as refusal:
        resolve({"key": Reference("file", "keys/one")}, tap="gitlab", sources=Sources(Paths(tmp_path), {}))

    assert refusal.value.hint == "write it to keys/one"


def test_a_secret_that_is_not_text_is_refused(tmp_path):
    (tmp_path / "key").write_bytes(b"\xff\xfe")
    config = {"key": Reference("file", "key"), "token": Reference("env", "TOKEN")}

    with pytest.raises(CredentialsError) as refusal:
        resolve(config, tap="a", sources=Sources(Paths(tmp_path), {"TOKEN": b"\xff".decode(errors="surrogateescape")}))

    assert (refusal.value.cause or "").count("is not UTF-8 text") == 2


def test_no_secret_that_was_found_is_told_along_with_the_missing_ones(tmp_path):
    config = {"token": Reference("env", "TOKEN"), "password": Reference("env", "PASSWORD")}

    with pytest.raises(CredentialsError) as refusal:
        resolve(config, tap="a", sources=Sources(Paths(tmp_path), {"PASSWORD": "hunter22"}))

    assert "hunter22" not in str(refusal.value)


def test_a_reference_to_the_vault_becomes_the_secret_that_it_holds(tmp_path):
    Vault(Paths(tmp_path)).change(lambda content: content.with_secrets({"gitlab token": "glpat-1"}))

    resolved = resolve({"token": Reference("secret", "gitlab token")}, tap="a", sources=Sources(Paths(tmp_path)))

    assert resolved == {"token": "glpat-1"}


def test_a_name_that_the_vault_does_not_know_is_told_with_the_one_that_is_near(tmp_path):
    Vault(Paths(tmp_path)).change(lambda content: content.with_secrets({"gitlab-token": "glpat-1"}))

    with pytest.raises(CredentialsError) as refusal:
        resolve({"token": Reference("secret", "gitlab-tokn")}, tap="a", sources=Sources(Paths(tmp_path)))

    assert refusal.value.cause == 'the vault has no secret "gitlab-tokn"; did you mean "gitlab-token"?'
    assert refusal.value.hint == "orchestrator secret set gitlab-tokn"


def test_a_reference_to_a_command_becomes_what_it_prints_and_it_is_asked_once(tmp_path):
    program = tmp_path / "ask"
    program.write_text("#!/bin/sh\necho asked >> asked\nprintf '%s\\n' \"$1\"\n")
    program.chmod(0o755)
    asking = Reference("command", ("./ask", "two words"))

    resolved = resolve({"token": asking, "spare": asking}, tap="a", sources=Sources(Paths(tmp_path)))

    assert resolved == {"token": "two words", "spare": "two words"}
    assert (tmp_path / "asked").read_text() == "asked\n"


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo hunter22 >&2; exit 3", "./ask ended with exit code 3"),
        ("printf ''", "./ask is empty"),
        ("printf '\\377'", "what ./ask prints is not UTF-8 text"),
    ],
)
def test_a_command_that_prints_no_secret_is_told_and_what_it_complains_of_is_not(tmp_path, capfd, script, why):
    program = tmp_path / "ask"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)

    with pytest.raises(CredentialsError) as refusal:
        resolve({"token": Reference("command", ("./ask",))}, tap="a", sources=Sources(Paths(tmp_path)))

    assert (refusal.value.cause, refusal.value.hint) == (why, "./ask")
    assert "hunter22" not in "".join(capfd.readouterr())


def test_a_command_that_is_not_there_is_told(tmp_path):
    with pytest.raises(CredentialsError) as refusal:
        resolve({"token": Reference("command", ("no-such-program", "x"))}, tap="a", sources=Sources(Paths(tmp_path)))

    assert refusal.value.cause == "no-such-program x cannot be started (No such file or directory)"


def test_a_command_is_not_given_the_identity(tmp_path):
    asking = Reference("command", ("sh", "-c", "echo ${ORCHESTRATOR_IDENTITY-nothing}"))
    sources = Sources(Paths(tmp_path), {"PATH": os.environ["PATH"], "ORCHESTRATOR_IDENTITY": "AGE-SECRET-KEY-1"})

    assert resolve({"token": asking}, tap="a", sources=sources) == {"token": "nothing"}
