"""What the code of a tap asks of its config and reads of it, without being imported."""

import textwrap
from pathlib import Path

import pytest

from orchestrator.envs.code import account_of_code, code_of, words_of
from orchestrator.protocol.settings import Account, Kind


def files(folder: Path, **sources: str) -> list[Path]:
    for name, source in sources.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(source))
    return sorted(folder.glob("*.py"))


def account(folder: Path, **sources: str) -> Account:
    found = account_of_code(files(folder, **sources))
    assert found is not None
    return found


def required(account: Account) -> list[str]:
    return [setting.name for setting in account.settings if setting.required]


@pytest.mark.parametrize(
    "source",
    [
        'REQUIRED_CONFIG_KEYS = ["token", "start_date"]\nargs = utils.parse_args(REQUIRED_CONFIG_KEYS)',
        'args = parse_args(["token", "start_date"])',
        'KEYS = ("token", "start_date")\nsinger.utils.check_config(args.config, KEYS)',
        'args = parse_args(required_config_keys=["token", "start_date"])',
        'REQUIRED_CONFIG_KEYS = ["token", "start_date"]\nargs = own_parser(REQUIRED_CONFIG_KEYS)',
        "args = parse_args(elsewhere.KEYS)",
    ],
)
def test_the_keys_that_a_tap_checks_for_are_required(tmp_path, source):
    found = account(tmp_path, tap=source, elsewhere='KEYS = ["token", "start_date"]')

    assert (required(found), found.knows_required) == (["token", "start_date"], True)


def test_of_several_ways_to_log_in_what_all_ask_for_is_required(tmp_path):
    """As tap-jira does it."""
    found = account(
        tmp_path,
        tap="""
        CLOUD, HOSTED = None, None
        KEYS_CLOUD = ["start_date", "cloud_id"]
        KEYS_HOSTED = ["password", "start_date"]
        def get_args():
            unchecked = utils.parse_args([])
            if unchecked.config.get("username"):
                return utils.parse_args(KEYS_HOSTED)
            return utils.parse_args(KEYS_CLOUD)
        """,
    )

    assert required(found) == ["start_date"]


def test_code_that_checks_for_nothing_does_not_tell_what_is_required(tmp_path):
    found = account(tmp_path, tap='url = config["url"]')

    assert (required(found), found.knows_required) == ([], False)


def test_what_is_read_of_a_config_is_found_with_what_must_be_text_and_what_is_taken_instead(tmp_path):
    found = account(
        tmp_path,
        tap="""
        CONFIG = {"api_url": "https://example.test", "private_token": None, "groups": ""}

        def sync(self, args):
            groups = CONFIG["groups"].split(" ")
            size = self._config.get("page_size", 100)
            deleted = args.config.get("include_deleted", "false")
            if "user_agent" in self.tap_config:
                CONFIG["written"] = 1
            name = response["not_of_a_config"]
            for stream, config in STREAMS.items():
                schema = config["schema"]
        """,
    )

    assert {setting.name: (setting.kind, setting.default) for setting in found.settings} == {
        "api_url": (Kind.ANY, "https://example.test"),
        "private_token": (Kind.ANY, None),
        "groups": (Kind.TEXT, ""),
        "page_size": (Kind.ANY, 100),
        "include_deleted": (Kind.ANY, "false"),
        "user_agent": (Kind.ANY, None),
    }


def test_code_that_our_python_cannot_read_tells_nothing(tmp_path):
    assert account_of_code(files(tmp_path, tap='print "hello"')) is None
    assert account_of_code([]) is None


def test_every_word_by_which_a_key_could_be_read_counts(tmp_path):
    words = words_of(
        files(
            tmp_path,
            tap="""
            class Config:
                as_field: str
            def start(as_argument, **others):
                others["as_text"]
                client.as_attribute
                Client(as_keyword=1)
                as_variable = 1  # as_comment
            """,
        )
    )

    assert {"as_field", "as_argument", "as_text", "as_attribute", "as_keyword"} <= words
    assert not {"as_variable", "as_comment"} & words


@pytest.mark.parametrize("layout", ["installed", "editable", "src", "module"])
def test_the_code_of_a_tap_is_found_from_the_program_that_starts_it(tmp_path, layout):
    packages, project = tmp_path / "env" / "lib" / "python3.11" / "site-packages", tmp_path / "project"
    metadata = packages / "tap_shapes-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: tap-shapes\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[console_scripts]\ntap-forms = tap_forms.main:start\n")
    folder = {"editable": project, "src": project / "src"}.get(layout, packages)
    if folder != packages:
        (metadata / "direct_url.json").write_text(f'{{"url": "file://{project}", "dir_info": {{"editable": true}}}}')
    main = folder / "tap_forms.py" if layout == "module" else folder / "tap_forms" / "main.py"
    main.parent.mkdir(parents=True, exist_ok=True)
    main.write_text("def start(): ...")

    assert code_of(tmp_path / "env", tmp_path / "env" / "bin" / "tap-forms") == (main,)
    assert code_of(tmp_path / "env", tmp_path / "env" / "bin" / "tap-other") == ()
