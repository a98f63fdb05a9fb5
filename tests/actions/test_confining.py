"""A tap of a workspace reaches what it runs on and what it is told of; orchestrator.toml may allow it more."""

import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.actions.doctor import Verdict, doctor
from orchestrator.errors import TapFailed
from orchestrator.supervisor.launcher import landlock_version
from tests.supervisor.test_sandbox import confined
from tests.workspaces import TAP

ROOT = Path(__file__).parents[2]
# It sends the files that it can read of those that it is told to; the rest it only learns from its code.
READER = """
import json, pathlib, sys, tempfile
config = json.loads(pathlib.Path(sys.argv[sys.argv.index("--config") + 1]).read_text())
def say(**message): print(json.dumps(message), flush=True)
say(type="SCHEMA", stream="files", schema={"properties": {"text": {"type": "string"}}}, key_properties=[])
for path in [config.get("file"), *PATHS]:
    if path: say(type="RECORD", stream="files", record={"text": pathlib.Path(path).read_text()})
for path in WRITES: pathlib.Path(path).write_text("written")
say(type="RECORD", stream="files", record={"text": tempfile.mkdtemp()})
say(type="STATE", value={"done": 1})
"""


@pytest.fixture
def reader(workspace):
    """A function that makes a tap which reads and writes these files; the workspace allows it nothing."""
    workspace.choose(allow_read=[], allow_write=[])

    def make(*paths, writes=(), **config):
        program = workspace.paths.build(TAP, "made-up") / "reader.py"
        program.write_text(f"PATHS = {[*map(str, paths)]}\nWRITES = {[*map(str, writes)]}\n{READER}")
        workspace.install("config", "state", program=str(program))
        workspace.behave(**config)
        return workspace

    return make


def texts(workspace):
    return [text for (text,) in workspace.rows("files", "text") if "/" not in text]


@pytest.fixture
def elsewhere(tmp_path_factory):
    path = tmp_path_factory.mktemp("elsewhere") / "notes.txt"
    path.write_text("notes")
    return path


@confined
def test_a_tap_reads_the_file_that_its_config_names(reader, elsewhere):
    workspace = reader(file=str(elsewhere))
    workspace.run()

    assert texts(workspace) == ["notes"]


@confined
def test_a_tap_that_is_kept_from_a_file_fails_and_its_person_is_told_how_to_allow_it(reader, elsewhere):
    workspace = reader(elsewhere)
    with pytest.raises(TapFailed, match="exit code 1") as failed:
        workspace.run()

    assert failed.value.cause == f"PermissionError: [Errno 13] Permission denied: '{elsewhere}'"
    assert f'allow_read = ["{elsewhere}"] in [taps.fake]' in str(failed.value.hint)
    workspace.choose(allow_read=[str(elsewhere)])
    workspace.run()
    assert texts(workspace) == ["notes"]


@confined
@pytest.mark.parametrize("place", ["orchestrator.toml", "secrets/other.json", "state/shop/commits.jsonl", "data/kept"])
def test_a_tap_does_not_read_what_the_workspace_keeps(reader, place):
    path = reader().paths.root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.open("a").close()

    named = {} if place == "data/kept" else {"file": place}
    with pytest.raises(TapFailed, match="exit code 1") as failed:
        reader(path, **named).run()
    assert "Permission denied" in str(failed.value.cause)


@confined
def test_a_tap_writes_into_folders_that_it_is_allowed_and_they_are_made_for_it(reader, elsewhere):
    folder = elsewhere.parent / "exports"
    workspace = reader(writes=[folder / "file"])
    with pytest.raises(TapFailed):
        workspace.run()
    workspace.choose(allow_write=[str(folder)])
    workspace.run()

    assert (folder / "file").read_text() == "written"


@confined
def test_a_tap_of_the_singer_sdk_writes_its_batches_where_its_config_says(reader, elsewhere):
    folder = elsewhere.parent / "batches"
    reader(writes=[folder / "file"], batch_config={"storage": {"root": f"file://{folder}"}}).run()

    assert (folder / "file").read_text() == "written"


def test_temporary_files_of_a_tap_lie_apart_and_go_with_its_run(reader):
    workspace = reader()
    workspace.run()

    ((folder,),) = workspace.rows("files", "text")
    assert Path(folder).is_relative_to(workspace.paths.at_work)
    assert not Path(folder).exists()


# ── what is there to keep it ─────────────────────────────────────────────────────────────────────


def refused_without_landlock(root):
    from orchestrator.actions.starting import prepare
    from orchestrator.errors import ConfigError
    from tests.supervisor.test_sandbox import without_landlock
    from tests.workspaces import FakeWorkspace

    workspace = FakeWorkspace(Path(root))
    without_landlock()
    print(*(check.verdict for check in doctor(workspace.paths) if check.name == "sandbox"))
    workspace.choose(sandbox="landlock")
    try:
        prepare(workspace.paths, workspace.config.tap(TAP))
    except ConfigError as error:
        print(error.message)


def test_a_sandbox_that_the_kernel_does_not_have_is_an_error_and_no_silence(tmp_path):
    program = f"from tests.actions.test_confining import *; refused_without_landlock({str(tmp_path)!r})"
    asked = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False)

    assert asked.stdout.splitlines() == ["warn", 'tap "fake" asks for a sandbox that is not there'], asked.stderr


@pytest.mark.skipif(not landlock_version(), reason="this kernel has no Landlock")
def test_doctor_tells_what_keeps_taps_and_which_are_not_kept(workspace):
    def told():
        return next(check for check in doctor(workspace.paths) if check.name == "sandbox")

    assert (told().verdict, told().text.split(";")[0]) == (
        Verdict.OK,
        f"Landlock {landlock_version()} keeps taps to what they need",
    )
    workspace.choose(sandbox="none")
    assert told().verdict is Verdict.WARN
    assert 'nothing keeps tap "fake"' in told().text


def test_doctor_points_out_a_workspace_that_others_may_write_into(workspace):
    def told():
        return next(check for check in doctor(workspace.paths) if check.name == "privacy")

    workspace.paths.root.chmod(0o755)
    assert told().verdict is Verdict.OK
    workspace.paths.root.chmod(0o775)
    assert (told().verdict, told().hint) == (Verdict.WARN, f"chmod go-w {workspace.paths.root}")
