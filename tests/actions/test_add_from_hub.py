"""A tap that is added by its name in the hub: where it comes from and what it understands is known from there."""

import json

import pytest

from orchestrator import Workspace
from orchestrator.actions.starting import prepare
from orchestrator.errors import ConfigError, UnknownName, UsageError
from orchestrator.events import Event, Note
from tests.hub.served import served_hub
from tests.packages.index import STEADY

SETTINGS = [
    {"name": "token", "kind": "password", "description": "Made under Profile."},
    {"name": "since", "kind": "date_iso8601"},
    {"name": "pages", "kind": "integer"},
]


@pytest.fixture
def hub(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with served_hub() as hub:
        hub.add(
            "tap-shapes",
            "ada",
            pip_url="adas-tap-shapes helper-of-shapes",
            settings=SETTINGS,
            settings_group_validation=[["token", "since"]],
        )
        hub.add("tap-shapes", "bob", repo="https://git.test/bob", settings=[])
        monkeypatch.setenv("ORCHESTRATOR_HUB_URL", hub.url)
        yield hub


@pytest.fixture
def workspace(index, hub, shop):
    index.add("adas-tap-shapes", "1.2", commands=["tap-shapes"])
    index.add("helper-of-shapes", commands=[])
    return Workspace(shop)


def test_the_hub_says_what_to_install_and_what_the_tap_understands(workspace):
    added = workspace.add_from_hub("tap-shapes")

    assert (added.id, added.package, added.version) == ("shapes", "adas-tap-shapes", "1.2")
    tap = workspace.config.tap("shapes")
    assert (tap.package, tap.extras) == ("adas-tap-shapes", ("helper-of-shapes",))
    settings = workspace.settings("shapes")
    assert [each.name for each in settings.lacking] == ["token", "since"]
    assert settings.named("token").secret
    assert settings.named("token").setting.description == "Made under Profile."
    kept = json.loads((workspace.paths.root / "envs" / "shapes.hub.json").read_text())
    assert kept["settings"] == SETTINGS


def test_what_the_tap_says_itself_counts_more_and_what_only_the_hub_says_is_a_note(index, hub, workspace):
    index.add(
        "adas-tap-shapes",
        "1.3",
        commands=["tap-shapes"],
        source=f'def check(): utils.parse_args(["token"])\n{STEADY}',
    )
    workspace.add_from_hub("tap-shapes")

    assert [each.name for each in workspace.settings("shapes").lacking] == ["token"]
    with pytest.raises(ConfigError, match="token is missing"):
        workspace.discover("shapes")
    workspace.configure("shapes", set={"token": "t", "pages": "many"})
    notes: list[str] = []
    prepare(
        workspace.paths,
        workspace.config.tap("shapes"),
        lambda event: notes.append(event.text) if isinstance(event, Note) else None,
    )
    assert notes == ["pages is text; it must be a whole number, as the hub has it"]


def test_an_upgrade_asks_the_hub_again(hub, index, workspace):
    workspace.add_from_hub("tap-shapes")
    index.add("adas-tap-shapes", "1.3", commands=["tap-shapes"])
    hub.add("tap-shapes", "ada", pip_url="tap-shapes-of-ada", settings=[{"name": "colour"}])
    told: list[Event] = []

    workspace.upgrade("shapes", listen=told.append)

    assert [each.name for each in workspace.settings("shapes").settings] == ["colour"]
    assert Note("the hub has tap-shapes by ada from tap-shapes-of-ada now, and no more from adas-tap-shapes") in told


def test_an_upgrade_without_the_hub_keeps_what_it_said(hub, index, workspace, monkeypatch):
    workspace.add_from_hub("tap-shapes")
    index.add("adas-tap-shapes", "1.3", commands=["tap-shapes"])
    monkeypatch.setenv("ORCHESTRATOR_HUB_URL", "http://127.0.0.1:1")
    told: list[Event] = []

    assert workspace.upgrade("shapes", listen=told.append).version == "1.3"
    assert [each.name for each in workspace.settings("shapes").settings] == ["token", "since", "pages"]
    assert Note("envs/shapes.hub.json stays as it was: http://127.0.0.1:1 cannot be asked about taps") in told


def test_a_name_that_is_near_installs_nothing(workspace):
    with pytest.raises(UnknownName) as unknown:
        workspace.add_from_hub("shapes")

    assert unknown.value.hint == 'did you mean "tap-shapes"?'
    assert workspace.config.taps == {}


def test_a_variant_without_a_python_package_is_told(workspace):
    with pytest.raises(UsageError, match="the hub knows no Python package of tap-shapes by bob") as refusal:
        workspace.add_from_hub("tap-shapes", variant="bob")

    assert refusal.value.cause == "it is at https://git.test/bob"


def test_without_a_hub_packages_are_added_as_ever(workspace, monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_HUB_URL", "http://127.0.0.1:1")

    assert workspace.add_tap("adas-tap-shapes").version == "1.2"


def test_a_tap_that_is_removed_takes_along_what_the_hub_said_of_it(workspace):
    workspace.add_from_hub("tap-shapes")

    workspace.remove_tap("shapes")

    assert not [path for path in (workspace.paths.root / "envs").iterdir() if "hub" in path.name]


def test_the_workspace_says_which_hub_it_asks(workspace, hub, monkeypatch):
    monkeypatch.delenv("ORCHESTRATOR_HUB_URL")
    with workspace.paths.config.open("a") as file:
        file.write(f'\n[hub]\nurl = "{hub.url}"\n')

    assert workspace.config.hub.url == hub.url
    assert workspace.add_from_hub("tap-shapes").id == "shapes"
