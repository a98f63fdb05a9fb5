"""From an empty folder to a tap that is told what it needs: the first five minutes, and what goes wrong in them."""

import shlex
import subprocess

import pytest

from orchestrator.config import Reference, read_config
from orchestrator.secrets.vault import Vault
from tests.cli.terminal import on_a_terminal
from tests.hub.served import served_hub
from tests.packages.index import OF_THE_SDK, STEADY, project_in


def test_the_first_commands_lead_from_one_to_the_next(orchestrator, index, tmp_path):
    index.add("tap-shapes", "1.2")

    made = orchestrator("init", "shop")
    assert made.next == "cd shop && orchestrator add-tap NAME"
    added = orchestrator("add-tap", "tap-shapes", "--json", at=tmp_path / "shop")
    assert added.document["tap"]["version"] == "1.2"
    assert "✓ Resolved tap-shapes 1.2" in added.err
    assert added.next == "orchestrator config shapes"
    assert orchestrator(*shlex.split(added.next)[1:], at=tmp_path / "shop").exit_code == 0


@pytest.mark.parametrize(
    "source",
    [
        OF_THE_SDK % '{"properties": {"token": {"secret": true}, "since": {}}, "required": ["token", "since"]}',
        f'KEYS = ["token", "since"]\ndef check(): utils.parse_args(KEYS)\n{STEADY}',
    ],
    ids=["of the SDK", "by its code"],
)
def test_a_tap_that_was_added_says_what_it_needs(orchestrator, index, source):
    index.add("tap-shapes", source=source)
    orchestrator("init")

    said = orchestrator("add-tap", "tap-shapes", "--json")

    assert "\n  Needs   token (secret)  since\nAdded tap" in said.err
    assert said.document["needs"] == ["token", "since"]


def test_an_environment_is_listed_upgraded_rolled_back_and_removed(orchestrator, index, tmp_path):
    index.add("tap-shapes", "1.0")
    orchestrator("init")
    orchestrator("add-tap", "tap-shapes", "--as", "forms")
    index.add("tap-shapes", "1.1")

    upgraded = orchestrator("upgrade", "forms")
    assert "  tap-shapes  1.0 → 1.1\n✓ tap-shapes 1.1 on Python" in upgraded.err
    assert upgraded.next == "orchestrator rollback forms"
    assert "  tap-shapes  1.1 → 1.0\n✓ tap-shapes 1.0 is in use again" in orchestrator("rollback", "forms").err
    (tap,) = orchestrator("taps", "--json").document["taps"]
    assert (tap["id"], tap["version"], tap["standing"], tap["flows"]) == ("forms", "1.0", "ready", ["forms"])
    assert orchestrator("install", "--frozen").err.startswith("✓ forms  tap-shapes 1.0 on Python")
    assert orchestrator("remove-tap", "forms").exit_code == 2
    assert '✓ Removed tap "forms" and flow forms' in orchestrator("remove-tap", "forms", "--yes").err
    assert orchestrator("taps").next == "orchestrator add-tap NAME"


def test_a_folder_is_added_from_where_it_was_typed(orchestrator, index, tmp_path):
    project_in(tmp_path / "tap-folder")
    orchestrator("init", "shop")

    said = orchestrator("--workspace", "shop", "add-tap", "./tap-folder")

    assert said.exit_code == 0, said.err
    assert read_config(tmp_path / "shop" / "orchestrator.toml").tap("folder").package == "../tap-folder"


@pytest.mark.parametrize(
    ("answer", "options"), [("y", []), ("n", None), (None, None)], ids=["it is", "it is not", "nobody asks"]
)
def test_on_a_terminal_a_person_is_asked_whether_what_works_is_taken(orchestrator, index, tmp_path, answer, options):
    index.add("tap-shapes", source=f"import rarely_installed\n{STEADY}")
    index.add("rarely-installed", commands=[])
    orchestrator("init")
    typed = [("Go on with that?", f"{answer}\r")] if answer else []

    words = ["add-tap", "tap-shapes", *([] if answer else ["--no-fix"])]
    screen = on_a_terminal(*words, at=tmp_path, typed=typed)

    taps = read_config(tmp_path / "orchestrator.toml").taps
    command = "orchestrator add-tap tap-shapes --with rarely_installed"
    assert (f"It works as: {command}" in screen) is bool(answer)
    assert (f"hint: {command}" in screen) is (options is None)
    assert [tap.extras for tap in taps.values()] == ([("rarely_installed",)] if options is not None else [])


def test_without_a_terminal_what_works_is_only_told_unless_fix_takes_it(orchestrator, index, tmp_path):
    index.add("tap-shapes", source=f"import rarely_installed\n{STEADY}")
    index.add("rarely-installed", commands=[])
    orchestrator("init")

    told = orchestrator("add-tap", "tap-shapes")
    taken = orchestrator("add-tap", "tap-shapes", "--fix", "--json")

    assert told.exit_code == 8
    assert told.err.splitlines()[-1] == "  hint: orchestrator add-tap tap-shapes --with rarely_installed"
    assert (taken.exit_code, taken.document["tap"]["id"]) == (0, "shapes")


@pytest.mark.parametrize(
    ("words", "exit_code", "complaint"),
    [
        (["add-tap", "tap-nobody-knows"], 8, "tap-nobody-knows"),
        (["add-tap", "tap-shapes", "--to", "nowhere"], 2, 'there is no destination "nowhere"'),
        (["add-tap", "tap-shapes", "--exclude-newer", "soon"], 2, '"soon" is not a date'),
        (["upgrade", "nope"], 2, 'there is no tap "nope"'),
        (["rollback", "nope"], 2, 'there is no tap "nope"'),
        (["remove-tap", "nope", "--yes"], 2, 'there is no tap "nope"'),
        (["discover", "nope"], 2, 'there is no tap "nope"'),
        (["select", "nope"], 2, 'there is no tap "nope"'),
        (["config", "nope"], 2, 'there is no tap "nope"'),
        (["init"], 2, "is a workspace already"),
    ],
)
def test_what_goes_wrong_is_told_before_anything_is_changed(orchestrator, index, tmp_path, words, exit_code, complaint):
    orchestrator("init")
    before = (tmp_path / "orchestrator.toml").read_text()

    said = orchestrator(*words)

    assert (said.exit_code, said.out) == (exit_code, "")
    assert said.err.splitlines()[0].startswith("error: ")
    assert complaint in said.err
    assert (tmp_path / "orchestrator.toml").read_text() == before


def held(shop):
    return {name: kept.value for name, kept in Vault(shop.paths).read().secrets.items()}


# ── what a tap is told ───────────────────────────────────────────────────────────────────────────


def test_values_are_json_where_they_can_be_and_text_where_they_cannot(orchestrator, shop):
    orchestrator("config", "fake", "set", "start_date=2026-01-01", "pages=3", 'groups=["a", "b"]', 'id="7"', "empty=")

    told = shop.config.tap("fake").config
    assert (told["start_date"], told["pages"], told["groups"]) == ("2026-01-01", 3, ["a", "b"])
    assert (told["id"], told["empty"]) == ("7", "")


def test_a_secret_is_kept_in_the_vault_and_never_shown(orchestrator, shop):
    written = orchestrator("config", "fake", "set", "private_token=glpat-1234")

    assert shop.config.tap("fake").config["private_token"] == Reference("secret", "fake.private_token")
    assert held(shop) == {"fake.private_token": "glpat-1234"}
    shown = [written, orchestrator("config", "fake", "--json"), orchestrator("config", "fake", "list", "--origin")]
    assert not [said for said in shown if "glpat-1234" in said.out + said.err]
    files = [path for path in shop.paths.root.rglob("*") if path.is_file() and b"glpat-1234" in path.read_bytes()]
    assert files == []


def test_git_is_given_the_vault(orchestrator, tmp_path):
    orchestrator("init", "new")
    orchestrator("secret", "set", "token", "--workspace", "new", stdin="glpat-1234")

    subprocess.run(["git", "init", "-q", tmp_path / "new"], check=True)
    listed = subprocess.run(
        ["git", "-C", tmp_path / "new", "ls-files", "-o", "--exclude-standard"], capture_output=True, text=True
    )
    assert listed.stdout.split() == [".gitignore", "orchestrator.toml", "secrets.age"]


def test_a_secret_that_nothing_refers_to_any_more_is_removed(orchestrator, shop):
    orchestrator("config", "fake", "set", "private_token=glpat-1234", "password=hunter2")
    orchestrator("secret", "set", "mine", stdin="hunter3")
    orchestrator("config", "fake", "set", 'key={"secret": "mine"}')

    orchestrator("config", "fake", "set", 'private_token={"env": "TOKEN"}')
    orchestrator("config", "fake", "unset", "password", "key")

    assert held(shop) == {"mine": "hunter3"}


def test_a_change_that_is_refused_keeps_the_secret_that_was_there(orchestrator, shop):
    orchestrator("config", "fake", "set", "private_token=old")

    refused = orchestrator("config", "fake", "set", "private_token=new", "password=new", "groups=${GROUPS}")

    assert refused.exit_code == 2
    assert held(shop) == {"fake.private_token": "old"}


def test_a_secret_inside_a_value_is_kept_outside_too(orchestrator, shop):
    said = orchestrator("config", "fake", "set", 'login={"user": "ada", "password": "hunter2"}', "--json")

    assert said.document["config"]["login"] == {"user": "ada", "password": {"secret": "fake.login.password"}}
    shop.behave(login={"password": "by hand"})
    assert orchestrator("config", "fake", "--json").document["config"]["login"] == {"password": "***"}


def test_a_password_in_a_url_is_one_of_the_secrets(orchestrator, shop):
    said = orchestrator("config", "fake", "set", "dsn=postgres://ada:hunter2@host/shop", "url=http://host/")

    told = shop.config.tap("fake").config
    assert (told["dsn"], told["url"]) == (Reference("secret", "fake.dsn"), "http://host/")
    shop.behave(dsn="postgres://ada:hunter2@host/shop")
    shown = orchestrator("config", "fake", "--json")
    assert shown.document["config"]["dsn"] == "postgres://ada:***@host/shop"
    assert "hunter2" not in said.out + said.err


def test_a_setting_can_be_taken_out(orchestrator, shop):
    orchestrator("config", "fake", "set", "pages=3")

    said = orchestrator("config", "fake", "unset", "pages", "--json")

    assert said.document == {"schema": 1, "tap": "fake", "config": {"streams": {"issues": {"rows": 3}}}}


@pytest.mark.parametrize(
    ("words", "complaint", "hint"),
    [
        (["set", "pages"], '"pages" is no KEY=VALUE', "pages=2026-01-01"),
        (["set"], "set what?", "orchestrator config fake set start_date=2026-01-01"),
        (["unset", "pges"], "pges", None),
        (["st", "a=1"], "invalid value for '[set|unset|list|edit]'", "orchestrator config --help"),
    ],
)
def test_a_change_that_cannot_be_meant_changes_nothing(orchestrator, shop, words, complaint, hint):
    before = shop.paths.config.read_text()

    said = orchestrator("config", "fake", *words)

    assert said.exit_code == 2
    assert complaint in said.err
    assert hint is None or said.err.endswith(f"hint: {hint}\n")
    assert shop.paths.config.read_text() == before


# ── streams ──────────────────────────────────────────────────────────────────────────────────────


def test_discovery_shows_the_streams_and_what_changed(orchestrator, shop):
    first = orchestrator("discover", "fake")
    assert first.out.splitlines()[1].split() == ["issues", "incremental", "id", "n", "4"]
    assert (first.next, "Nothing changed" in first.err) == ("orchestrator select fake", False)
    assert "Nothing changed since last time" in orchestrator("discover", "fake").err

    orchestrator("config", "fake", "set", 'streams={"projects": {"rows": 1}}')
    later = orchestrator("discover", "fake", "--json")

    assert [(change["kind"], change["stream"]) for change in later.document["changes"]] == [
        ("stream_added", "projects")
    ]


def test_discovery_tells_what_a_change_means_for_a_table(orchestrator, shop):
    shop.source(issues={"rows": 3, "drifts": 5})
    orchestrator("run", "shop")
    orchestrator("config", "fake", "set", 'streams={"issues": {"drifts": 0}}')

    said = orchestrator("discover", "fake", "--json")

    means = "issues.size will become VARCHAR at the next run"
    assert f"  issues.size was integer or null, is now string or null\n    {means}\n" in said.err
    assert means in [change["means"] for change in said.document["changes"]]


def test_a_selection_is_shown_as_a_table_and_leads_to_a_run(orchestrator, shop):
    shop.source(issues={"rows": 3}, projects={"rows": 1, "key": [], "method": "FULL_TABLE"})

    said = orchestrator("select", "fake", "issues", "!issues.name")

    head, issues, projects = (line.split("  ") for line in said.out.splitlines())
    assert [word.strip() for word in head if word] == ["stream", "selected", "mode", "key", "bookmark", "columns"]
    assert [word.strip() for word in issues if word] == ["issues", "✓", "incremental", "id", "n", "3 of 4"]
    assert [word.strip() for word in projects if word] == ["projects", "–", "full table", "–", "–", "–"]
    assert said.next == "orchestrator run shop"
    assert shop.config.tap("fake").select == ("issues", "!issues.name")
    assert orchestrator("select", "fake").out == said.out
    orchestrator("select", "fake", "--default")
    assert shop.config.tap("fake").select == ()


def test_a_pattern_that_matches_nothing_names_what_was_meant(orchestrator, shop):
    said = orchestrator("select", "fake", "isues")

    assert (said.exit_code, said.err.splitlines()[-1]) == (2, '  hint: did you mean "issues"?')


# ── the hub ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def hub(tmp_path):
    """A function that calls a command against a small hub."""
    with served_hub() as hub:
        hub.add("tap-shapes", "ada", pip_url="tap-shapes", settings=[{"name": "token", "kind": "password"}])
        hub.add("tap-shapes", "bob", pip_url="bobs-tap-shapes")
        hub.add("tap-shapes-of-things", "ada", pip_url="tap-things")
        yield {"ORCHESTRATOR_HUB_URL": hub.url, "XDG_CACHE_HOME": str(tmp_path / "cache")}


def test_taps_are_searched_by_a_word_without_a_workspace(orchestrator, hub):
    some = orchestrator("taps", "search", "shape", **hub)
    one = orchestrator("taps", "search", "shapes", **hub)

    assert [line.split()[0] for line in some.out.splitlines()[1:]] == ["tap-shapes", "tap-shapes-of-things"]
    assert some.next == "orchestrator add-tap NAME --from-hub"
    assert [line.split() for line in one.out.splitlines()[1:]] == [
        ["tap-shapes", "ada", "tap-shapes", "1"],
        ["tap-shapes", "bob", "bobs-tap-shapes", "0"],
    ]
    assert one.next == "orchestrator add-tap tap-shapes --from-hub"


def test_a_search_is_a_document_too(orchestrator, hub):
    found = orchestrator("taps", "search", "shapes", "--json", **hub).document

    assert found["taps"][0] == {"name": "tap-shapes", "variants": ["ada", "bob"]}
    assert found["variants"][0]["settings"][0]["secret"] is True


@pytest.mark.parametrize(
    ("words", "exit_code", "complaint", "hint"),
    [
        (
            ["taps", "search", "shaeps"],
            2,
            'no tap in the hub has "shaeps" in its name',
            "orchestrator taps search shapes",
        ),
        (["add-tap", "shapes", "--from-hub"], 2, 'the hub knows no tap "shapes"', 'did you mean "tap-shapes"?'),
        (
            ["add-tap", "tap-shapes", "--variant", "bob"],
            2,
            "only the hub knows variants",
            "orchestrator add-tap tap-shapes --from-hub --variant bob",
        ),
    ],
)
def test_what_the_hub_does_not_know_is_told(orchestrator, hub, words, exit_code, complaint, hint):
    orchestrator("init")

    said = orchestrator(*words, **hub)

    assert (said.exit_code, said.out, said.err.splitlines()[0]) == (exit_code, "", f"error: {complaint}")
    assert said.err.endswith(f"  hint: {hint}\n")


def test_a_tap_is_added_from_the_hub(orchestrator, hub, index):
    index.add("tap-shapes", "1.2")
    orchestrator("init")

    said = orchestrator("add-tap", "tap-shapes", "--from-hub", **hub)

    assert said.err.startswith("✓ The hub has tap-shapes by ada: tap-shapes\n✓ Resolved tap-shapes 1.2")
    assert said.next == "orchestrator config shapes"
