"""What a tap is told: its config off the disk, catalog and state in files, and hardly anything of our environment."""

import json
import sys
from pathlib import Path

import pytest

from orchestrator import durable
from orchestrator.supervisor.command import Invocation, command_for
from orchestrator.supervisor.process import TapProcess

EVERYTHING = frozenset({"config", "catalog", "state", "discover"})


@pytest.fixture
def told(tmp_path):
    """A function that starts a tap which tells what it was told: arguments, the files they name, and environment."""
    program = tmp_path / "tap-parrot"
    program.write_text(
        f"#!{sys.executable} -IS\n"
        "import json, os, sys\n"
        "files = {name: open(name).read() for name in sys.argv if os.path.exists(name) and name != sys.argv[0]}\n"
        "again = {name: open(name).read() for name in files}\n"
        "modes = {name: os.stat(name).st_mode & 0o777 for name in files}\n"
        "print(json.dumps([sys.argv[1:], files, again == files, modes, dict(os.environ), os.getcwd()]))\n"
    )
    program.chmod(0o755)
    work = tmp_path / "work"
    work.mkdir()

    def tell(environ=None, **options):
        invocation = Invocation(program, **{"takes": EVERYTHING, **options})
        with (
            command_for(invocation, folder=tmp_path, work=work, environ=environ or {}) as command,
            TapProcess(command, tmp_path / "log") as process,
        ):
            return Told(b"".join(process.blocks()))

    return tell


class Told:
    def __init__(self, printed):
        self.arguments, self.files, self.can_be_read_again, self.modes, self.environment, self.folder = json.loads(
            printed
        )

    def after(self, option):
        """The content of the file that stands after an option."""
        return self.files[self.path_after(option)]

    def path_after(self, option):
        return self.arguments[self.arguments.index(option) + 1]


def test_a_config_is_read_from_memory_and_lies_on_no_disk(told, tmp_path):
    answer = told(config=b'{"token": "s3cret"}')

    assert answer.after("--config") == '{"token": "s3cret"}'
    assert answer.can_be_read_again
    assert "s3cret" not in " ".join(answer.arguments)
    assert not any(b"s3cret" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_a_tap_that_rewrites_its_config_gets_a_file_that_only_its_owner_reads(told, tmp_path):
    durable.write(tmp_path / "secrets" / "parrot.json", '{"token": "s3cret"}')

    answer = told(config=b'{"token": "s3cret"}', config_file=tmp_path / "secrets" / "parrot.json")

    path = answer.path_after("--config")
    assert path == str(tmp_path / "secrets" / "parrot.json")
    assert (answer.files[path], answer.modes[path]) == ('{"token": "s3cret"}', 0o600)


def test_catalog_and_state_are_files_of_the_run(told, tmp_path):
    answer = told(catalog=b'{"streams": []}', state=b'{"bookmarks": {}}')

    assert (answer.after("--catalog"), answer.after("--state")) == ('{"streams": []}', '{"bookmarks": {}}')
    assert Path(answer.path_after("--catalog")).is_relative_to(tmp_path / "work")
    assert answer.folder == str(tmp_path)


@pytest.mark.parametrize(
    ("takes", "options"),
    [
        ({"properties"}, ["--properties"]),
        ({"catalog"}, ["--catalog"]),
        ({"catalog", "properties"}, ["--catalog", "--properties"]),
        (set(), []),
    ],
)
def test_a_catalog_is_handed_over_under_every_name_that_the_tap_knows(told, takes, options):
    answer = told(takes=frozenset({"config", *takes}), catalog=b"{}")

    assert answer.arguments[2::2] == options
    assert [answer.after(option) for option in options] == ["{}"] * len(options)


def test_a_tap_is_told_nothing_that_it_does_not_take(told):
    answer = told(takes=frozenset({"config"}), catalog=b"{}", state=b"{}")

    assert answer.arguments[::2] == ["--config"]


def test_in_discovery_a_tap_is_asked_to_discover(told):
    assert "--discover" in told(discover=True).arguments


def test_a_tap_sees_hardly_anything_of_our_environment(told):
    shown = {
        "PATH": "/bin",
        "HOME": "/home/ada",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "HTTPS_PROXY": "http://proxy",
        "AWS_PROFILE": "a",
    }
    hidden = {
        "PYTHONPATH": "/ours",
        "PYTHONHOME": "/ours",
        "VIRTUAL_ENV": "/ours",
        "GITLAB_PRIVATE_TOKEN": "s3cret",
        "ORCHESTRATOR_COMMIT_ROWS": "1",
        "LD_PRELOAD": "ours.so",
    }

    environment = told(environ=shown | hidden).environment

    assert environment.items() >= shown.items()
    assert not environment.keys() & hidden.keys()


def test_a_tap_sees_the_variables_that_it_is_given_by_name(told):
    given = {"GOOGLE_APPLICATION_CREDENTIALS": "key.json", "TZ": "Europe/Vienna"}

    environment = told(environ={"TZ": "UTC"}, environment=given).environment

    assert environment.items() >= given.items()
