"""What the hub says of a tap, as values."""

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from orchestrator.envs.package import Package
from orchestrator.hub.entries import Entry, NotOfTheHub, read_entry, read_index
from orchestrator.protocol.settings import Kind


def entry(**members: Any) -> Entry:
    return read_entry(json.dumps({"name": "tap-shapes", "variant": "ada", **members}).encode())


def test_the_recommended_variant_stands_first():
    index = {"tap-b": {"default_variant": "y", "variants": {"x": {}, "y": {}}}, "tap-a": {"variants": {"x": {}}}}

    b, a = sorted(read_index(json.dumps(index).encode()), key=lambda tap: tap.name, reverse=True)

    assert (b.name, b.variants) == ("tap-b", ("y", "x"))
    assert (a.name, a.variants) == ("tap-a", ("x",))


@pytest.mark.parametrize(
    ("pip_url", "package", "extras"),
    [
        ("tap-shapes", "tap-shapes", ()),
        ("adas-tap-shapes==1.0", "adas-tap-shapes==1.0", ()),
        (
            "git+https://git.test/tap-shapes.git@v1 shape[full]",
            "git+https://git.test/tap-shapes.git@v1",
            ("shape[full]",),
        ),
        (
            "git+https://git.test/singer.git@1 ada-tap-shapes\n",
            "ada-tap-shapes",
            ("git+https://git.test/singer.git@1",),
        ),
        ("git+https://git.test/wrapper.git", "git+https://git.test/wrapper.git", ()),
        (None, None, ()),
    ],
)
def test_what_is_installed_is_told_from_what_is_installed_beside_it(pip_url, package, extras):
    found = entry(pip_url=pip_url)

    assert (found.package, found.extras) == (package, extras)


def test_settings_have_kinds_choices_secrets_and_what_to_tell_them():
    found = entry(
        settings=[
            {"name": "token", "kind": "password"},
            {"name": "id", "sensitive": True},
            {"name": "since", "kind": "date_iso8601"},
            {"name": "pages", "kind": "integer", "value": 3},
            {"name": "mode", "kind": "options", "options": [{"label": "A", "value": "a"}, {"value": "b"}]},
            {"name": "login.user", "kind": "email", "description": "Who."},
        ]
    )

    token, id, since, pages, mode, user = found.settings
    assert (token.kind, token.secret, id.kind, id.secret) == (Kind.TEXT, True, Kind.TEXT, True)
    assert (since.kind, pages.kind, pages.suggestion, pages.default) == (Kind.DATE, Kind.INTEGER, 3, None)
    assert mode.choices == ("a", "b")
    assert (user.place, user.kind, user.description) == (("login", "user"), Kind.TEXT, "Who.")


def test_of_groups_that_are_each_enough_what_is_in_all_is_required():
    settings = [{"name": name} for name in ("url", "groups", "projects")]

    found = entry(settings=settings, settings_group_validation=[["url", "groups"], ["url", "projects"], []])

    assert [setting.name for setting in found.settings if setting.required] == ["url"]
    assert found.account.knows_required
    assert not entry(settings=settings).account.knows_required


@pytest.mark.parametrize("answer", [b"<html>", b"[]", b'{"name": "tap-shapes"}', b'{"name": 1, "variant": "a"}'])
def test_an_answer_of_another_kind_is_no_entry(answer):
    with pytest.raises(NotOfTheHub):
        read_entry(answer)


MIRROR = Path(__file__).parents[2] / ".." / "shared" / "hub" / "hub.tar.xz"


@pytest.mark.skipif(not MIRROR.exists(), reason="there is no mirror of the public hub beside the checkout")
def test_every_entry_of_the_public_hub_can_be_read():
    with tarfile.open(MIRROR) as mirror:
        files = {member.name: mirror.extractfile(member) for member in mirror if "/extractors/" in member.name}
        contents = {name.rpartition("/")[2]: file.read() for name, file in files.items() if file}

    index = read_index(contents.pop("index"))
    entries = [read_entry(content) for content in contents.values()]

    assert {(tap.name, variant) for tap in index for variant in tap.variants} <= {
        (each.name, each.variant) for each in entries
    }
    for each in entries:
        for requirement in (*([each.package] if each.package else []), *each.extras):
            Package.parse(requirement)
